"""How much fine detail data sets have: the share of their power at high frequencies.

python benchmarks/detail.py [--mnist mnist.npz] writes benchmarks/results/detail.json (seconds).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.fft import dctn

from polyphase.datasets import Dataset, load

RESULTS = Path(__file__).parent / "results" / "detail.json"
BATCH = 1000


def share(pixels: np.ndarray) -> float:
    """Return the share of the power that lies above a quarter of the sampling rate.

    1. Of each image and channel remove the mean.
    2. Take the orthonormal two-dimensional cosine transform (DCT-II), whose coefficient k of N
       has the frequency k / 2N cycles per pixel. It continues an image by its reflection; the
       discrete Fourier transform would read the step between opposite edges as detail.
    3. Of the sum of squares over all images take the part whose frequency is above 1/4 along
       either axis.

    Args:
        pixels: `(n, height, width, channels)`.
    """
    high = total = 0.0
    fine = np.logical_or.outer(*(np.arange(n) / (2 * n) > 1 / 4 for n in pixels.shape[1:3]))
    for start in range(0, len(pixels), BATCH):
        images = pixels[start : start + BATCH].astype(np.float64)
        images -= images.mean(axis=(1, 2), keepdims=True)
        power = dctn(images, axes=(1, 2), norm="ortho") ** 2
        total += power.sum()
        high += power[:, fine].sum()
    return float(high / total)


def row(data: Dataset) -> dict[str, object]:
    """Return what the table says of a data set."""
    parts = (data.train, data.validation, data.test)
    return {
        "name": data.name,
        "count": sum(map(len, parts)),
        "shape": data.shape,
        "share": share(np.concatenate([part.pixels for part in parts])),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", default="mnist", help="path of mnist.npz")
    mnist = parser.parse_args().mnist
    rows = [row(load(source)) for source in ("digits", mnist, "photographs")]
    RESULTS.write_text(json.dumps({"sets": rows}, indent=1) + "\n")
    print(RESULTS)
