"""Drop-in layers: Keras' arguments and weights, the same numbers on every backend."""

from polyphase.layers.concat_conv2d import ConcatConv2D
from polyphase.layers.conv2d_transpose import Conv2DTranspose
from polyphase.layers.sub_pixel_conv2d import SubPixelConv2D
from polyphase.layers.up_sample_conv2d import UpSampleConv2D
from polyphase.layers.up_sample_depthwise_conv2d import UpSampleDepthwiseConv2D
from polyphase.layers.up_sample_like import UpSampleLike
from polyphase.layers.up_sample_separable_conv2d import UpSampleSeparableConv2D
from polyphase.layers.up_sampling2d import UpSampling2D

__all__ = [
    "ConcatConv2D",
    "Conv2DTranspose",
    "SubPixelConv2D",
    "UpSampleConv2D",
    "UpSampleDepthwiseConv2D",
    "UpSampleLike",
    "UpSampleSeparableConv2D",
    "UpSampling2D",
]
