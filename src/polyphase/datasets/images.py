"""Images with their labels, and the three sets that an experiment needs."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from polyphase.datasets.errors import DataError
from polyphase.datasets.storage import gathered, slices

MINIMUM_IMAGES = 10


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """A set of images of one size.

    Attributes:
        pixels: `(n, height, width, channels)` float32 in 0..1, channels 1 (grey) or 3 (RGB).
        labels: n texts; `""` where the class is unknown.

    Raises:
        DataError: if `pixels` has other axes or another dtype, or the lengths differ.

    Example:
        >>> Images(np.zeros((2, 4, 6, 1), "float32"), ("cat", "dog"))
        Images(count=2, height=4, width=6, channels=1)
    """

    pixels: np.ndarray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.dtype != np.float32:
            raise DataError(
                "`pixels` must be float32 with the axes (n, height, width, channels). "
                f"Received: {self.pixels.dtype} {self.pixels.shape}."
            )
        if len(self.labels) != len(self.pixels):
            raise DataError(
                "Every image needs one label ('' where it is unknown). "
                f"Received: {len(self.pixels)} images and {len(self.labels)} labels."
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        count, height, width, channels = self.pixels.shape
        return f"Images(count={count}, height={height}, width={width}, channels={channels})"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images for training, validation and testing, all of one size.

    Attributes:
        name: a short name, such as "digits".
        source: what `load` takes to return the same data again: a name such as "digits", or an
            absolute path.
        train: the images to train on.
        validation: the images with which the training is watched.
        test: images that the training never sees.
        sha256: hex digest of all pixels (float32, little-endian; train, validation, test).
            Equal digests mean equal images in equal sets, so that a run can be repeated.
        size: the size to which the images were resized, "HEIGHTxWIDTH"; None: not resized.
        grey: whether they were made grey.
    """

    name: str
    source: str
    train: Images
    validation: Images
    test: Images
    sha256: str
    size: str | None = None
    grey: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of every image."""
        _, height, width, channels = self.train.pixels.shape
        return height, width, channels


def assemble(name: str, source: str, images: Images, test: Images | None = None) -> Dataset:
    """Return the dataset: the images, split into train, validation and test.

    1. If there is no test set, `n // 5` images, drawn with a fixed seed, become the test set. The
       others stay in the drawn order.
    2. The last fifth of the rest is the validation set, as with `validation_split=0.2`.

    Args:
        name: see `Dataset`.
        source: see `Dataset`.
        images: the images to train and validate with, and to test with if `test` is None.
        test: the source's own test set.

    Raises:
        DataError: if there are fewer than 10 images, or the test images have another shape.

    Example:
        >>> pixels = np.linspace(0, 1, 10, dtype="float32").reshape(10, 1, 1, 1)
        >>> d = assemble("ramp", "ramp", Images(pixels, tuple("abcdefghij")))
        >>> len(d.train), len(d.validation), len(d.test), d.shape
        (6, 2, 2, (1, 1, 1))
    """
    check_count(len(images), source)
    if test is None:
        order = np.random.default_rng(0).permutation(len(images))
        fifth = len(images) // 5
        images, test = _take(images, order[fifth:]), _take(images, order[:fifth])
    elif test.pixels.shape[1:] != images.pixels.shape[1:]:
        raise DataError(
            f"The training and test images of {source} must have the same height, width and "
            f"channels. Received: {images.pixels.shape[1:]} to train and "
            f"{test.pixels.shape[1:]} to test."
        )
    middle = keras_split(len(images))
    train = Images(images.pixels[:middle], images.labels[:middle])
    validation = Images(images.pixels[middle:], images.labels[middle:])
    return digested(name, source, train, validation, test)


def digested(name: str, source: str, train: Images, validation: Images, test: Images) -> Dataset:
    """Return the dataset of three sets, with the digest of their pixels."""
    sha256 = _digest(part.pixels for part in (train, validation, test))
    return Dataset(name, source, train, validation, test, sha256)


def keras_split(count: int) -> int:
    """Return how many of `count` images Keras trains on with `validation_split=0.2`.

    Exactness: the same floating-point arithmetic as Keras'.

    Example:
        >>> keras_split(60_000), keras_split(1438)
        (48000, 1150)
    """
    return math.floor(count * (1.0 - 0.2))


def check_count(count: int, source: str) -> None:
    """Raise `DataError` unless there are enough images for three sets."""
    if count < MINIMUM_IMAGES:
        raise DataError(
            f"At least {MINIMUM_IMAGES} images are needed to train, to validate and to test. "
            f"Received: {count} in {source}. Add images."
        )


def _take(images: Images, order: np.ndarray) -> Images:
    shape = (len(order), *images.pixels.shape[1:])
    pixels = gathered(shape, (images.pixels[order[part]] for part in slices(shape)))
    return Images(pixels, tuple(images.labels[i] for i in order))


def _digest(parts: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for pixels in parts:
        digest.update(np.ascontiguousarray(pixels, dtype="<f4").data)
    return digest.hexdigest()


def eight_bits(image: np.ndarray) -> np.ndarray:
    """Return an image in 0..1 as grey levels of 255; what is no number is black."""
    return np.clip(np.nan_to_num(image) * 255 + 0.5, 0, 255).astype("uint8")
