"""A 1x1 convolution goes before the upsampling: it mixes channels, the upsampling mixes pixels.

Both are linear and the rows of the upsampling sum to 1, so that the bias passes too: `C R x + b =
R (C x + b)`. An activation that computes a pixel from that pixel passes nearest only.
"""

from dataclasses import replace

from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.forms import Conv, Opaque, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | None:
    """Convolve the small image."""
    value, conv = one.inputs[0], one.form
    if not isinstance(conv, Conv) or not isinstance(value, Delayed):
        return None
    if not (value.plain and conv.pointwise) or conv.data_format != value.data_format:
        return None
    if isinstance(conv.activation, Opaque) or not conv.activation.passes(value):
        return None
    build.note(value.sources, f"delayed until after the 1x1 convolution {one.name!r}")
    mixed = value.holding(build.again(one, value.small), one.name)
    return replace(mixed, crossed=())  # that was worth it
