"""Bring images of any size and colour to one size, or to grey."""

import re
from dataclasses import replace

import numpy as np

from polyphase.datasets.checks import check_bytes
from polyphase.datasets.errors import DataError
from polyphase.datasets.images import Dataset, Images, digested
from polyphase.datasets.optional import import_workbench
from polyphase.datasets.storage import gathered

Size = int | str | tuple[int, int]
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def size_of(size: Size | None) -> str | None:
    """Return what a dataset keeps as its size: "HEIGHTxWIDTH", or None.

    Example:
        >>> size_of(28), size_of("28"), size_of((28, 40)), size_of(None)
        ('28x28', '28x28', '28x40', None)
    """
    return None if size is None else "x".join(map(str, sides_of(size)))


def sides_of(size: Size) -> tuple[int, int]:
    """Return `(height, width)` of what a user gives as a size.

    Raises:
        DataError: unless it is one or two integers in 1..99999.
    """
    text = "x".join(map(str, size)) if isinstance(size, tuple) else str(size)
    sides = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text, re.ASCII)
    if sides is None:
        raise DataError(
            "A size is one number of pixels for both sides, or HEIGHTxWIDTH, such as 28 or 28x40; "
            f"each number is 1 to 99999. Received: {text[:40]!r}."
        )
    return int(sides[1]), int(sides[2] or sides[1])


def fitted(dataset: Dataset, sides: tuple[int, int] | None, grey: bool) -> Dataset:
    """Return a dataset whose images have this height and width, and are grey if wanted.

    Raises:
        DataError: if they would need more than 64 GiB.
        ImportError: if Pillow is not installed and an image must be resized.
    """
    parts = (dataset.train, dataset.validation, dataset.test)
    *old, channels = dataset.shape
    shape = (*(sides or old), 1 if grey else channels)
    check_bytes(4 * sum(map(len, parts)) * int(np.prod(shape)), dataset.source)
    if shape != dataset.shape:
        train, validation, test = (
            Images(
                gathered((len(part), *shape), (fit(one, sides, grey)[None] for one in part.pixels)),
                part.labels,
            )
            for part in parts
        )
        dataset = digested(dataset.name, dataset.source, train, validation, test)
    return replace(dataset, size=size_of(sides), grey=grey)


def fit(image: np.ndarray, sides: tuple[int, int] | None, grey: bool) -> np.ndarray:
    """Return an image cropped and resized, and grey if wanted.

    1. Grey is luma, 0.299 red + 0.587 green + 0.114 blue.
    2. Crop about the centre to the new aspect ratio, by whole pixels. An image that then has the
       new size keeps its values.
    3. Resize by Pillow's Lanczos. Its kernel widens as the image shrinks, so that detail that is
       too fine for the new size is averaged and not aliased.
    4. Clip to 0..1, because Lanczos overshoots at edges.

    Args:
        image: `(height, width, channels)` float32 in 0..1, channels 1 or 3.
        sides: new height and width in pixels; None keeps them.
        grey: whether to return one channel.

    Returns:
        `(*sides, channels)`, or `(*sides, 1)` if `grey`, float32 in 0..1.

    Example:
        >>> fit(np.full((4, 9, 3), 0.5, "float32"), (2, 3), grey=True)[..., 0]
        array([[0.5, 0.5, 0.5],
               [0.5, 0.5, 0.5]], dtype=float32)
    """
    if grey and image.shape[-1] == 3:
        luma = sum(weight * image[..., i].astype(np.float64) for i, weight in enumerate(_LUMA))
        image = np.asarray(luma, np.float32)[..., None]
    if sides is not None:
        image = _resize(_crop(image, *sides), *sides)
    return np.clip(image, 0, 1)


def _crop(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the largest part about the centre with nearly this aspect ratio."""
    old_height, old_width, _ = image.shape
    new_height = min(old_height, max(1, round(old_width * height / width)))
    new_width = min(old_width, max(1, round(old_height * width / height)))
    top, left = (old_height - new_height) // 2, (old_width - new_width) // 2
    return image[top : top + new_height, left : left + new_width]


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    pillow = import_workbench("PIL.Image", "Pillow", "Resizing")
    channels = [
        pillow.fromarray(np.ascontiguousarray(image[..., i])).resize(
            (width, height), pillow.Resampling.LANCZOS
        )
        for i in range(image.shape[-1])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)
