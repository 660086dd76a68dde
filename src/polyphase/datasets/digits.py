"""The handwritten digits that come with scikit-learn, enlarged; nothing is downloaded."""

import numpy as np

from polyphase.algebra.resampling import resampling_matrix
from polyphase.datasets.images import Dataset, Images, assemble
from polyphase.datasets.optional import import_workbench


def load_digits() -> Dataset:
    """Return 1,797 digits, enlarged from 8x8 to 28x28 pixels by this package's own bicubic.

    Each digit is made of only 64 numbers, and is smooth. A code of 128 numbers, as in the
    comparison's autoencoder, may copy it, and there is no fine detail to lose or to get wrong.
    Where detail matters, use "photographs" or "mnist".

    1. Resample both axes, in float64.
    2. Divide by 16, the brightest value.
    3. Clip to 0..1, because bicubic overshoots; round to float32.

    Returns:
        A dataset of shape (28, 28, 1) with the labels "0" to "9".

    Raises:
        ImportError: if scikit-learn is not installed.
    """
    sklearn = import_workbench("sklearn.datasets", "scikit-learn", "The digits dataset")
    digits = sklearn.load_digits()
    table = resampling_matrix(8, 28, "bicubic")
    large = table.apply(table.apply(digits.images, axis=1), axis=2)
    pixels = np.clip(large / 16, 0, 1).astype(np.float32)[..., None]
    labels = tuple(str(label) for label in digits.target)
    return assemble("digits", "digits", Images(pixels, labels))
