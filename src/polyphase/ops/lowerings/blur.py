"""Nearest, convolved, then blurred: every interpolation at the price of nearest's convolution.

An interpolation by an integer factor is nearest, then a fixed blur `q`, and a blur commutes with a
convolution: `Conv_w R x = q * (Conv_w U x)` wherever no tap of either lies outside the image. The
outputs that remain are a band along the border, which is interpolated and convolved directly.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Job:
    """What is to be upsampled and convolved, and by what.

    Attributes:
        x: images of known sides.
        kernel: as `compute` takes it.
        bias: of the outputs, or None; a blur does not change it.
        plan: an interpolation by integer factors, not nearest.
        compute: how nearest is upsampled and convolved, and what is due at the border.
        resample: how the border is upsampled.
    """

    x: Tensor
    kernel: Tensor
    bias: Tensor | None
    plan: Convolution
    compute: Compute
    resample: Resample

    @property
    def filters(self) -> list[np.ndarray]:
        """The blur along every axis."""
        upsampling = self.plan.upsampling
        return [blur(size, upsampling.interpolation) for size in upsampling.sizes]

    @property
    def large(self) -> list[int]:
        """The sides of the upsampled images."""
        return [n * s for n, s in zip(self.x.shape[1:-1], self.plan.upsampling.sizes, strict=True)]

    @property
    def margins(self) -> list[int]:
        """By how many pixels the image is continued along every axis."""
        sizes = self.plan.upsampling.sizes
        return [continuation(*one) for one in zip(self.plan.axes, sizes, self.filters, strict=True)]

    def directly(self) -> Tensor:
        """Upsample, then convolve."""
        image = self.resample(self.x, self.plan.upsampling)
        return self.compute(image, self.kernel, self.bias, self.plan.alone)

    def blurred(self, image: Tensor) -> Tensor:
        """Blur what nearest makes of an image, without padding."""
        nearest = replace(self.plan.upsampling, interpolation="nearest")
        y = self.compute(image, self.kernel, self.bias, replace(self.plan, upsampling=nearest))
        return _blurred(y, self.filters)


def convolved(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Convolution,
    compute: Compute,
    resample: Resample,
) -> Tensor:
    """Upsample and convolve; arguments are those of a `Job`, which may be nearest as well."""
    plan.upsampling.factors("blur")  # which says so if there are none
    interpolation = plan.upsampling.interpolation
    if interpolation == "nearest":
        return compute(x, kernel, bias, plan)
    border = _continued if continues(interpolation, x.shape[1:-1]) else _framed
    return border(Job(x, kernel, bias, plan, compute, resample))


upsample_conv = upsample_depthwise_conv = convolved


def continues(interpolation: str, sides: Sequence[int]) -> bool:
    """Return whether an image is continued: linear, where its border is not little beside it.

    XLA makes no copy of the image for it; elsewhere the copies cost more than the products.
    """
    return backend.backend() == "jax" and interpolation in _LINEAR and min(sides) < _LONG


def _continued(job: Job) -> Tensor:
    """Blur what nearest makes of the image continued, which is the interpolation continued.

    Linear: beyond the outermost pixels' centres it is constant. What the convolution then reads
    outside of the image, where it is due zeros, is convolved alone and subtracted.
    """
    plan = job.plan
    if any(n < sum(axis.padding) for n, axis in zip(job.large, plan.axes, strict=True)):
        return job.directly()
    image = job.x
    for dim, pixels in enumerate(job.margins, start=1):
        image = _repeated(image, dim, pixels, pixels)
    y = job.blurred(image)
    sides = zip(job.margins, plan.upsampling.sizes, job.filters, job.large, strict=True)
    for dim, (pixels, size, q, n) in enumerate(sides, start=1):
        y = axes.window(y, dim, pixels * size - len(q) // 2, n + plan.axes[dim - 1].extra)
    for dim, pixels in enumerate(job.margins, start=1):
        y = _without_outside(y, job, dim) if pixels else y
    return y


def _without_outside(y: Tensor, job: Job, dim: int) -> Tensor:
    """Subtract what the outputs at both ends of an axis read outside."""
    before, after = job.plan.axes[dim - 1].padding
    size = y.shape[dim]
    parts = [axes.window(y, dim, before, size - before - after)]
    if before:
        parts.insert(0, axes.window(y, dim, 0, before) - _outside(job, dim, 0))
    if after:
        parts.append(axes.window(y, dim, size - after, after) - _outside(job, dim, -1))
    return ops.concatenate(parts, axis=dim)


def _outside(job: Job, dim: int, end: int) -> Tensor:
    """Return what the outputs at an end of an axis, 0 or -1, read outside, convolved.

    The outermost pixels, upsampled along the other axes: there continued, or within zeros, where
    nothing was continued or what is outside has been subtracted. Only some taps reach there.
    """
    x, plan, axis = job.x, job.plan, job.plan.axes[dim - 1]
    sizes = [1 if d == dim else s for d, s in enumerate(plan.upsampling.sizes, start=1)]
    pixels = axes.window(x, dim, 0 if end == 0 else x.shape[dim] - 1, 1)
    y = job.resample(pixels, replace(plan.upsampling, sizes=tuple(sizes)))
    for d, (other, margin) in enumerate(zip(plan.axes, job.margins, strict=True), start=1):
        if d != dim:
            widen = _repeated if d > dim and margin else axes.pad
            y = widen(y, d, *other.padding)
    taps = outer_taps(axis)[end]
    zeros = (taps - 1) * axis.dilation
    y = ops.repeat(y, axis.padding[end], axis=dim)
    y = axes.pad(y, dim, *((0, zeros) if end == 0 else (zeros, 0)))
    weights = axes.window(job.kernel, dim - 1, 0 if end == 0 else axis.taps - taps, taps)
    valid = [conv_axis(one.taps, "valid", one.dilation) for one in plan.axes]
    valid[dim - 1] = conv_axis(taps, "valid", axis.dilation)
    alone = replace(plan.alone, axes=tuple(valid), padding="valid")
    return job.compute(y, weights, None, alone)


def _repeated(x: Tensor, dim: int, before: int, after: int) -> Tensor:
    """Repeat the outermost samples of an axis outside of it."""
    first, last = axes.window(x, dim, 0, 1), axes.window(x, dim, x.shape[dim] - 1, 1)
    if not before + after:
        return x
    return ops.concatenate([*[first] * before, x, *[last] * after], axis=dim)


def _framed(job: Job) -> Tensor:
    """Blur what nearest makes of the image, and compute what is near its border directly.

    Interpolations but linear change their weights there.
    """
    plan, filters = job.plan, job.filters
    bands = [border(axis, q) for axis, q in zip(plan.axes, filters, strict=True)]
    inner = [
        n + axis.extra - sum(band)
        for n, axis, band in zip(job.large, plan.axes, bands, strict=True)
    ]
    if min(inner) < 1:
        return job.directly()
    y = job.blurred(job.x)
    for dim, (band, q, size) in enumerate(zip(bands, filters, inner, strict=True), start=1):
        y = axes.window(y, dim, band[0] - len(q) // 2, size)
    for dim in range(len(bands), 0, -1):
        before, after = bands[dim - 1]
        if before + after:
            ends = _ends(job, dim)
            for d in range(1, dim):
                ends = axes.window(ends, d, bands[d - 1][0], inner[d - 1])
            last = axes.window(ends, dim, ends.shape[dim] - after, after)
            y = ops.concatenate([axes.window(ends, dim, 0, before), y, last], axis=dim)
    return y


def _ends(job: Job, dim: int) -> Tensor:
    """Upsample both ends of an axis, as one small image, and convolve them.

    The outputs at the two ends depend on nothing else; what the seam gives is not used.
    """
    x, upsampling = job.x, job.plan.upsampling
    rows = len(job.filters[dim - 1]) // 2 + job.plan.axes[dim - 1].span
    pixels = reach(rows, upsampling.sizes[dim - 1], upsampling.interpolation)
    if 2 * pixels < x.shape[dim]:
        x = _both(x, dim, pixels)
    image = _both(job.resample(x, upsampling), dim, rows)
    return job.compute(image, job.kernel, job.bias, job.plan.alone)


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
