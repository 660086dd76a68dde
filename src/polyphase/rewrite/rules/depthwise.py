"""A depthwise convolution absorbs nearest upsampling: every channel's kernel in phases.

`UpSampleDepthwiseConv2D` is the same operator, with the same kernel ("Upsample, then convolve" in
docs/mathematics.md), channel by channel. A separable convolution is a depthwise one and a 1x1
convolution of its result.
"""

from typing import Any

from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.forms import Conv, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Any:
    """Upsample and convolve as one."""
    value, conv = one.inputs[0], one.form
    if not isinstance(conv, Conv) or conv.way == "full" or not isinstance(value, Delayed):
        return None
    if not (value.copies and value.plain and conv.absorbs(value)):
        return None
    build.note(value.sources, f"absorbed by {one.name!r}", by=one.source)
    return build.upsampled(one, conv.way, value, conv.padding)
