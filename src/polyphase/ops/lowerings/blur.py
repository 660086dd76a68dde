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
from polyphase.algebra.resampling import resampling_rows
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.lowerings import direct
from polyphase.ops.plans import Convolution

Tensor = Any
Rows = tuple[int, ...]  # of the upsampled image, along one axis; those outside are zero
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
    factors = plan.upsampling.factors("blur")
    if plan.upsampling.interpolation == "nearest":
        return compute(x, kernel, bias, plan)
    filters = [blur(factor, plan.upsampling.interpolation) for factor in factors]
    sizes = [n * factor for n, factor in zip(x.shape[1:-1], factors, strict=True)]
    whole, inner = [], []
    for axis, size, q in zip(plan.axes, sizes, filters, strict=True):
        whole.append(range(size + axis.extra))
        before = len(q) // 2 - axis.first
        inner.append(range(before, size - axis.span - len(q) // 2 - axis.first))

    def part(rows: Sequence[Rows]) -> Tensor:
        image = _rows(x, rows, plan)
        return compute(image, kernel, bias, _valid(plan).alone)

    if not all(inner):
        return part([_read(axis, outputs) for axis, outputs in zip(plan.axes, whole, strict=True)])
    nearest = replace(plan.upsampling, interpolation="nearest")
    y = compute(x, kernel, bias, replace(_valid(plan), upsampling=nearest))
    y = _blurred(y, filters)
    for i, axis in reversed(list(enumerate(plan.axes))):
        first, last = whole[i][: inner[i].start], whole[i][inner[i].stop :]
        if not first and not last:
            continue
        rows = [_read(*one) for one in zip(plan.axes, [*inner[:i], *whole[i:]], strict=True)]
        rows[i] = _read(axis, first) + _read(axis, last)
        # Both ends at once; what the seam between them gives is left out.
        ends = part(rows)
        before = axes.window(ends, i + 1, 0, len(first))
        after = axes.window(ends, i + 1, len(first) + axis.span, len(last))
        y = ops.concatenate([before, y, after], axis=i + 1)
    return y


upsample_conv = upsample_depthwise_conv = convolved


def _valid(plan: Convolution) -> Convolution:
    """Return the convolution without padding."""
    valid = tuple(conv_axis(axis.taps, "valid", axis.dilation) for axis in plan.axes)
    return replace(plan, axes=valid, padding="valid")


def _read(axis: Axis, outputs: range) -> Rows:
    """Return the rows of the upsampled image that some outputs side by side read."""
    return tuple(range(outputs.start + axis.first, outputs.stop + axis.first + axis.span))


def _rows(x: Tensor, rows: Sequence[Rows], plan: Convolution) -> Tensor:
    """Return some rows of the upsampled image, along every axis; first where they are fewest."""
    interpolation = plan.upsampling.interpolation
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i])):
        table = resampling_rows(x.shape[i + 1], plan.upsampling.sizes[i], interpolation, rows[i])
        x = direct.resample(x, i + 1, table, interpolation)
    return x


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
        weights = ops.broadcast_to(
            ops.cast(kernel[..., None, None], y.dtype), (*kernel.shape, y.shape[-1], 1)
        )
        y = ops.depthwise_conv(y, weights, padding="valid", data_format="channels_last")
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
