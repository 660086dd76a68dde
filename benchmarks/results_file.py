"""Where a benchmark's results lie, and what stands beside them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

from polyphase.workbench.environment import machine, versions


def path(kind: str) -> Path:
    """Return benchmarks/results/KIND-BACKEND.json for the backend in use."""
    return Path(__file__).parent / "results" / f"{kind}-{keras.backend.backend()}.json"


def write(kind: str, **content: Any) -> None:
    """Write the results with backend, date, machine and versions; say where."""
    circumstances = {
        "backend": keras.backend.backend(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }
    path(kind).write_text(json.dumps(circumstances | content, indent=1) + "\n")
    print(path(kind))
