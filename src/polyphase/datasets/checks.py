"""Turn arrays from anywhere into pixels and labels, or refuse them with a reason."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from polyphase.datasets.errors import DataError
from polyphase.datasets.storage import gathered, slices

MAXIMUM_BYTES = 64 * 2**30


def as_pixels(array: np.ndarray, what: str) -> np.ndarray:
    """Return images as `(n, height, width, channels)` float32 in 0..1.

    Exactness: uint8 becomes `x.astype(float32) / 255`, uint16 `x.astype(float32) / 65535`,
    whatever their values; floats are rounded to float32.

    Args:
        array: `(n, height, width)`, or with a last axis of 1 or 3 channels; uint8, uint16, bool,
            or floats in 0..1.
        what: where the array comes from, for the messages.

    Raises:
        DataError: for any other shape, dtype or range, for NaN and infinity, for no images.

    Example:
        >>> as_pixels(np.array([[[0, 51, 255]]], dtype="uint8"), "x")[..., 0]
        array([[[0. , 0.2, 1. ]]], dtype=float32)
    """
    array = _with_channels(array, what)
    if array.size == 0:
        raise DataError(f"{what} is empty. Received: shape {array.shape}. Give images.")
    if array.dtype.kind == "f":
        _check_range(array, what)
    elif array.dtype.kind + str(array.dtype.itemsize) not in ("u1", "u2", "b1"):
        raise DataError(
            f"{what} must be uint8, uint16, bool, or floats in 0..1. Received: {array.dtype}. "
            "Convert it, for example with x.astype('uint8') if its values are 0..255."
        )
    scale = np.float32(2 ** (8 * array.dtype.itemsize) - 1 if array.dtype.kind == "u" else 1)
    return gathered(array.shape, (array[s].astype(np.float32) / scale for s in slices(array.shape)))


def as_labels(array: np.ndarray | None, count: int, what: str) -> tuple[str, ...]:
    """Return `count` labels as texts; `""` for each if there are none.

    Args:
        array: `(count,)` or `(count, 1)`, integers or texts; or None.
        count: the number of images.
        what: where the array comes from, for the messages.

    Raises:
        DataError: for another dtype, shape or length.

    Example:
        >>> as_labels(np.array([7, 2]), 2, "y")
        ('7', '2')
    """
    if array is None:
        return ("",) * count
    if array.dtype.kind not in "iuU":
        raise DataError(
            f"{what} must be integers or texts. Received: {array.dtype}. "
            "Convert it, for example with y.astype(int) or y.astype(str)."
        )
    if array.shape not in ((count,), (count, 1)):
        raise DataError(
            f"{what} must have one label for each of the {count} images. "
            f"Received: shape {array.shape}. Give shape ({count},)."
        )
    return tuple(str(label) for label in array.reshape(-1))


def check_bytes(size: int, what: str) -> None:
    """Raise `DataError` if a size in bytes exceeds 64 GiB.

    Call it with what a header declares, before anything of that size is read.
    """
    if size > MAXIMUM_BYTES:
        raise DataError(
            f"{what} would need {size / 2**30:.1f} GiB. At most "
            f"{MAXIMUM_BYTES / 2**30:.0f} GiB are read. Give fewer or smaller images."
        )


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turn any failure of a decoder into one `DataError` that names the file.

    Decoders of unknown files fail in too many ways to list (zlib, tokenize, struct, recursion). In
    every case the file is the cause.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{what} cannot be read: {one_line(error)}. Replace the file.") from error


def one_line(error: Exception) -> str:
    """Return an error's message on one line, without a full stop; its type if it has none."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _with_channels(array: np.ndarray, what: str) -> np.ndarray:
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[-1] in (1, 3):
        return array
    raise DataError(
        f"{what} must have the axes (n, height, width) or (n, height, width, channels) with "
        f"1 or 3 channels. Received: shape {array.shape}. Move a channel axis to the end with "
        "np.moveaxis(x, 1, -1); drop an alpha channel with x[..., :-1]."
    )


def _check_range(array: np.ndarray, what: str) -> None:
    low, high = math.inf, -math.inf
    for part in slices(array.shape):
        finite = np.isfinite(array[part]).all(axis=(1, 2, 3))
        if not finite.all():
            raise DataError(
                f"{what} must be finite. Received: NaN or infinity, first in image "
                f"{part.start + int(np.argmin(finite))}. Leave out or mend such images."
            )
        low = min(low, float(array[part].min()))
        high = max(high, float(array[part].max()))
    if low < 0 or high > 1:
        raise DataError(
            f"{what} has floats, so they must lie in 0..1. Received: values in {low:g}..{high:g}. "
            "Rescale them, for example divide by 255."
        )
