"""A filter bank: every phase is an ordinary convolution of the input; then they are woven.

No inserted zero is multiplied, and the upsampled image that a convolution would read never
exists.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

from keras import backend, ops

from polyphase.algebra.phases import Phase
from polyphase.algebra.resampling import edge_gain, phase_taps
from polyphase.ops import axes
from polyphase.ops.banks import Bank, conv_transpose_banks, upsample_conv_banks
from polyphase.ops.gradients import linear
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Add up the shifted input, weighted, once per phase; mend the edges; weave.

    Integer factor => the taps are the same for every position, so slices replace the table; the
    edges' renormalisation is a gain per output.
    """
    factors = plan.factors("phases")
    if plan.interpolation == "nearest":
        return _repeat(x, plan.axes, factors)
    for axis, factor in zip(plan.axes, factors, strict=True):
        forward, adjoint = _resampling(axes.length(x, axis), axis, factor, plan.interpolation)
        x = linear(x, forward, adjoint)
    return x


def upsample_adjoint(g: Tensor, plan: Upsampling) -> Tensor:
    """Return the gradient of `upsample` with respect to the image: the transposed table."""
    for axis, factor in zip(plan.axes, plan.factors("phases"), strict=True):
        size = axes.length(g, axis) // factor
        g = _resampling(size, axis, factor, plan.interpolation)[1](g)
    return g


def _repeat(x: Tensor, spatial: tuple[int, int], factors: tuple[int, int]) -> Tensor:
    """Copy every pixel into all its phases, in one pass; the gradient adds the phases up."""
    vertical, horizontal = spatial
    shape = list(ops.shape(x))
    split = list(shape)
    split.insert(horizontal + 1, factors[1])
    split.insert(vertical + 1, factors[0])
    joined = list(shape)
    joined[vertical] = shape[vertical] * factors[0]
    joined[horizontal] = shape[horizontal] * factors[1]
    behind = math.prod(shape[horizontal + 1 :])
    front = (slice(None),) * (vertical + 1)

    def repeat(x: Tensor) -> Tensor:
        single = ops.expand_dims(ops.expand_dims(x, horizontal + 1), vertical + 1)
        return ops.reshape(ops.broadcast_to(single, split), joined)

    def add(g: Tensor) -> Tensor:
        if backend.backend() == "tensorflow":  # whose slices of six axes are slow
            rows = ops.reshape(g, (-1, factors[0], joined[horizontal] * behind))
            columns = ops.reshape(ops.sum(rows, axis=1), (-1, factors[1], behind))
            return ops.reshape(ops.sum(columns, axis=1), shape)
        phases = ops.reshape(g, split)
        return sum(
            phases[(*front, p, slice(None), q)]
            for p in range(factors[0])
            for q in range(factors[1])
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
                _shifted(x, axis, size, shifts) * axes.along(gains[:, p], axis, x.dtype)
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
                phase * axes.along(gains[:, p], axis, g.dtype),
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
    factors = plan.nearest_factors("phases")
    convolve = _convolution(plan.data_format)
    y = _filter_bank(x, kernel, upsample_conv_banks(kernel, plan, factors), convolve)
    return axes.biased(y, bias, plan.channel)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Add up the shifted image, every channel weighted, once per phase.

    A channel is convolved alone => a product with a vector instead of a convolution, which a
    compiler turns into one loop.
    """
    factors = plan.nearest_factors("phases")
    image = ops.repeat(x, kernel.shape[3], axis=plan.channel)
    weights = ops.reshape(kernel, (*kernel.shape[:2], -1))
    banks = upsample_conv_banks(kernel, plan, factors)

    def convolve(part: Tensor, folded: Tensor) -> Tensor:
        rows, columns = folded.shape[:2]
        sides = [
            axes.length(part, bank.axis) - taps + 1
            for bank, taps in zip(banks, (rows, columns), strict=True)
        ]
        total = 0
        for a, b in itertools.product(range(rows), range(columns)):
            line = axes.window(part, plan.axes[0], a, sides[0])
            tap = axes.window(line, plan.axes[1], b, sides[1])
            total = total + tap * axes.along(folded[a, b], plan.channel, part.dtype)
        return total

    return axes.biased(_filter_bank(image, weights, banks, convolve), bias, plan.channel)


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Convolve the input with every phase's taps `W[p], W[p+s], ...`."""
    swapped = ops.transpose(kernel, (0, 1, 3, 2))
    banks = conv_transpose_banks(kernel, plan)
    y = _filter_bank(x, swapped, banks, _convolution(plan.data_format))
    return axes.biased(y, bias, plan.channel)


def _convolution(data_format: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, kernel: ops.conv(x, kernel, padding="valid", data_format=data_format)


def _filter_bank(
    x: Tensor, kernel: Tensor, banks: list[Bank], convolve: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Return the woven phases; a phase without taps is zero."""
    rows, columns = banks
    padded = columns.pad(rows.pad(x))
    lines = []
    for row in rows.phases:
        folded = axes.fold(kernel, row.fold, axis=0) if row.taps else None
        band = _reached(padded, rows, row, rows.positions(x))
        lines.append(
            [
                convolve(
                    _reached(band, columns, column, columns.positions(x)),
                    axes.fold(folded, column.fold, axis=1),
                )
                if folded is not None and column.taps
                else None
                for column in columns.phases
            ]
        )
    zero = ops.zeros_like(next(part for line in lines for part in line if part is not None))
    woven = axes.interleave(
        [
            axes.interleave([zero if part is None else part for part in line], columns.axis)
            for line in lines
        ],
        rows.axis,
    )
    return columns.crop(x, rows.crop(x, woven))


def _reached(padded: Tensor, bank: Bank, phase: Phase, positions: Any) -> Tensor:
    """Cut what a phase reads out of the padded image."""
    return axes.window(padded, bank.axis, phase.first - bank.start, positions + phase.taps - 1)


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
