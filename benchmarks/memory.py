"""Peak memory of nearest + conv, Keras' layers and ours, each in a fresh process.

    KERAS_BACKEND=jax python benchmarks/memory.py

Writes benchmarks/results/memory-BACKEND.json: by how many MiB each of five processes grew at most
while it computed (the high-water mark after a run of one image of 8x8, which loads and compiles
what is needed, subtracted), forward and training.
"""

import resource
import subprocess
import sys

import numpy as np
import results_file

from polyphase.timing import forward, gradient
from polyphase.workbench.bench import layer_function, layer_model, resize_convolution

SHAPES = (((8, 64, 64, 64), 64), ((1, 256, 256, 64), 64), ((1, 64, 64, 256), 256))
PROCESSES = 5
PREPARE = {"forward": forward, "training": gradient}


def grown(contender: str, mode: str, shape: int) -> float:
    """Return the growth in MiB of this process."""
    image, filters = SHAPES[shape]
    for one in ((1, 8, 8, image[3]), image):
        case = resize_convolution(one, filters)
        model = layer_model(case.shape, getattr(case, contender)())
        arrays = [np.ones(one, "float32"), *model.get_weights()]
        before = _peak()
        run = PREPARE[mode](layer_function(model), arrays)
        run()
        run()
    return _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure in fresh processes and write the file."""
    results = []
    for index, (image, filters) in enumerate(SHAPES):
        for mode in PREPARE:
            sizes: dict[str, list[float]] = {"keras": [], "ours": []}
            for contender in list(sizes) * PROCESSES:
                command = [sys.executable, __file__, contender, mode, str(index)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                sizes[contender].append(round(float(done.stdout.split()[-1]), 1))
            results.append({"shape": [*image, filters], "mode": mode, "MiB": sizes})
            print(results[-1], flush=True)
    results_file.write("memory", unit="MiB", results=results)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(grown(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    else:
        main()
