"""The plain way: a table of taps; upsample, then convolve; the backend's own transposed one."""

from typing import Any

from keras import ops

from polyphase.ops import axes
from polyphase.ops.plans import Convolution, Resampling, Transposed

Tensor = Any


def upsample(x: Tensor, axis: int, plan: Resampling) -> Tensor:
    """Gather the taps of every output from one axis and add them up, weighted."""
    columns, weights = plan.table(x, axis)
    if plan.interpolation == "nearest":
        return ops.take(x, columns[:, 0], axis=axis)
    return sum(
        ops.take(x, columns[:, t], axis=axis) * axes.along(weights[:, t], axis, x.dtype)
        for t in range(columns.shape[1])
    )


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Upsample, then convolve with the backend's convolution."""
    for axis, resampling in zip(plan.axes, plan.resamplings, strict=True):
        x = plan.upsample(x, axis, resampling)
    return ops.conv(
        x,
        kernel,
        strides=1,
        padding=plan.padding,
        data_format=plan.data_format,
        dilation_rate=plan.dilation,
    )


def conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Call the backend's transposed convolution through Keras.

    "same" with an even kernel and `output_padding=0` is shorter than the stride times the input,
    which TensorFlow refuses => compute it in full and crop.
    """
    short = any(extra <= -stride for extra, stride in zip(plan.extra, plan.strides, strict=True))
    y = ops.conv_transpose(
        x,
        kernel,
        strides=plan.strides,
        padding="valid" if short else plan.padding,
        output_padding=None if short else plan.output_padding,
        data_format=plan.data_format,
        dilation_rate=plan.dilation,
    )
    if short:
        for side, axis in enumerate(plan.axes):
            size = axes.length(x, axis) * plan.strides[side] + plan.extra[side]
            y = axes.window(y, axis, plan.crop[side], size)
    return y
