"""Multiply every pixel by all taps in one matrix product, then add up what overlaps."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from polyphase.algebra.geometry import Axis
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.strips import Pads, in_strips, pad_early

Tensor = Any

Spread = Callable[[Tensor, int, Any], list[Tensor]]
Gather = Callable[[Tensor, int], Tensor]


def overlapped(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    plan: Sequence[Axis],
    spans: Sequence[int],
    spread: Spread,
    gather: Gather,
) -> Tensor:
    """Return `(n, *space, c_in)` times `(*taps, c_in, c_out)`, overlaps added up, woven.

    Output `n` of an axis is phase `(n + first) % s` of position `(n + first) // s`, which reads
    that pixel, `first` at most 0, and `span` pixels after it. Products are
    `(n, *space, *taps, c_out)`, then `(n, *positions, *phases, c_out)`. The bias is added strip by
    strip: no second pass over the result, and no second copy of it.

    Args:
        x: the image.
        kernel: what every pixel is multiplied by.
        bias: `(c_out,)`, or None.
        plan: all axes.
        spans: per axis, pixels that a position reads after its first.
        spread: turns the taps of axis `i` into phases of a number of positions: the summands.
        gather: its adjoint.
    """
    rank = len(plan)
    *taps, c_in, c_out = kernel.shape
    matrix = ops.reshape(
        ops.transpose(kernel, (rank, *range(rank), rank + 1)), (c_in, math.prod(taps) * c_out)
    )
    sizes = ops.shape(x)[1:-1]
    counts = [size + axis.surplus for size, axis in zip(sizes, plan, strict=True)]
    firsts = [axis.first // axis.factor for axis in plan]
    reaches = [span + _partial(axis) for span, axis in zip(spans, plan, strict=True)]
    pads = [
        axis.pads(first, first + reach)
        for axis, first, reach in zip(plan, firsts, reaches, strict=True)
    ]

    def compute(strip: Tensor, count: Any, due: Pads) -> Tensor:
        strip, margins = pad_early(strip, (due, *pads[1:]))
        positions = (count, *counts[1:])
        batch, *lengths = ops.shape(strip)[:-1]
        products = ops.reshape(axes.product(strip, matrix), (batch, *lengths, *taps, c_out))

        def assemble(products: Tensor) -> Tensor:
            for dim, margin in enumerate(margins, start=1):
                products = axes.pad(products, dim, *margin)
            return _assemble(products, plan, positions, spread)

        def collect(g: Tensor) -> Tensor:
            products = _collect(g, plan, positions)
            for i in range(rank):
                products = gather(products, i)
            for dim, (margin, length) in enumerate(zip(margins, lengths, strict=True), start=1):
                unread = length + sum(margin) - axes.length(products, dim)
                products = axes.pad(products, dim, 0, unread)
                products = axes.window(products, dim, margin[0], length)
            return products

        return axes.biased(linear(products, assemble, collect), bias)

    row_bytes = 4 * math.prod(sizes[1:]) * math.prod(taps) * c_out
    return axes.crop(in_strips(x, counts[0], reaches[0], pads[0], row_bytes, compute), sizes, plan)


def add_groups(products: Tensor, dim: int, factor: int, count: Any) -> Tensor:
    """Add up groups of `s` taps, each of which meets the pixel before that of the next."""
    tap_dim = tap_axis(products, dim)
    groups = products.shape[tap_dim] // factor
    parts = [
        axes.window(
            axes.window(products, tap_dim, group * factor, factor), dim, groups - 1 - group, count
        )
        for group in range(groups)
    ]
    return sum(parts[1:], parts[0])


def tap_axis(products: Tensor, dim: int) -> int:
    """Return the axis of the taps, then of the phases, that belongs to a spatial axis."""
    return dim + len(products.shape) // 2 - 1


def _partial(axis: Axis) -> int:
    """Return 1 where the first output is not the first phase: there is a position in part."""
    return int(axis.offset > 0)


def _assemble(
    products: Tensor, plan: Sequence[Axis], counts: Sequence[Any], spread: Spread
) -> Tensor:
    parts = [products]
    for i, (axis, count) in enumerate(zip(plan, counts, strict=True)):
        parts = [one for part in parts for one in spread(part, i, count + _partial(axis))]
    y = axes.weave(sum(parts[1:], parts[0]))
    for dim, (axis, count) in enumerate(zip(plan, counts, strict=True), start=1):
        y = axes.window(y, dim, axis.offset, count * axis.factor)
    return y


def _collect(g: Tensor, plan: Sequence[Axis], counts: Sequence[Any]) -> Tensor:
    """Return the phases, side by side, of a gradient: undo weaving and cropping."""
    rank = len(plan)
    split = []
    for dim, (axis, count) in enumerate(zip(plan, counts, strict=True), start=1):
        if axis.offset:
            g = axes.pad(g, dim, axis.offset, axis.factor - axis.offset)
        split += [count + _partial(axis), axis.factor]
    batch, channels = ops.shape(g)[0], g.shape[-1]
    order = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
    return ops.transpose(ops.reshape(g, (batch, *split, channels)), order)
