"""The benchmark for a GPU, tried on what there is: every case is written, and earlier ones stay."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from polyphase.ops import device

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
BACKEND = keras.backend.backend()


def run(*options):
    command = [sys.executable, str(BENCHMARK), *options]
    environment = os.environ | {"KERAS_BACKEND": BACKEND}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="it is for PyTorch and JAX")
def test_a_dry_run_tests_and_times_every_way_and_keeps_what_was_there(tmp_path):
    path = tmp_path / f"device-{BACKEND}.json"
    path.write_text(json.dumps({"cases": {"earlier": {}}}))
    done = run("--dry-run", "--seconds", "500", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    content = json.loads(path.read_text())
    assert content["backend"] == BACKEND
    assert "passed" in content["tests"]
    assert "failed" not in content["tests"]
    assert "earlier" in content["cases"]
    assert len(content["cases"]) == 9
    for case in content["cases"].values():
        if case:
            assert {"direct", "keras"} < set(case["forward"])
            assert set(case["forward"]) == set(case["training"]) == set(case["MiB"])
    nearest = next(case for name, case in content["cases"].items() if "nearest" in name)
    assert {"phases", "transpose", "difference", "patches"} < set(nearest["forward"])
    assert ("compiled" in nearest["forward"]) == (BACKEND == "torch")


@pytest.mark.skipif(device.in_use(BACKEND) == "gpu", reason="there is one")
def test_without_a_gpu_it_says_what_there_is_and_how_to_try_it(tmp_path):
    done = run("--seconds", "9", "--to", str(tmp_path))
    assert done.returncode != 0
    assert "finds no GPU. Received: cpu. Use --dry-run" in done.stderr
    assert not list(tmp_path.iterdir())
