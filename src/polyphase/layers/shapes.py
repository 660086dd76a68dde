"""Shapes of upsampled images, for layers to compute theirs from."""

from typing import Any

from polyphase.algebra.geometry import upsampled_length
from polyphase.ops import axes


def upsampled(shape: Any, size: tuple[Any, Any], data_format: str) -> tuple[Any, ...]:
    """Return the shape of images after upsampling; unknown sides stay unknown.

    Example:
        >>> upsampled((None, 5, None, 3), (2, 1.5), "channels_last")
        (None, 10, None, 3)
    """
    sides = list(shape)
    for axis, one in zip(axes.spatial(data_format), size, strict=True):
        if sides[axis] is not None:
            sides[axis] = upsampled_length(sides[axis], one)
    return tuple(sides)
