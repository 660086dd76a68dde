"""The obviously right lowering, slow: dense matrices and explicit loops over the taps."""

import itertools
from collections.abc import Sequence
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
    for i in range(len(plan.sizes)):
        columns, weights = plan.table(x, i)
        inputs = ops.arange(axes.length(x, i + 1), dtype="int32")
        hits = ops.cast(columns, "int32")[:, :, None] == inputs
        matrix = ops.sum(ops.where(hits, ops.cast(weights, x.dtype)[:, :, None], 0), axis=1)
        x = _product(x, i + 1, ops.transpose(matrix))
    return ops.cast(x, dtype)


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Upsample, then add up the shifted images, one product with the kernel per tap."""
    x = upsample(x, plan.upsampling)
    sizes = [axes.length(x, dim) + axis.extra for dim, axis in enumerate(plan.axes, start=1)]
    for dim, axis in enumerate(plan.axes, start=1):
        x = axes.pad(x, dim, *axis.padding)
    taps = [range(0, axis.span + 1, axis.dilation) for axis in plan.axes]
    return axes.biased(_summed(x, kernel, taps, sizes), bias)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Convolve with as many groups as there are channels."""
    *taps, channels, multiplier = kernel.shape
    return upsample_conv(x, ops.reshape(kernel, (*taps, 1, channels * multiplier)), bias, plan)


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Insert zeros, then add up one shifted product with the kernel per tap, and crop."""
    sizes = [
        size * axis.factor + axis.extra
        for size, axis in zip(ops.shape(x)[1:-1], plan.axes, strict=True)
    ]
    for dim, axis in enumerate(plan.axes, start=1):
        x = axes.interleave([x] + [ops.zeros_like(x)] * (axis.factor - 1), dim)
        x = axes.pad(x, dim, axis.span, axis.span)
    taps = [range(axis.first + axis.span, axis.first - 1, -axis.dilation) for axis in plan.axes]
    return axes.biased(_summed(x, plan.convolving(kernel), taps, sizes), bias)


def reassemble(x: Tensor, kernels: Tensor, factors: Sequence[int], k: int) -> Tensor:
    """Copy pixels into all their phases, then add up the shifted copies, each tap weighted."""
    rank, groups, taps = len(factors), kernels.shape[-2], k ** len(factors)
    channels = x.shape[-1]
    weights = axes.weave(ops.reshape(kernels, _split(kernels, factors)))
    total = 0
    for tap, offsets in enumerate(itertools.product(range(-(k // 2), k // 2 + 1), repeat=rank)):
        part = x
        for dim, (offset, factor) in enumerate(zip(offsets, factors, strict=True), start=1):
            inputs = axes.length(x, dim)
            columns = ops.repeat(ops.arange(inputs, dtype="int32"), factor) + offset
            part = ops.take(part, ops.clip(columns, 0, inputs - 1), axis=dim)
        weight = ops.repeat(weights[..., tap::taps], channels // groups, axis=-1)
        total = total + part * weight
    return total


def _split(kernels: Tensor, factors: Sequence[int]) -> tuple[Any, ...]:
    """Return the shape of kernels in phases with an axis per factor, and one of numbers."""
    *space, _, groups, taps = ops.shape(kernels)
    return (*space, *factors, groups * taps)


def _summed(x: Tensor, kernel: Tensor, starts: Sequence[range], sizes: Sequence[Any]) -> Tensor:
    """Return the sum over all taps of the image from their starts on, times the tap."""
    return sum(_mix(part, kernel[tap]) for tap, part in axes.windows(x, starts, sizes))


def _mix(x: Tensor, weights: Tensor) -> Tensor:
    """Multiply the channels by a `(c_in / groups, c_out)` matrix, group by group."""
    groups = x.shape[-1] // weights.shape[0]
    last = len(x.shape) - 1
    parts = zip(ops.split(x, groups, axis=last), ops.split(weights, groups, axis=1), strict=True)
    return ops.concatenate([_product(part, last, matrix) for part, matrix in parts], axis=last)


def _product(x: Tensor, axis: int, matrix: Tensor) -> Tensor:
    """Return `sum over j of x[..., j, ...] * matrix[j, k]`, with `k` where `j` was.

    An einsum: Keras' `tensordot` falls from float64 to float32 on PyTorch. Integers, of which CUDA
    multiplies no matrices, one by one.
    """
    if "int" in keras.backend.standardize_dtype(x.dtype):
        around = (1,) * axis, (1,) * (len(x.shape) - axis - 1)
        columns = ops.reshape(matrix, (*around[0], *ops.shape(matrix), *around[1]))
        return ops.sum(ops.expand_dims(x, axis + 1) * columns, axis=axis)
    letters = "nabcd"[: len(x.shape)]
    j = letters[axis]
    return ops.einsum(f"{letters},{j}k->{letters.replace(j, 'k')}", x, matrix)
