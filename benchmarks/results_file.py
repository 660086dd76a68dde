"""Where a benchmark's results lie, and what stands beside them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

from polyphase.ops import choice, device
from polyphase.workbench.environment import machine, versions


def path(kind: str) -> Path:
    """Return benchmarks/results/KIND-BACKEND.json.

    Where a GPU is in use KIND-BACKEND-gpu.json. Which way is fastest on TensorFlow depends on
    oneDNN, and `lowerings` has a file without it: KIND-BACKEND-no-onednn.json.
    """
    backend = keras.backend.backend()
    where = "" if device.in_use(backend) == "cpu" else "-gpu"
    if kind == "lowerings" and backend == "tensorflow" and not device.has_onednn(backend):
        where += choice.NO_ONEDNN
    return Path(__file__).parent / "results" / f"{kind}-{backend}{where}.json"


def circumstances() -> dict[str, Any]:
    """Return backend, date, machine and versions."""
    return {
        "backend": keras.backend.backend(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }


def write(kind: str, **content: Any) -> None:
    """Write the results with their circumstances; say where."""
    path(kind).write_text(json.dumps(circumstances() | content, indent=1) + "\n")
    print(path(kind))
