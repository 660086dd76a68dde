"""Nearest, convolved, then blurred: every interpolation at the price of nearest's convolution.

An interpolation by an integer factor is nearest, then a fixed blur `q`, and a blur commutes with a
convolution: `Conv_w R x = q * (Conv_w U x)` wherever no tap of either lies outside the image. The
outputs that remain are a band along the border, which is interpolated and convolved directly.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.algebra.blur import blur
from polyphase.algebra.geometry import Axis, conv_axis
from polyphase.algebra.resampling import reach
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.lowerings.direct import depthwise
from polyphase.ops.plans import Convolution, Upsampling

Tensor = Any
Band = tuple[int, int]  # outputs before and after
Resample = Callable[[Tensor, Upsampling], Tensor]
Compute = Callable[[Tensor, Tensor, Tensor | None, Convolution], Tensor]


def convolved(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Convolution,
    compute: Compute,
    resample: Resample,
) -> Tensor:
    """Upsample and convolve images of known sides.

    Args:
        x: the images.
        kernel: as `compute` takes it.
        bias: of the outputs, or None; a blur does not change it.
        plan: an interpolation by integer factors.
        compute: how nearest is upsampled and convolved, and the upsampled border convolved.
        resample: how the border is upsampled.
    """
    factors = plan.upsampling.factors("blur")
    if plan.upsampling.interpolation == "nearest":
        return compute(x, kernel, bias, plan)
    filters = [blur(factor, plan.upsampling.interpolation) for factor in factors]
    bands = [_band(axis, q) for axis, q in zip(plan.axes, filters, strict=True)]
    sides = zip(x.shape[1:-1], plan.axes, factors, strict=True)
    inner = [
        n * s + axis.extra - sum(band) for (n, axis, s), band in zip(sides, bands, strict=True)
    ]
    if min(inner) < 1:
        return compute(resample(x, plan.upsampling), kernel, bias, plan.alone)
    nearest = replace(plan.upsampling, interpolation="nearest")
    y = _blurred(compute(x, kernel, bias, replace(plan, upsampling=nearest)), filters)
    for dim, (band, q, size) in enumerate(zip(bands, filters, inner, strict=True), start=1):
        y = axes.window(y, dim, band[0] - len(q) // 2, size)
    for dim in range(len(bands), 0, -1):
        if sum(bands[dim - 1]):
            rows = len(filters[dim - 1]) // 2 + plan.axes[dim - 1].span
            ends = _ends(x, dim, rows, plan.upsampling, resample)
            ends = compute(ends, kernel, bias, plan.alone)
            for d in range(1, dim):
                ends = axes.window(ends, d, bands[d - 1][0], inner[d - 1])
            y = _framed(y, ends, dim, bands[dim - 1])
    return y


upsample_conv = upsample_depthwise_conv = convolved


def _band(axis: Axis, q: np.ndarray) -> Band:
    """Return how many outputs before and after are not the blurred ones.

    Those next to an output that reads padding, which is zero, where the blur took it for image.
    """
    radius = len(q) // 2
    if not radius:
        return 0, 0
    return radius - axis.first, radius + axis.extra + axis.first + axis.span


def _ends(x: Tensor, dim: int, rows: int, upsampling: Upsampling, resample: Resample) -> Tensor:
    """Return so many of the first and of the last rows of the upsampled image, side by side.

    They depend on the input's ends only => these are upsampled, as one image.
    """
    pixels = reach(rows, upsampling.sizes[dim - 1], upsampling.interpolation)
    if 2 * pixels < x.shape[dim]:
        x = _both(x, dim, pixels)
    return _both(resample(x, upsampling), dim, rows)


def _framed(y: Tensor, ends: Tensor, dim: int, band: Band) -> Tensor:
    """Put the outermost outputs of both ends around those between."""
    before, after = band
    last = axes.window(ends, dim, ends.shape[dim] - after, after)
    return ops.concatenate([axes.window(ends, dim, 0, before), y, last], axis=dim)


def _both(x: Tensor, dim: int, size: int) -> Tensor:
    """Return so many samples from both ends of an axis."""
    last = axes.window(x, dim, x.shape[dim] - size, size)
    return ops.concatenate([axes.window(x, dim, 0, size), last], axis=dim)


def _blurred(y: Tensor, filters: Sequence[np.ndarray]) -> Tensor:
    """Blur every axis, without padding; half precision is summed in float32.

    XLA makes one loop of shifted sums; elsewhere it is a depthwise convolution, which TensorFlow
    has not of volumes.
    """
    dtype = backend.standardize_dtype(y.dtype)
    y = ops.cast(y, "float32") if dtype in ("float16", "bfloat16") else y
    volumes = backend.backend() == "tensorflow" and len(filters) == 3
    sums = backend.backend() == "jax" or volumes
    return ops.cast(_summed(y, filters) if sums else _convolved(y, filters), dtype)


def _convolved(y: Tensor, filters: Sequence[np.ndarray]) -> Tensor:
    """Convolve every channel by the product of short filters, or by long ones in turns."""
    kernels = [
        q.reshape([-1 if i == j else 1 for j in range(len(filters))]) for i, q in enumerate(filters)
    ]
    if max(map(len, filters)) <= 3:
        kernels = [functools.reduce(np.multiply, kernels)]
    for kernel in kernels:
        shape = *kernel.shape, y.shape[-1], 1
        weights = ops.broadcast_to(ops.cast(kernel[..., None, None], y.dtype), shape)
        y = depthwise(y, weights, tuple(conv_axis(k, "valid") for k in kernel.shape))
    return y


def _summed(y: Tensor, filters: Sequence[np.ndarray]) -> Tensor:
    """Add up shifted images, axis by axis; the adjoint of a symmetric filter is the same."""

    def forward(y: Tensor) -> Tensor:
        for dim, q in enumerate(filters, start=1):
            y = _filtered(y, dim, q)
        return y

    def adjoint(g: Tensor) -> Tensor:
        for dim, q in enumerate(filters, start=1):
            g = _filtered(axes.pad(g, dim, len(q) - 1, len(q) - 1), dim, q)
        return g

    return linear(y, forward, adjoint)


def _filtered(y: Tensor, dim: int, q: np.ndarray) -> Tensor:
    size = axes.length(y, dim) - len(q) + 1
    return sum(axes.window(y, dim, n, size) * float(weight) for n, weight in enumerate(q))
