"""CIFAR-10, downloaded once and kept by Keras."""

import numpy as np

from polyphase.datasets.checks import as_pixels
from polyphase.datasets.downloads import downloaded
from polyphase.datasets.images import Dataset, Images, assemble

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def load_cifar10() -> Dataset:
    """Return CIFAR-10: 40,000 images to train, 10,000 to validate, 10,000 to test.

    Returns:
        A dataset of shape (32, 32, 3) with the names of the classes as labels.

    Raises:
        DataError: if it is not in Keras' cache and cannot be downloaded.
    """
    from keras.datasets import cifar10

    (x_train, y_train), (x_test, y_test) = downloaded(
        cifar10.load_data,
        "CIFAR-10",
        "use 'photographs': images in colour that come with scikit-learn",
    )
    train, test = _images(x_train, y_train, "x_train"), _images(x_test, y_test, "x_test")
    return assemble("cifar10", "cifar10", train, test)


def _images(x: np.ndarray, y: np.ndarray, what: str) -> Images:
    """Return images of Keras' arrays, whose channels lie where Keras is configured to have them."""
    if x.shape[-1] != 3:
        x = np.moveaxis(x, 1, -1)
    return Images(as_pixels(x, what), tuple(CLASSES[label] for label in y.reshape(-1)))
