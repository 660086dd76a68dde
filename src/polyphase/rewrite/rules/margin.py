"""Zeros around an image that nearest upsamples, or a border cut off it, wait with it.

Whole pixels of the small image are cut there at once: `crop_{s*m} U = U crop_m`. The rest, and
zeros, are remembered as a margin, which the next convolution absorbs: zero-padding the small
image and upsampling it is the same as upsampling it and zero-padding. Zeros after a cut are not
a smaller cut => not remembered.
"""

import operator
from dataclasses import replace
from typing import Any

from polyphase.layers import kinds
from polyphase.rewrite import frames
from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, both_ends, each
from polyphase.rewrite.recognise import same_dtype


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | None:
    """Add to the margin."""
    value = inputs[0]
    kind = kinds.exact(layer)
    if kind not in (kinds.ZERO_PADDING, kinds.CROPPING):
        return None
    data_format = getattr(layer, "data_format", "channels_last")  # Keras' Cropping1D
    if not isinstance(value, Delayed) or not value.copies or data_format != value.data_format:
        return None
    if not same_dtype(layer, value.small):
        return None
    amounts = frames.amounts(layer)
    if kind is kinds.CROPPING:
        amounts = each(operator.neg, amounts)
    elif min(map(min, value.margin)) < 0:
        return None
    margin, size = each(operator.add, value.margin, amounts), both_ends(value.size)
    pixels = each(lambda amount, s: -(max(0, -amount) // s), margin, size)
    rest = each(lambda amount, whole, s: amount - whole * s, margin, pixels, size)
    small = build.framed(value.small, pixels, value)
    return replace(value, small=small, margin=rest, name=layer.name, whole=[])
