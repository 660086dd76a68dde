"""Zeros around an image that nearest upsamples, or a border cut off it, wait with it.

Whole pixels of the small image are cut there at once: `crop_{s*m} U = U crop_m`. The rest, and
zeros, are remembered as a margin, which the next convolution absorbs: zero-padding the small
image and upsampling it is the same as upsampling it and zero-padding. Zeros after a cut are not
a smaller cut => not remembered.
"""

import operator
from dataclasses import replace

from polyphase.rewrite.delayed import Delayed, both_ends, each
from polyphase.rewrite.forms import Operation, Pad
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | None:
    """Add to the margin."""
    value, pad = one.inputs[0], one.form
    if not isinstance(pad, Pad) or not isinstance(value, Delayed) or not value.copies:
        return None
    if pad.data_format != value.data_format or not one.keeps_dtype(value.small):
        return None
    if min(map(min, value.margin)) < 0 < max(map(max, pad.amounts)):
        return None
    margin, size = each(operator.add, value.margin, pad.amounts), both_ends(value.size)
    pixels = each(lambda amount, s: -(max(0, -amount) // s), margin, size)
    rest = each(lambda amount, whole, s: amount - whole * s, margin, pixels, size)
    small = build.framed(value.small, pixels, value)
    return replace(value, small=small, margin=rest, name=one.name, moved=True, whole=[])
