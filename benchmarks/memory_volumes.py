"""Peak memory of volumes, ours and what people use instead, each in a fresh process.

    KERAS_BACKEND=jax python benchmarks/memory_volumes.py

Writes benchmarks/results/memory-volumes-BACKEND.json: by how many MiB each of five processes grew
at most while it computed, what was compiled before subtracted, forward and training.
"""

import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import ranks
import results_file

from polyphase import layers as polyphase_layers
from polyphase.memory import growth
from polyphase.timing import forward, gradient
from polyphase.workbench.bench import layer_function, layer_model

CONVOLVED = ((1, 24, 24, 24, 32, 16), (2, 12, 12, 12, 64, 64))
RESIZED = ((1, 24, 24, 24, 32, 32), (1, 48, 48, 48, 16, 16))
CASES = {
    **{("nearest + conv", shape): ("keras", "ours") for shape in CONVOLVED},
    **{("UpSampling3D trilinear", shape): ("eight corners", "ours") for shape in RESIZED},
}
PREPARE = {"forward": forward, "training": gradient}
PROCESSES = 5


def grown(group: str, shape: tuple[int, ...], contender: str, mode: str) -> float | None:
    """Return by how many MiB this process grows at most."""
    compute, arrays = _computation(group, shape, contender)
    run = PREPARE[mode](compute, arrays)
    if keras.backend.backend() == "jax":
        run()  # which compiles
    return growth(run)


def _computation(
    group: str, shape: tuple[int, ...], contender: str
) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """Return a function and the arrays to call it with."""
    if group != "nearest + conv":
        ours = polyphase_layers.UpSampling3D(2, interpolation="trilinear")
        return (ours if contender == "ours" else ranks.corners), [np.ones(shape[:-1], "float32")]
    case = ranks.convolved(shape)
    model = layer_model(case.shape, getattr(case, contender)())
    return layer_function(model), [np.ones(case.shape, "float32"), *model.get_weights()]


def main() -> None:
    """Measure in fresh processes and write the file."""
    results = []
    for index, ((group, shape), contenders) in enumerate(CASES.items()):
        for mode in PREPARE:
            sizes: dict[str, list[float]] = {contender: [] for contender in contenders}
            for contender in list(sizes) * PROCESSES:
                command = [sys.executable, __file__, str(index), contender, mode]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                sizes[contender].append(round(float(done.stdout.split()[-1]), 1))
            results.append({"group": group, "shape": list(shape), "mode": mode, "MiB": sizes})
            print(results[-1], flush=True)
    results_file.write("memory-volumes", unit="MiB", results=results)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        index, contender, mode = sys.argv[1:]
        ((group, shape),) = itertools.islice(CASES, int(index), int(index) + 1)
        print(grown(group, shape, contender, mode))
    else:
        main()
