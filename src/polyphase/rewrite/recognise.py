"""What Keras' layers and operations compute on the backend in use, in our terms."""

import functools
from typing import Any

import keras
import numpy as np

from polyphase.layers import kinds
from polyphase.ops.plans import Upsampling
from polyphase.rewrite.activations import watched
from polyphase.rewrite.delayed import Delayed, Joined, both_ends

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


def upsampling(layer: Any, small: Any = None) -> Delayed | None:
    """Return what an upsampling layer does to a tensor; None for other layers.

    Recognised: `UpSampling1D`, `2D` and `3D` of Keras, where their numbers are the formula's, and
    ours; `Resizing` by integer factors, where it neither crops nor pads. Not where a loss is
    computed of its result. Within a TimeDistributed too.
    """
    name, per_step, layer = layer.name, kinds.inner(layer) is not layer, kinds.inner(layer)
    if watched(layer):
        return None
    kind = kinds.exact(layer)
    if kind is kinds.RESIZING and not per_step:
        size = _factors(layer, small)
    elif kind is kinds.UPSAMPLING:
        size = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    else:
        size = None
    if size is None:
        return None
    interpolation = getattr(layer, "interpolation", "nearest")  # Keras' of signals, of volumes
    data_format = getattr(layer, "data_format", "channels_last")  # of signals
    if getattr(layer, "align_corners", False):
        return None
    if not kinds.is_ours(layer) and not keras_agrees(interpolation, size):
        return None
    margin = both_ends((0,) * len(size))
    return Delayed(small, size, interpolation, data_format, (name,), name, margin, per_step)


def absorbs(layer: Any, value: Delayed | Joined) -> bool:
    """Return whether a layer is a convolution of Keras' that ours, which upsample first, have."""
    return (
        kinds.exact(layer) is kinds.CONVOLUTION
        and set(layer.strides) == {1}
        and layer.padding in ("same", "valid")
        and layer.data_format == value.data_format
    )


def same_dtype(layer: keras.Layer, tensor: Any) -> bool:
    """Return whether a layer computes in its input's dtype, so that no cast is left out."""
    return bool(keras.backend.standardize_dtype(tensor.dtype) == layer.compute_dtype)


def _factors(layer: keras.layers.Resizing, small: Any) -> tuple[int, int] | None:
    """Return the integer factors of a Resizing of this tensor, if that is what it does."""
    if small is None or layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        return None
    first = 1 if layer.data_format == "channels_last" else 2
    sides = small.shape[first : first + 2]
    if len(small.shape) != 4 or None in sides:
        return None
    wanted = (layer.height, layer.width)
    if any(out % side for out, side in zip(wanted, sides, strict=True)):
        return None
    return wanted[0] // sides[0], wanted[1] // sides[1]
