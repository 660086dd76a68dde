"""A depthwise convolution absorbs nearest upsampling: every channel's kernel in phases.

`UpSampleDepthwiseConv2D` is the same operator, with the same kernel: section 3 of the mathematics,
channel by channel. A separable convolution is a depthwise one and a 1x1 convolution of its result.
"""

from typing import Any

from polyphase.layers import kinds
from polyphase.rewrite.build import Build, Form
from polyphase.rewrite.delayed import Delayed

_UPSAMPLED = {
    kind.convolution: kind for kind in (kinds.UPSAMPLED_DEPTHWISE, kinds.UPSAMPLED_SEPARABLE)
}


def apply(layer: Any, inputs: list[Any], build: Build) -> Any:
    """Upsample and convolve as one."""
    value, kind = inputs[0], _UPSAMPLED.get(kinds.exact(layer))
    if kind is None or not isinstance(value, Delayed) or not (value.copies and value.plain):
        return None
    if set(layer.strides) != {1} or layer.data_format != value.data_format:
        return None
    build.note(value.sources, f"absorbed by {layer.name!r}")
    form = Form(kind.ours[len(layer.strides)], {"size": value.size}, ("strides",))
    return build.call(layer, value.small, form=form)
