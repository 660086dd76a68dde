"""What giving freed memory back to the system costs: our layers under glibc's two habits.

    KERAS_BACKEND=jax python benchmarks/allocator.py

Writes benchmarks/results/allocator-BACKEND.json: medians in ms of fresh processes in turns, with
glibc as it is and with freed blocks kept (the variables of docs/performance.md), three of each.
"""

import json
import os
import subprocess
import sys

import numpy as np
import results_file

from polyphase.timing import alternate, forward, gradient
from polyphase.workbench.bench import (
    Case,
    layer_function,
    layer_model,
    resize_convolution,
    upsampling,
)

KEPT = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
HABITS = {"default": {}, "kept": KEPT}
CASES = (
    resize_convolution((8, 32, 32, 64), 64),
    resize_convolution((8, 64, 64, 64), 64),
    resize_convolution((1, 64, 64, 256), 256),
    upsampling((1, 1024, 1024, 3), "bilinear"),
)
PREPARE = {"forward": forward, "training": gradient}


def medians(case: Case) -> dict[str, float]:
    """Return the milliseconds of our layers, forward and training, in this process."""
    model = layer_model(case.shape, case.ours())
    x = np.random.default_rng(0).standard_normal(case.shape, dtype="float32")
    arrays = [x, *model.get_weights()]
    return {
        mode: alternate({"ours": prepare(layer_function(model), arrays)})["ours"].median
        for mode, prepare in PREPARE.items()
    }


def main() -> None:
    """Measure in fresh processes, in turns, and write the file."""
    samples: dict[tuple[str, str, str], list[float]] = {}
    for _ in range(3):
        for habit, variables in HABITS.items():
            command = [sys.executable, __file__, "here"]
            environment = os.environ | variables
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            )
            for name, mode, median in json.loads(done.stdout.splitlines()[-1]):
                samples.setdefault((name, mode, habit), []).append(median)
    results = [
        {
            "name": f"{case.group} {case.name}",
            "mode": mode,
            **{habit: samples[case.name, mode, habit] for habit in HABITS},
        }
        for case in CASES
        for mode in PREPARE
    ]
    for result in results:
        print(result)
    results_file.write("allocator", unit="ms", results=results)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        rows = [(c.name, mode, ms) for c in CASES for mode, ms in medians(c).items()]
        print(json.dumps(rows))
    else:
        main()
