"""Nearest, convolved, then blurred: every interpolation at the price of nearest's convolution.

An interpolation by an integer factor is nearest, then a fixed blur `q`, and a blur commutes with a
convolution: `Conv_w R x = q * (Conv_w U x)` wherever no tap of either lies outside the image. The
outputs that remain are a band along the border, which is computed directly.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.algebra.blur import blur
from polyphase.algebra.geometry import conv_axis
from polyphase.algebra.resampling import resampling_rows
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.lowerings import direct
from polyphase.ops.plans import Convolution, Upsampling

Tensor = Any
Range = tuple[int, int]  # of outputs along one axis
Compute = Callable[[Tensor, Tensor, Tensor | None, Convolution], Tensor]


def convolved(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution, compute: Compute
) -> Tensor:
    """Upsample and convolve images of known sides.

    Args:
        x: the images.
        kernel: as `compute` takes it.
        bias: of the outputs, or None; a blur does not change it.
        plan: an interpolation by integer factors.
        compute: how nearest and the band are upsampled and convolved.
    """
    sizes = x.shape[1:-1]
    filters = [blur(s, plan.upsampling.interpolation) for s in plan.upsampling.factors("blur")]
    lengths = [n * s for n, s in zip(sizes, plan.upsampling.sizes, strict=True)]
    whole = [(0, n + axis.extra) for n, axis in zip(lengths, plan.axes, strict=True)]
    inner = [
        (len(q) // 2 - axis.first, n - axis.first - axis.span - len(q) // 2)
        for q, n, axis in zip(filters, lengths, plan.axes, strict=True)
    ]
    if any(start >= stop for start, stop in inner):
        return _part(x, kernel, bias, plan, whole, compute)
    y = compute(x, kernel, bias, replace(_valid(plan), upsampling=_nearest(plan)))
    y = _blurred(y, filters)

    def band(i: int, start: int, stop: int) -> list[Tensor]:
        ranges = [*inner[:i], (start, stop), *whole[i + 1 :]]
        return [_part(x, kernel, bias, plan, ranges, compute)] if start < stop else []

    for i in reversed(range(len(sizes))):
        before, after = band(i, 0, inner[i][0]), band(i, inner[i][1], whole[i][1])
        y = ops.concatenate([*before, y, *after], axis=i + 1)
    return y


upsample_conv = upsample_depthwise_conv = convolved


def _nearest(plan: Convolution) -> Upsampling:
    return replace(plan.upsampling, interpolation="nearest")


def _valid(plan: Convolution) -> Convolution:
    """Return the convolution without padding."""
    valid = tuple(conv_axis(axis.taps, "valid", axis.dilation) for axis in plan.axes)
    return replace(plan, axes=valid, padding="valid")


def _part(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Convolution,
    ranges: Sequence[Range],
    compute: Compute,
) -> Tensor:
    """Return the outputs in a range of every axis: interpolate what they read, and convolve it."""
    interpolation = plan.upsampling.interpolation
    order = sorted(range(len(ranges)), key=lambda i: ranges[i][1] - ranges[i][0])
    for i in order:
        axis, size = plan.axes[i], x.shape[i + 1]
        start, stop = ranges[i][0] + axis.first, ranges[i][1] + axis.first + axis.span
        within = max(0, start), min(stop, size * plan.upsampling.sizes[i])
        table = resampling_rows(size, plan.upsampling.sizes[i], interpolation, *within)
        x = direct.resample(x, i + 1, table, interpolation)
        x = axes.pad(x, i + 1, within[0] - start, stop - within[1])
    return compute(x, kernel, bias, _valid(plan).alone)


def _blurred(y: Tensor, filters: Sequence[np.ndarray]) -> Tensor:
    """Blur every axis, without padding; half precision is summed in float32."""
    dtype = backend.standardize_dtype(y.dtype)
    y = ops.cast(y, "float32") if dtype in ("float16", "bfloat16") else y

    def forward(y: Tensor) -> Tensor:
        for dim, q in enumerate(filters, start=1):
            y = _filtered(y, dim, q)
        return y

    def adjoint(g: Tensor) -> Tensor:
        for dim, q in enumerate(filters, start=1):
            g = _filtered(axes.pad(g, dim, len(q) - 1, len(q) - 1), dim, q)
        return g

    return ops.cast(linear(y, forward, adjoint), dtype)


def _filtered(y: Tensor, dim: int, q: np.ndarray) -> Tensor:
    size = axes.length(y, dim) - len(q) + 1
    return sum(axes.window(y, dim, n, size) * float(weight) for n, weight in enumerate(q))
