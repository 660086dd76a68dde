"""A 1x1 convolution goes before the upsampling: it mixes channels, the upsampling mixes pixels.

Both are linear and the rows of the upsampling sum to 1, so that the bias passes too: `C R x + b =
R (C x + b)`. An activation that computes a pixel from that pixel passes nearest only.
"""

from typing import Any

from polyphase.layers import kinds
from polyphase.rewrite.activations import linear, pixelwise
from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | None:
    """Convolve the small image."""
    value = inputs[0]
    if kinds.exact(layer) is not kinds.CONVOLUTION or not isinstance(value, Delayed):
        return None
    if not value.plain or set(layer.strides) != {1} or set(layer.kernel_size) != {1}:
        return None
    if layer.data_format != value.data_format:
        return None
    passes = value.copies and pixelwise(layer.activation, layer.data_format)
    if not (passes or linear(layer.activation)):
        return None
    build.note(value.sources, f"delayed until after the 1x1 convolution {layer.name!r}")
    return value.holding(build.call(layer, value.small), layer)
