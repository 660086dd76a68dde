"""Load images: digits, stacked digits, photographs, MNIST, CIFAR-10, a folder, an array file."""

import os
from pathlib import Path

from polyphase.datasets.arrays import load_npy, load_npz
from polyphase.datasets.cifar10 import load_cifar10
from polyphase.datasets.digits import load_digits
from polyphase.datasets.errors import DataError
from polyphase.datasets.fitting import Size, fitted, sides_of, size_of
from polyphase.datasets.floor import entropy_floor
from polyphase.datasets.folder import load_folder
from polyphase.datasets.images import Dataset, Images
from polyphase.datasets.mnist import load_mnist
from polyphase.datasets.photographs import load_photographs
from polyphase.datasets.stacked_digits import load_stacked_digits

__all__ = ["DataError", "Dataset", "Images", "entropy_floor", "load", "size_of", "source_of"]

_NAMED = {
    "digits": load_digits,
    "stacked-digits": load_stacked_digits,
    "photographs": load_photographs,
    "mnist": load_mnist,
    "cifar10": load_cifar10,
}
_FILES = {".npz": load_npz, ".npy": load_npy}
_EXPECTED = (
    f"{', '.join(map(repr, _NAMED))}, or the path of an .npz file, an .npy file or a folder of "
    "images"
)


def load(source: str | os.PathLike[str], size: Size | None = None, grey: bool = False) -> Dataset:
    """Return images to train, validate and test with; the same images each time.

    Validation images are the last fifth of the training images, as with Keras'
    `validation_split=0.2`. If a source has no test set, a fifth of its images, drawn with a fixed
    seed, becomes the test set. A set of more than 256 MiB is a read-only array in a temporary file,
    so it may be larger than memory.

    Args:
        source: one of
            "digits": 1,797 digits of 8x8 pixels from scikit-learn, enlarged to 28x28; nothing is
            downloaded.
            "stacked-digits": 8,000 images, 28x28 in colour, of three of these digits each.
            "photographs": 973 patches, 32x32 in colour, of two photographs from scikit-learn.
            "mnist": 70,000 digits, 28x28, downloaded once by Keras.
            "cifar10": 60,000 images, 32x32 in colour, downloaded once by Keras.
            The path of an `.npz` file with `x_train` and, if wanted, `y_train`, `x_test` and
            `y_test`, or with one array; of an `.npy` file; or of a folder of images, flat or
            with one subfolder per class. For a folder called "digits" write "./digits".
        size: pixels of both sides, `(height, width)`, or a text such as "28" or "28x40". All images
            are cropped about their centre to that aspect ratio and resized by Lanczos; the images
            of a folder may then have different sizes.
        grey: make all images grey: 0.299 red + 0.587 green + 0.114 blue.

    Raises:
        DataError: if there is no such source, if it holds no usable data, or if the size is not
            one of these.
        ImportError: if a package that is needed (scikit-learn, Pillow) is not installed.

    Example:
        >>> data = load("digits")
        >>> data.shape, len(data.train), len(data.validation), len(data.test)
        ((28, 28, 1), 1150, 288, 359)
        >>> load("photographs", size=28, grey=True).shape
        (28, 28, 1)
    """
    sides = None if size is None else sides_of(size)
    return fitted(_loaded(source, sides, grey), sides, grey)


def _loaded(source: str | os.PathLike[str], sides: tuple[int, int] | None, grey: bool) -> Dataset:
    """Return the dataset of a source; of a folder, which may need it, fitted already."""
    if isinstance(source, str) and source in _NAMED:
        return _NAMED[source]()
    text = os.fspath(source)
    path = Path(source_of(text))
    if not text or not os.path.exists(path):
        raise DataError(f"There is no data {text!r}. Expected: {_EXPECTED}.")
    if os.path.isdir(path):
        return load_folder(path, sides, grey)
    reader = _FILES.get(path.suffix.lower())
    if reader is None or not os.path.isfile(path):
        raise DataError(f"{path} is not data that can be read. Expected: {_EXPECTED}.")
    return reader(path)


def source_of(source: str | os.PathLike[str]) -> str:
    """Return what a dataset keeps as its source: a name, or an absolute path.

    Example:
        >>> source_of("digits"), source_of("/data/../images.npy")
        ('digits', '/images.npy')
    """
    if isinstance(source, str) and source in _NAMED:
        return source
    return os.path.abspath(os.path.expanduser(os.fspath(source)))
