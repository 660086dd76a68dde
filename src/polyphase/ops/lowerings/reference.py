"""The obviously right way, slow: dense matrices and explicit loops over the taps."""

from typing import Any

import keras
from keras import ops

from polyphase.ops import axes
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Multiply each axis by its dense resampling matrix."""
    dtype = x.dtype
    if keras.backend.standardize_dtype(dtype) in ("bool", "uint8", "int8", "int16", "uint16"):
        x = ops.cast(x, "int32")  # what every backend multiplies
    for side, axis in enumerate(plan.axes):
        columns, weights = plan.table(x, side)
        inputs = ops.arange(axes.length(x, axis), dtype="int32")
        hits = ops.cast(columns, "int32")[:, :, None] == inputs
        matrix = ops.sum(ops.where(hits, ops.cast(weights, x.dtype)[:, :, None], 0), axis=1)
        x = _product(x, axis, ops.transpose(matrix))
    return ops.cast(x, dtype)


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Upsample, then add up the shifted images, one product with the kernel per tap."""
    sizes = []
    x = upsample(x, plan.upsampling)
    for side, axis in enumerate(plan.axes):
        x = axes.pad(x, axis, *plan.pads[side])
        sizes.append(axes.length(x, axis) - (kernel.shape[side] - 1) * plan.dilation[side])
    total = 0
    for a in range(kernel.shape[0]):
        shifted = axes.window(x, plan.axes[0], a * plan.dilation[0], sizes[0])
        for b in range(kernel.shape[1]):
            tap = axes.window(shifted, plan.axes[1], b * plan.dilation[1], sizes[1])
            total = total + _mix(tap, kernel[a, b], plan.channel)
    return axes.biased(total, bias, plan.channel)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Convolve with as many groups as there are channels."""
    rows, columns, channels, multiplier = kernel.shape
    grouped = ops.reshape(kernel, (rows, columns, 1, channels * multiplier))
    return upsample_conv(x, grouped, bias, plan)


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Insert zeros, then add up one shifted product with the kernel per tap, and crop."""
    for axis, stride in zip(plan.axes, plan.strides, strict=True):
        x = axes.interleave([x] + [ops.zeros_like(x)] * (stride - 1), axis)
    total = 0
    for a in range(kernel.shape[0]):
        shifted = _shift(x, plan, 0, a, kernel.shape[0])
        for b in range(kernel.shape[1]):
            tap = _shift(shifted, plan, 1, b, kernel.shape[1])
            total = total + _mix(tap, ops.transpose(kernel[a, b]), plan.channel)
    return axes.biased(total, bias, plan.channel)


def _shift(x: Tensor, plan: Transposed, side: int, tap: int, taps: int) -> Tensor:
    """Move the zero-filled image down by a tap and cut out what the operation keeps."""
    before = tap * plan.dilation[side]
    after = (taps - 1) * plan.dilation[side] - before
    axis = plan.axes[side]
    size = axes.length(x, axis) + plan.extra[side]
    return axes.window(axes.pad(x, axis, before, after), axis, plan.crop[side], size)


def _mix(x: Tensor, weights: Tensor, channel: int) -> Tensor:
    """Multiply the channels by a `(c_in / groups, c_out)` matrix, group by group."""
    groups = x.shape[channel] // weights.shape[0]
    parts = zip(ops.split(x, groups, axis=channel), ops.split(weights, groups, axis=1), strict=True)
    mixed = [_product(part, channel, matrix) for part, matrix in parts]
    return ops.concatenate(mixed, axis=channel)


def _product(x: Tensor, axis: int, matrix: Tensor) -> Tensor:
    """Return `sum over j of x[..., j, ...] * matrix[j, k]`, with `k` where `j` was.

    An einsum: Keras' `tensordot` falls from float64 to float32 on PyTorch.
    """
    j = "nabc"[axis]
    return ops.einsum(f"nabc,{j}k->{'nabc'.replace(j, 'k')}", x, matrix)
