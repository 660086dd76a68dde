"""Real images: MNIST, digits, an image folder, an array file."""

import os
from pathlib import Path

from polyphase.datasets.arrays import load_npy, load_npz
from polyphase.datasets.digits import load_digits
from polyphase.datasets.errors import DataError
from polyphase.datasets.floor import entropy_floor
from polyphase.datasets.folder import load_folder
from polyphase.datasets.images import Dataset, Images
from polyphase.datasets.mnist import load_mnist

__all__ = ["DataError", "Dataset", "Images", "entropy_floor", "load", "source_of"]

_NAMED = {"digits": load_digits, "mnist": load_mnist}
_FILES = {".npz": load_npz, ".npy": load_npy}
_EXPECTED = "'digits', 'mnist', or the path of an .npz file, an .npy file or a folder of images"


def load(source: str | os.PathLike[str]) -> Dataset:
    """Return images to train, validate and test with; the same ones each time.

    Validation is the last fifth of the training images, as with Keras' `validation_split=0.2`.
    A source without a test set gives a fifth of its images, drawn with a fixed seed. A set of more
    than 256 MiB lies in a temporary file, as a read-only array, so that memory may be smaller.

    Args:
        source: one of
            "digits": 1,797 digits of scikit-learn, enlarged to 28x28; nothing is downloaded.
            "mnist": 70,000 digits, downloaded once by Keras.
            A path of an `.npz` file with `x_train` and, if wanted, `y_train`, `x_test` and
            `y_test`, or with one array; of an `.npy` file; of a folder of images, flat or
            with one subfolder per class. A folder called "digits" is "./digits".

    Raises:
        DataError: if there is no such source, or it holds no data that can be used.
        ImportError: if "digits" or a folder needs a package that is not installed.

    Example:
        >>> data = load("digits")
        >>> data.shape, len(data.train), len(data.validation), len(data.test)
        ((28, 28, 1), 1150, 288, 359)
    """
    if isinstance(source, str) and source in _NAMED:
        return _NAMED[source]()
    text = os.fspath(source)
    path = Path(source_of(text))
    if not text or not os.path.exists(path):
        raise DataError(f"There is no data {text!r}. Expected: {_EXPECTED}.")
    if os.path.isdir(path):
        return load_folder(path)
    reader = _FILES.get(path.suffix.lower())
    if reader is None or not os.path.isfile(path):
        raise DataError(f"{path} is not data that can be read. Expected: {_EXPECTED}.")
    return reader(path)


def source_of(source: str | os.PathLike[str]) -> str:
    """Return what a dataset of this source remembers as its source: a name, or an absolute path.

    Example:
        >>> source_of("digits"), source_of("/data/../images.npy")
        ('digits', '/images.npy')
    """
    if isinstance(source, str) and source in _NAMED:
        return source
    return os.path.abspath(os.path.expanduser(os.fspath(source)))
