"""MNIST, downloaded once and kept by Keras."""

from polyphase.datasets.checks import as_labels, as_pixels
from polyphase.datasets.downloads import downloaded
from polyphase.datasets.images import Dataset, Images, assemble


def load_mnist() -> Dataset:
    """Return MNIST: 48,000 digits to train, 12,000 to validate, 10,000 to test.

    Raises:
        DataError: if it is not in Keras' cache and cannot be downloaded.
    """
    from keras.datasets import mnist

    (x_train, y_train), (x_test, y_test) = downloaded(
        mnist.load_data,
        "MNIST",
        "fetch mnist.npz by other means and pass its path instead of 'mnist'",
    )
    train = Images(as_pixels(x_train, "x_train"), as_labels(y_train, len(x_train), "y_train"))
    test = Images(as_pixels(x_test, "x_test"), as_labels(y_test, len(x_test), "y_test"))
    return assemble("mnist", "mnist", train, test)
