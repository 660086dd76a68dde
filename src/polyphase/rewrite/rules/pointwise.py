"""Functions of single pixels go before nearest upsampling.

`U` copies pixels, so `f(U x) = U f(x)` for every `f` that computes a pixel from that pixel, of one
image or of several that are upsampled alike. An affine `f` of one channel goes before every
interpolation, because its rows sum to 1: `a (R x) + b = R (a x + b)`. A function without weights of
channels that are concatenated is applied to each part.
"""

from dataclasses import replace
from typing import Any

from keras import layers

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, Joined

_UNARY = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU)
_POINTWISE = (*_UNARY, layers.PReLU, layers.Multiply, layers.Maximum, layers.Minimum)


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | Joined | None:
    """Apply the function to the small image, or to every part."""
    if type(layer) in _UNARY and isinstance(inputs[0], Joined):
        return _parts(layer, inputs[0], build)
    if type(layer) not in (*_POINTWISE, layers.Rescaling):
        return None
    if not all(isinstance(value, Delayed) for value in inputs):
        return None
    first, *others = inputs
    if any(one.way != first.way for one in others) or not _fits(layer, first):
        return None
    small = [value.small for value in inputs]
    return first.holding(build.call(layer, small if others else small[0]), layer, *others)


def _parts(layer: Any, value: Joined, build: Build) -> Joined | None:
    if not all(_fits(layer, part) for part in value.delayed) or _mixes_channels(layer):
        return None
    parts = tuple(
        part.holding(build.call(layer, part.small), layer)
        if isinstance(part, Delayed)
        else build.call(layer, part)
        for part in value.parts
    )
    return replace(value, parts=parts, layer=layer, whole=[])


def _fits(layer: Any, value: Delayed) -> bool:
    if not value.plain:
        return False
    affine = isinstance(layer, layers.Rescaling) or _activation(layer) == "linear"
    if isinstance(layer, layers.PReLU):
        spatial = {1, 2} if value.data_format == "channels_last" else {2, 3}
        return value.copies and spatial <= set(layer.shared_axes or ())
    if _mixes_channels(layer) and value.data_format != "channels_last":
        return False
    return affine or value.copies


def _mixes_channels(layer: Any) -> bool:
    """Return whether an activation computes over the last axis."""
    return "softmax" in _activation(layer)


def _activation(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))
