"""Functions of tensors. Each has one exact formula; its `lowering` says how to compute it."""

from polyphase.ops.choice import choose
from polyphase.ops.conv_transpose import conv_transpose
from polyphase.ops.depth_to_space import depth_to_space
from polyphase.ops.reassemble import reassemble
from polyphase.ops.sample import sample
from polyphase.ops.upsample import upsample
from polyphase.ops.upsample_conv import upsample_conv
from polyphase.ops.upsample_depthwise_conv import upsample_depthwise_conv

__all__ = [
    "choose",
    "conv_transpose",
    "depth_to_space",
    "reassemble",
    "sample",
    "upsample",
    "upsample_conv",
    "upsample_depthwise_conv",
]
