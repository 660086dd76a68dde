"""Functions of single pixels go before nearest upsampling.

`U` copies pixels, so `f(U x) = U f(x)` for every `f` that computes a pixel from that pixel, of one
image or of several that are upsampled alike. An affine `f` that is the same for all pixels goes
before every interpolation, because its rows sum to 1: `a (R x) + b = R (a x + b)`. A function of
single numbers, of channels that are concatenated, is applied to each part.
"""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

from polyphase.rewrite.activations import elementwise, linear, pixelwise
from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, Joined

_MERGES = (layers.Multiply, layers.Maximum, layers.Minimum)


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | Joined | None:
    """Apply the function to the small image, or to every part."""
    if isinstance(inputs[0], Joined):
        return _parts(layer, inputs[0], build)
    if not all(isinstance(value, Delayed) for value in inputs):
        return None
    first, *others = inputs
    alike = first.plain and all(one.way == first.way for one in others)
    if not alike or not _fits(layer, first):
        return None
    small = [value.small for value in inputs]
    together = type(layer) in _MERGES
    return first.holding(build.call(layer, small if together else small[0]), layer, *others)


def _parts(layer: Any, value: Joined, build: Build) -> Joined | None:
    if not elementwise(layer) or not all(_fits(layer, part) for part in value.delayed):
        return None
    parts = tuple(
        part.holding(build.call(layer, part.small), layer)
        if isinstance(part, Delayed)
        else build.call(layer, part)
        for part in value.parts
    )
    return replace(value, parts=parts, layer=layer, whole=[])


def _fits(layer: Any, value: Delayed) -> bool:
    if type(layer) is layers.Rescaling:
        return _same_everywhere(layer, value)
    if type(layer) is layers.PReLU:
        return value.copies and set(value.space) <= set(layer.shared_axes or ())
    if type(layer) in _MERGES:
        return value.copies
    return linear(layer) or (value.copies and pixelwise(layer, value.data_format))


def _same_everywhere(layer: Any, value: Delayed) -> bool:
    """Return whether scale and offset are one number each, or one per channel."""
    dims = len(value.size) + 2
    scale, offset = np.shape(layer.scale), np.shape(layer.offset)
    if scale and keras.config.image_data_format() == "channels_first":
        scale = (*scale, *[1] * (3 - len(scale)))  # as the layer shapes it
    shapes = [(*[1] * (dims - len(shape)), *shape) for shape in (scale, offset)]
    return all(
        len(shape) == dims and all(shape[axis] == 1 for axis in value.space) for shape in shapes
    )
