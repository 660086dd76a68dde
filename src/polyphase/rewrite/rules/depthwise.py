"""A depthwise convolution absorbs nearest upsampling: every channel's kernel in phases.

`UpSampleDepthwiseConv2D` is the same operator, with the same kernel: section 3 of the mathematics,
channel by channel. A separable convolution is a depthwise one and a 1x1 convolution of its result.
"""

from typing import Any

from keras import layers

from polyphase.layers import UpSampleDepthwiseConv2D, UpSampleSeparableConv2D
from polyphase.rewrite.build import Build, Form
from polyphase.rewrite.delayed import Delayed

_FORMS = {
    layers.DepthwiseConv2D: UpSampleDepthwiseConv2D,
    layers.SeparableConv2D: UpSampleSeparableConv2D,
}


def apply(layer: Any, inputs: list[Any], build: Build) -> Any:
    """Upsample and convolve as one."""
    value, kind = inputs[0], _FORMS.get(type(layer))
    if kind is None or not isinstance(value, Delayed) or not (value.copies and value.plain):
        return None
    if set(layer.strides) != {1} or layer.data_format != value.data_format:
        return None
    build.note(value.sources, f"absorbed by {layer.name!r}")
    return build.call(layer, value.small, form=Form(kind, {"size": value.size}, ("strides",)))
