"""MNIST, downloaded once and kept by Keras."""

import sys
from contextlib import redirect_stdout

import numpy as np

from polyphase.datasets.checks import as_labels, as_pixels, one_line
from polyphase.datasets.errors import DataError
from polyphase.datasets.images import Dataset, Images, assemble


def load_mnist() -> Dataset:
    """Return MNIST: 48,000 digits to train, 12,000 to validate, 10,000 to test.

    Raises:
        DataError: if it is not in Keras' cache and cannot be downloaded.
    """
    (x_train, y_train), (x_test, y_test) = _download()
    train = Images(as_pixels(x_train, "x_train"), as_labels(y_train, len(x_train), "y_train"))
    test = Images(as_pixels(x_test, "x_test"), as_labels(y_test, len(x_test), "y_test"))
    return assemble("mnist", "mnist", train, test)


def _download() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    from keras.datasets import mnist

    try:
        # Keras draws its progress bar on stdout, which belongs to results.
        with redirect_stdout(sys.stderr):
            return mnist.load_data()
    except Exception as error:  # Keras itself raises plain Exception
        raise DataError(
            f"MNIST could not be downloaded ({one_line(error)}). Connect to the network, or "
            "fetch mnist.npz by other means and pass its path instead of 'mnist'."
        ) from error
