"""A filter bank: every phase is an ordinary convolution of the input; then they are woven.

No inserted zero is multiplied, and the upsampled image that a convolution would read never
exists.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import backend, ops

from polyphase.algebra.geometry import Axis, conv_axis
from polyphase.algebra.phases import Phase, conv_transpose_phases, reach, upsample_conv_phases
from polyphase.algebra.resampling import edge_gain, phase_taps
from polyphase.ops import axes
from polyphase.ops.gradients import computed, linear
from polyphase.ops.lowerings import patches, torch_convolution
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any
Bank = tuple[Phase, ...]


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Add up the shifted input, weighted, once per phase; mend the edges; weave.

    Integer factor => the taps are the same for every position, so slices replace the table; the
    edges' renormalisation is a gain per output.
    """
    factors = plan.factors("phases")
    if plan.interpolation == "nearest":
        return _repeat(x, factors)
    for axis, factor in enumerate(factors, start=1):
        forward, adjoint = _resampling(axes.length(x, axis), axis, factor, plan.interpolation)
        x = linear(x, forward, adjoint)
    return x


def upsample_adjoint(g: Tensor, plan: Upsampling) -> Tensor:
    """Return the gradient of `upsample` with respect to the image: the transposed table."""
    for axis, factor in enumerate(plan.factors("phases"), start=1):
        size = axes.length(g, axis) // factor
        g = _resampling(size, axis, factor, plan.interpolation)[1](g)
    return g


def _repeat(x: Tensor, factors: Sequence[int]) -> Tensor:
    """Copy every pixel into all its phases, in one pass; the gradient adds the phases up."""
    shape = ops.shape(x)
    batch, *sizes, channels = shape
    pairs = list(zip(sizes, factors, strict=True))
    single = (batch, *(one for size in sizes for one in (size, 1)), channels)
    split = (batch, *(one for pair in pairs for one in pair), channels)
    joined = (batch, *(size * factor for size, factor in pairs), channels)

    def repeat(x: Tensor) -> Tensor:
        if len(factors) == 3 and backend.backend() == "tensorflow":  # which broadcasts two axes
            slices = ops.reshape(ops.repeat(x, factors[0], axis=1), (-1, *sizes[1:], channels))
            return ops.reshape(_repeat(slices, factors[1:]), joined)
        return ops.reshape(ops.broadcast_to(ops.reshape(x, single), split), joined)

    def add(g: Tensor) -> Tensor:
        if backend.backend() == "tensorflow":  # whose slices of six axes are slow
            for dim, factor in enumerate(factors, start=1):
                after = math.prod(joined[dim + 1 :])
                g = ops.sum(ops.reshape(g, (-1, factor, after)), axis=1)
            return ops.reshape(g, shape)
        phases = ops.reshape(g, split)
        return sum(
            phases[(slice(None), *(one for p in phase for one in (slice(None), p)))]
            for phase in itertools.product(*map(range, factors))
        )

    return linear(x, repeat, add)


def _resampling(
    size: Any, axis: int, factor: int, interpolation: str
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Return the upsampling of one axis and its adjoint, the transposed table, in phases too."""
    taps = phase_taps(factor, interpolation)
    gains = _gains(size, factor, interpolation)
    offsets = [
        [(first + t, float(weight)) for t, weight in enumerate(weights) if weight != 0]
        for first, weights in zip(taps.first, taps.weights, strict=True)
    ]

    def forward(x: Tensor) -> Tensor:
        return axes.interleave(
            [
                _shifted(x, axis, size, shifts) * axes.along(gains[:, p], x, axis)
                for p, shifts in enumerate(offsets)
            ],
            axis,
        )

    def adjoint(g: Tensor) -> Tensor:
        split = list(ops.shape(g))
        split[axis : axis + 1] = [size, factor]
        phases = ops.unstack(ops.reshape(g, split), factor, axis=axis + 1)
        return sum(
            _shifted(
                phase * axes.along(gains[:, p], phase, axis),
                axis,
                size,
                [(-shift, weight) for shift, weight in shifts],
            )
            for p, (phase, shifts) in enumerate(zip(phases, offsets, strict=True))
        )

    return forward, adjoint


def _shifted(x: Tensor, axis: int, size: Any, shifts: list[tuple[int, float]]) -> Tensor:
    """Return the weighted sum of the image shifted, zeros outside: `sum of w * x[i + shift]`."""
    before = max(0, -min(shift for shift, _ in shifts))
    after = max(0, max(shift for shift, _ in shifts))
    padded = axes.pad(x, axis, before, after)
    return sum(axes.window(padded, axis, before + shift, size) * w for shift, w in shifts)


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Convolve the input with every phase's collected taps.

    Nearest, integer factors => taps that meet the same input pixel can be added up; zero padding
    commutes with the upsampling, so this holds up to the border.
    """
    folded = plan.folded("phases")
    return axes.biased(_filter_bank(x, kernel, folded, _nearest(folded), _convolution), bias)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Add up the shifted image, every channel weighted, once per phase.

    A channel is convolved alone => a product with a vector instead of a convolution, which a
    compiler turns into one loop.
    """
    folded = plan.folded("phases")
    *taps, channels, multiplier = kernel.shape
    image = ops.repeat(x, multiplier, axis=-1)
    weights = ops.reshape(kernel, (*taps, channels * multiplier))
    return axes.biased(_filter_bank(image, weights, folded, _nearest(folded), _weighted), bias)


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Convolve the input with every phase's taps `W[p], W[p+s], ...`.

    As many groups as channels => every channel is convolved alone, as `upsample_depthwise_conv`.
    XLA's gradient of many short convolutions is slow, except in half precision => on JAX that of
    `patches` instead, which has one group.
    """
    half = backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    if plan.groups > 1 or half:
        return axes.biased(_transposed(x, kernel, plan), bias)
    y = computed(
        lambda x, kernel: _transposed(x, kernel, plan),
        lambda x, kernel: patches.conv_transpose(x, kernel, None, plan),
        x,
        kernel,
    )
    return axes.biased(y, bias)


def _transposed(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    banks = [conv_transpose_phases(a.taps, a.factor, a.first, a.dilation) for a in plan.axes]
    weights, convolve = plan.convolving(kernel), _convolution
    if plan.groups == x.shape[-1] > 1:
        x = ops.repeat(x, kernel.shape[-2], axis=-1)
        weights, convolve = ops.squeeze(weights, axis=-2), _weighted
    return _filter_bank(x, weights, plan.axes, banks, convolve)


def reassemble(x: Tensor, kernels: Tensor, factors: Sequence[int], k: int) -> Tensor:
    """Add up the shifted image, once per phase, every pixel weighted; weave."""
    *space, _, groups, _ = ops.shape(kernels)
    rank, channels = len(factors), x.shape[-1]
    sizes = ops.shape(x)[1:-1]
    padded, total = x, 0
    for dim in range(1, rank + 1):
        padded = axes.edged(padded, dim, k // 2)
    numbers = ops.split(kernels, k**rank, axis=-1)  # whose gradient is one concatenation
    parts = axes.windows(padded, [range(k)] * rank, sizes)
    for number, (_, part) in zip(numbers, parts, strict=True):
        image = ops.reshape(part, (*space, 1, groups, channels // groups))
        total = total + image * number
    return axes.weave(ops.reshape(total, (*space, *factors, channels)))


def _nearest(folded: Sequence[Axis]) -> list[Bank]:
    return [upsample_conv_phases(a.taps, a.factor, -a.first, a.dilation) for a in folded]


def _convolution(x: Tensor, kernel: Tensor) -> Tensor:
    if backend.backend() == "torch":
        valid = [conv_axis(taps, "valid") for taps in kernel.shape[:-2]]
        return torch_convolution.convolution(x, kernel, valid)
    return ops.conv(x, kernel, padding="valid", data_format="channels_last")


def _weighted(x: Tensor, kernel: Tensor) -> Tensor:
    """Return the sum over all taps of the shifted image, each channel times its weight."""
    *taps, _ = kernel.shape
    sizes = [axes.length(x, dim) - k + 1 for dim, k in enumerate(taps, start=1)]
    total = 0
    for tap, part in axes.windows(x, [range(k) for k in taps], sizes):
        total = total + part * axes.along(kernel[tap], part, -1)
    return total


def _filter_bank(
    x: Tensor,
    kernel: Tensor,
    plan: Sequence[Axis],
    banks: Sequence[Bank],
    convolve: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Return the woven phases; a phase without taps is zero."""
    sizes = ops.shape(x)[1:-1]
    for dim, (axis, bank) in enumerate(zip(plan, banks, strict=True), start=1):
        x = axes.pad(x, dim, *axis.pads(*reach(bank)))

    def woven(x: Tensor, kernel: Tensor, i: int) -> Tensor:
        """Return the phases of axis `i` and those after it."""
        if i == len(banks):
            return convolve(x, kernel)
        origin, count = min(0, reach(banks[i])[0]), sizes[i] + plan[i].surplus
        parts = {}
        for p, phase in enumerate(banks[i]):
            if phase.taps:
                read = axes.window(x, i + 1, phase.first - origin, count + phase.taps - 1)
                parts[p] = woven(read, axes.fold(kernel, phase.fold, axis=i), i + 1)
        zero = ops.zeros_like(next(iter(parts.values())))
        return axes.interleave([parts.get(p, zero) for p in range(len(banks[i]))], i + 1)

    return axes.crop(woven(x, kernel, 0), sizes, plan)


def _gains(size: Any, factor: int, interpolation: str) -> Any:
    """Return the edge gains `(N, s)`; sizes known only when run get them from ones."""
    size = axes.fixed(size)
    if isinstance(size, int):
        return edge_gain(size, factor, interpolation)
    taps = phase_taps(factor, interpolation)
    position = ops.arange(size)[:, None, None]
    column = position + (
        ops.convert_to_tensor(taps.first, "int32")[:, None]
        + ops.arange(taps.weights.shape[1], dtype="int32")
    )
    inside = ops.logical_and(column >= 0, column < size)
    return 1 / ops.sum(ops.where(inside, ops.cast(taps.weights, "float64"), 0.0), axis=2)
