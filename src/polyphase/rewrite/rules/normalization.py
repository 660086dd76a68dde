"""Normalisation goes before nearest upsampling, and batch normalisation at inference before any.

Nearest repeats every pixel equally often, so that mean and variance, of a batch or of one image,
are those of the small images. At inference batch normalisation is an affine map per channel, and
the rows of every interpolation sum to 1. In training it does not commute with the others: they
change the variance.
"""

from typing import Any

from keras import layers

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | None:
    """Normalise the small image."""
    value = inputs[0]
    if not isinstance(value, Delayed) or not value.plain or not _fits(layer, value, build):
        return None
    return value.holding(build.call(layer, value.small), layer)


def _fits(layer: Any, value: Delayed, build: Build) -> bool:
    if type(layer) is layers.BatchNormalization:
        fixed = build.inference or not layer.trainable
        return value.channels(layer.axis) and (fixed or value.copies)
    if type(layer) is layers.GroupNormalization:
        return value.channels(layer.axis) and value.copies
    if type(layer) is layers.LayerNormalization:
        axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
        return [value.channels(one) for one in axis] == [True] and value.copies
    return False
