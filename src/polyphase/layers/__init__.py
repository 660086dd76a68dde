"""Drop-in layers with Keras' arguments and weights, and the same numbers on every backend."""

from polyphase.layers.carafe import CARAFE2D
from polyphase.layers.concat_conv import ConcatConv1D, ConcatConv2D, ConcatConv3D
from polyphase.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from polyphase.layers.dysample import DySample2D
from polyphase.layers.guided_up_sampling import GuidedUpSampling2D
from polyphase.layers.sub_pixel_conv import SubPixelConv1D, SubPixelConv2D, SubPixelConv3D
from polyphase.layers.up_sample_conv import UpSampleConv1D, UpSampleConv2D, UpSampleConv3D
from polyphase.layers.up_sample_depthwise_conv import (
    UpSampleDepthwiseConv1D,
    UpSampleDepthwiseConv2D,
)
from polyphase.layers.up_sample_like import UpSampleLike
from polyphase.layers.up_sample_separable_conv import (
    UpSampleSeparableConv1D,
    UpSampleSeparableConv2D,
)
from polyphase.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D

__all__ = [
    "CARAFE2D",
    "ConcatConv1D",
    "ConcatConv2D",
    "ConcatConv3D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "DySample2D",
    "GuidedUpSampling2D",
    "SubPixelConv1D",
    "SubPixelConv2D",
    "SubPixelConv3D",
    "UpSampleConv1D",
    "UpSampleConv2D",
    "UpSampleConv3D",
    "UpSampleDepthwiseConv1D",
    "UpSampleDepthwiseConv2D",
    "UpSampleLike",
    "UpSampleSeparableConv1D",
    "UpSampleSeparableConv2D",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
]
