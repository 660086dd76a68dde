"""A convolution absorbs the upsampling before it.

- `UpSampleConv2D` is the same operator, with the same kernel ("Upsample, then convolve" in
  docs/mathematics.md).
- with a margin (nearest): zeros around the upsampled image are the convolution's own padding where
  they are as many; otherwise as many whole small pixels of zeros as they need, and what is too much
  is cut off the result: `Conv_valid` of a larger image, cut, is `Conv_valid` of the image. An
  activation and an activity regulariser see the larger image => only functions of single pixels,
  and no such regulariser.
"""

import operator
from dataclasses import replace
from typing import Any

from polyphase.algebra.geometry import padding_amounts
from polyphase.rewrite.delayed import Delayed, Margin, both_ends, each
from polyphase.rewrite.forms import Conv, Opaque, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Any:
    """Upsample and convolve as one."""
    value, conv = one.inputs[0], one.form
    if not isinstance(conv, Conv) or conv.way != "full" or not isinstance(value, Delayed):
        return None
    if not (conv.absorbs(value) and build.absorbs(value)):
        return None
    if value.plain:
        return _absorbed(one, value, conv.padding, value.small, build)
    return _with_margin(one, conv, value, build)


def _absorbed(one: Operation, value: Delayed, padding: str, small: Any, build: Writer) -> Any:
    build.note(value.sources, f"absorbed by {one.name!r}", by=one.source)
    return build.upsampled(one, "full", replace(value, small=small), padding)


def _with_margin(one: Operation, conv: Conv, value: Delayed, build: Writer) -> Any:
    same = _amounts(conv)
    zeros = value.margin
    if conv.padding == "same":
        if min(map(min, zeros)) < 0:
            return None
        zeros = each(operator.add, zeros, same)
    if zeros == same:
        return _absorbed(one, value, "same", value.small, build)
    if one.watched or isinstance(conv.activation, Opaque) or not conv.activation.within(value):
        return None
    size = both_ends(value.size)
    pixels = each(lambda amount, s: max(0, -(-amount // s)), zeros, size)
    excess = each(lambda amount, whole, s: amount - whole * s, zeros, pixels, size)
    small = build.framed(value.small, pixels, value)
    return build.framed(_absorbed(one, value, "valid", small, build), excess, value)


def _amounts(conv: Conv) -> Margin:
    """Return the zeros that "same" would put around the image."""
    return tuple(
        padding_amounts(k, "same", rate)
        for k, rate in zip(conv.kernel_size, conv.dilation, strict=True)
    )
