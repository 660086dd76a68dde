"""A convolution absorbs the upsampling before it.

- `UpSampleConv2D` is the same operator (mathematics, section 3), with the same kernel.
- with a margin (nearest): zeros around the upsampled image are the convolution's own padding where
  they are as many; otherwise as many whole small pixels of zeros as they need, and what is too much
  is cut off the result: `Conv_valid` of a larger image, cut, is `Conv_valid` of the image. An
  activation and an activity regulariser see the larger image => only functions of single pixels,
  and no such regulariser.
"""

import operator
from typing import Any

from polyphase.algebra.geometry import padding_amounts
from polyphase.layers import kinds
from polyphase.rewrite.activations import pixelwise, watched
from polyphase.rewrite.build import Build, Form
from polyphase.rewrite.delayed import Delayed, Margin, both_ends, each
from polyphase.rewrite.recognise import absorbs


def apply(layer: Any, inputs: list[Any], build: Build) -> Any:
    """Upsample and convolve as one."""
    value = inputs[0]
    if not isinstance(value, Delayed) or not absorbs(layer, value):
        return None
    if value.plain:
        return _absorbed(layer, value, layer.padding, value.small, build)
    return _with_margin(layer, value, build)


def _absorbed(layer: Any, value: Delayed, padding: str, small: Any, build: Build) -> Any:
    build.note(value.sources, f"absorbed by {layer.name!r}")
    changes = {"size": value.size, "interpolation": value.interpolation, "padding": padding}
    kind = kinds.UPSAMPLED_CONVOLUTION.ours[len(value.size)]
    return build.call(layer, small, form=Form(kind, changes, ("strides",)))


def _with_margin(layer: Any, value: Delayed, build: Build) -> Any:
    same = _amounts(layer)
    zeros = value.margin
    if layer.padding == "same":
        if min(map(min, zeros)) < 0:
            return None
        zeros = each(operator.add, zeros, same)
    if zeros == same:
        return _absorbed(layer, value, "same", value.small, build)
    if watched(layer) or not pixelwise(layer.activation, layer.data_format):
        return None
    size = both_ends(value.size)
    pixels = each(lambda amount, s: max(0, -(-amount // s)), zeros, size)
    excess = each(lambda amount, whole, s: amount - whole * s, zeros, pixels, size)
    small = build.framed(value.small, pixels, value)
    return build.framed(_absorbed(layer, value, "valid", small, build), excess, value)


def _amounts(layer: Any) -> Margin:
    """Return the zeros that "same" would put around the image."""
    return tuple(
        padding_amounts(k, "same", rate)
        for k, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)
    )
