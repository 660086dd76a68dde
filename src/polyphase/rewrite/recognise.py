"""What Keras' layers and operations compute on the backend in use, in our terms."""

import functools
from typing import Any

import keras
import numpy as np

from polyphase.ops.plans import Upsampling

_SMOOTH = ("bilinear", "bicubic", "lanczos3", "lanczos5")
# Keras on PyTorch has another bicubic kernel and no Lanczos.
_KERAS_SMOOTH = {"jax": _SMOOTH, "tensorflow": _SMOOTH, "torch": ("bilinear",)}


def keras_agrees(interpolation: str, size: tuple[Any, ...]) -> bool:
    """Return whether Keras' resize computes the formula on the backend in use.

    Nearest at integers. The others of images, where coordinates are exact in float32: at powers of
    two.
    """
    plan = Upsampling(size, interpolation)
    if interpolation == "nearest":
        return plan.integer
    known = _KERAS_SMOOTH[keras.backend.backend()] if len(size) == 2 else ()
    return plan.dyadic and interpolation in known


def keras_means(interpolation: str, size: tuple[Any, ...]) -> bool:
    """Return whether Keras' resize is the formula, but for its rounding of coordinates.

    Bilinear by integers too: Keras' coordinates are off by up to `side` x 1e-7 pixels, and so is an
    interpolation that is continuous. Ours are exact.
    """
    bilinear = interpolation == "bilinear" and len(size) == 2
    return keras_agrees(interpolation, size) or (bilinear and Upsampling(size, "bilinear").integer)


@functools.cache
def keras_order(data_format: str) -> str:
    """Return the order of the channels that `keras.ops.depth_to_space` takes: "dcr" or "crd".

    Asked of the operation itself: Keras' documentation does not say, and its backends differ.

    Example:
        >>> keras_order("channels_last")
        'dcr'
    """
    probe = np.arange(8.0, dtype="float32").reshape(_pixel(data_format, 8))
    woven = keras.ops.convert_to_numpy(keras.ops.depth_to_space(probe, 2, data_format))
    corner = woven.reshape(2, 2, 2)
    second = corner[0, 0, 1] if data_format == "channels_last" else corner[1, 0, 0]
    return "dcr" if second == 1 else "crd"


def _pixel(data_format: str, channels: int) -> tuple[int, ...]:
    """Return the shape of an image of one pixel."""
    return (1, 1, 1, channels) if data_format == "channels_last" else (1, channels, 1, 1)
