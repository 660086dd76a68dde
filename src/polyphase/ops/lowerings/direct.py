"""The plain way: a table of taps; upsample, then convolve; the backend's own transposed one."""

from typing import Any

from keras import ops

from polyphase.algebra.resampling import ResamplingMatrix
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Gather the taps of every output, one axis after the other, and add them up, weighted.

    The gradient gathers by the transposed table => as fast, and the same bits every time.
    """
    for side, axis in enumerate(plan.axes):
        matrix = plan.matrix(x, side)
        if matrix is None:
            columns, weights = plan.table(x, side)
            x = _taken(x, axis, columns, weights, plan.interpolation)
        else:
            x = _resample(x, axis, matrix, plan.interpolation)
    return x


def _resample(x: Tensor, axis: int, matrix: ResamplingMatrix, interpolation: str) -> Tensor:
    back = matrix.transpose()
    return linear(
        x,
        lambda x: _taken(x, axis, matrix.columns, matrix.weights, interpolation),
        lambda g: axes.gather(g, axis, back.columns, back.weights),
    )


def _taken(x: Tensor, axis: int, columns: Any, weights: Any, interpolation: str) -> Tensor:
    """Return the sum of the taps; nearest has one, of weight 1, and any dtype."""
    if interpolation == "nearest":
        return ops.take(x, columns[:, 0], axis=axis)
    return axes.gather(x, axis, columns, weights)


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Upsample, then convolve with the backend's convolution."""
    return ops.conv(
        plan.upsample(x, plan.upsampling),
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
