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

from polyphase.algebra.blur import blur, border, continuation, outer_taps
from polyphase.algebra.geometry import conv_axis
from polyphase.algebra.resampling import reach
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.lowerings.direct import depthwise
from polyphase.ops.plans import Convolution, Upsampling

Tensor = Any
_LINEAR, _LONG = ("linear", "bilinear", "trilinear"), 128
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
        compute: how nearest is upsampled and convolved, and what is due at the border.
        resample: how the border is upsampled.
    """
    factors = plan.upsampling.factors("blur")
    interpolation = plan.upsampling.interpolation
    if interpolation == "nearest":
        return compute(x, kernel, bias, plan)
    filters = [blur(factor, interpolation) for factor in factors]
    convolve = _continued if continues(interpolation, x.shape[1:-1]) else _framed
    return convolve(x, kernel, bias, plan, filters, compute, resample)


upsample_conv = upsample_depthwise_conv = convolved


def continues(interpolation: str, sides: Sequence[int]) -> bool:
    """Return whether an image is continued: linear, where its border is not little beside it.

    XLA makes no copy of the image for it; elsewhere the copies cost more than the products.
    """
    return backend.backend() == "jax" and interpolation in _LINEAR and min(sides) < _LONG


def _continued(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Convolution,
    filters: Sequence[np.ndarray],
    compute: Compute,
    resample: Resample,
) -> Tensor:
    """Blur what nearest makes of the image continued, which is the interpolation continued.

    Linear: beyond the outermost pixels' centres it is constant. What the convolution then reads
    outside of the image, where it is due zeros, is convolved alone and subtracted.
    """
    sizes = plan.upsampling.sizes
    large = [n * s for n, s in zip(x.shape[1:-1], sizes, strict=True)]
    if any(n < sum(axis.padding) for n, axis in zip(large, plan.axes, strict=True)):
        return compute(resample(x, plan.upsampling), kernel, bias, plan.alone)
    margins = [continuation(*one) for one in zip(plan.axes, sizes, filters, strict=True)]
    y = x
    for dim, pixels in enumerate(margins, start=1):
        y = _repeated(y, dim, pixels, pixels)
    y = _blurred(compute(y, kernel, bias, _nearest(plan)), filters)
    for dim, (q, axis, n) in enumerate(zip(filters, plan.axes, large, strict=True), start=1):
        start = margins[dim - 1] * sizes[dim - 1] - len(q) // 2
        y = axes.window(y, dim, start, n + axis.extra)
    for dim, (before, after) in enumerate((axis.padding for axis in plan.axes), start=1):
        if not margins[dim - 1]:
            continue
        size = y.shape[dim]
        parts = [axes.window(y, dim, before, size - before - after)]
        if before:
            outside = _outside(x, kernel, dim, 0, plan, margins, compute, resample)
            parts = [axes.window(y, dim, 0, before) - outside, *parts]
        if after:
            outside = _outside(x, kernel, dim, -1, plan, margins, compute, resample)
            parts = [*parts, axes.window(y, dim, size - after, after) - outside]
        y = ops.concatenate(parts, axis=dim)
    return y


def _outside(
    x: Tensor,
    kernel: Tensor,
    dim: int,
    end: int,
    plan: Convolution,
    margins: Sequence[int],
    compute: Compute,
    resample: Resample,
) -> Tensor:
    """Return what the outputs at an end of an axis read outside, convolved.

    The outermost pixels, upsampled along the other axes: there continued, or within zeros, where
    nothing was continued or what is outside has been subtracted. Only some taps reach there.
    """
    sizes = [1 if d == dim else s for d, s in enumerate(plan.upsampling.sizes, start=1)]
    pixels = axes.window(x, dim, 0 if end == 0 else x.shape[dim] - 1, 1)
    y = resample(pixels, replace(plan.upsampling, sizes=tuple(sizes)))
    for d, axis in enumerate(plan.axes, start=1):
        if d != dim:
            widen = _repeated if d > dim and margins[d - 1] else axes.pad
            y = widen(y, d, *axis.padding)
    axis = plan.axes[dim - 1]
    count, taps = axis.padding[end], outer_taps(axis)[end]
    zeros = (taps - 1) * axis.dilation
    y = ops.repeat(y, count, axis=dim)
    y = axes.pad(y, dim, *((0, zeros) if end == 0 else (zeros, 0)))
    weights = axes.window(kernel, dim - 1, 0 if end == 0 else axis.taps - taps, taps)
    cut = (*plan.axes[: dim - 1], replace(axis, taps=taps), *plan.axes[dim:])
    return compute(y, weights, None, _valid(replace(plan, axes=cut)))


def _valid(plan: Convolution) -> Convolution:
    """Return the convolution alone, without padding."""
    valid = tuple(conv_axis(axis.taps, "valid", axis.dilation) for axis in plan.axes)
    return replace(plan.alone, axes=valid, padding="valid")


def _nearest(plan: Convolution) -> Convolution:
    return replace(plan, upsampling=replace(plan.upsampling, interpolation="nearest"))


def _repeated(x: Tensor, dim: int, before: int, after: int) -> Tensor:
    """Repeat the outermost samples of an axis outside of it."""
    first, last = axes.window(x, dim, 0, 1), axes.window(x, dim, x.shape[dim] - 1, 1)
    if not before + after:
        return x
    return ops.concatenate([*[first] * before, x, *[last] * after], axis=dim)


def _framed(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Convolution,
    filters: Sequence[np.ndarray],
    compute: Compute,
    resample: Resample,
) -> Tensor:
    """Blur what nearest makes of the image, and compute what is near its border directly.

    Interpolations but linear change their weights there.
    """
    bands = [border(axis, q) for axis, q in zip(plan.axes, filters, strict=True)]
    sides = zip(x.shape[1:-1], plan.axes, plan.upsampling.sizes, strict=True)
    inner = [
        n * s + axis.extra - sum(band) for (n, axis, s), band in zip(sides, bands, strict=True)
    ]
    if min(inner) < 1:
        return compute(resample(x, plan.upsampling), kernel, bias, plan.alone)
    y = _blurred(compute(x, kernel, bias, _nearest(plan)), filters)
    for dim, (band, q, size) in enumerate(zip(bands, filters, inner, strict=True), start=1):
        y = axes.window(y, dim, band[0] - len(q) // 2, size)
    for dim in range(len(bands), 0, -1):
        if sum(bands[dim - 1]):
            rows = len(filters[dim - 1]) // 2 + plan.axes[dim - 1].span
            ends = _ends(x, dim, rows, plan.upsampling, resample)
            ends = compute(ends, kernel, bias, plan.alone)
            for d in range(1, dim):
                ends = axes.window(ends, d, bands[d - 1][0], inner[d - 1])
            before, after = bands[dim - 1]
            last = axes.window(ends, dim, ends.shape[dim] - after, after)
            y = ops.concatenate([axes.window(ends, dim, 0, before), y, last], axis=dim)
    return y


def _ends(x: Tensor, dim: int, rows: int, upsampling: Upsampling, resample: Resample) -> Tensor:
    """Return so many of the first and of the last rows of the upsampled image, side by side.

    They depend on the input's ends only => these are upsampled, as one image.
    """
    pixels = reach(rows, upsampling.sizes[dim - 1], upsampling.interpolation)
    if 2 * pixels < x.shape[dim]:
        x = _both(x, dim, pixels)
    return _both(resample(x, upsampling), dim, rows)


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
