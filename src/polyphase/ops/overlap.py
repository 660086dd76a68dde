"""Multiply every pixel by all taps in one matrix product, then add up what overlaps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.strips import Pads, in_strips, pad_early

Tensor = Any


@dataclass(frozen=True)
class Side:
    """One axis: output `n` is phase `(n + turn) % s` of pixel `first + (n + turn) // s`.

    Attributes:
        axis: of the image, 1 or 2.
        factor: phases `s`.
        extra: the output is `s * N + extra` long.
        first: the first output's pixel, 0 or less.
        turn: the first output's phase.
        span: outputs look at so many pixels more than their own.
    """

    axis: int
    factor: int
    extra: int
    first: int
    turn: int
    span: int

    @property
    def place(self) -> int:
        """The axis of the taps, then of the phases, in `(n, h, w, taps_h, taps_w, c)`."""
        return self.axis + 2

    @property
    def more(self) -> int:
        """How many positions, of `s` outputs each, the output needs, less `N`."""
        return -(-self.extra // self.factor)

    @property
    def reach(self) -> int:
        """How many pixels more than its positions the outputs look at."""
        return self.span + (self.turn > 0)

    @property
    def pads(self) -> Pads:
        """Zeros to put before and behind the image."""
        return -self.first, max(0, self.first + self.more + self.reach)

    def pixels(self, count: Any) -> Any:
        """Return how many pixels have outputs in so many positions."""
        return count + (self.turn > 0)


Spread = Callable[[Tensor, Side, Any], list[Tensor]]
Gather = Callable[[Tensor, int, Side], Tensor]


def overlapped(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    sides: tuple[Side, Side],
    spread: Spread,
    gather: Gather,
) -> Tensor:
    """Return `(n, h, w, c_in)` times `(taps_h, taps_w, c_in, c_out)`, overlaps added up, woven.

    The bias is added strip by strip: no second pass over the result, and no second copy of it.

    Args:
        x: the image.
        kernel: what every pixel is multiplied by.
        bias: `(c_out,)`, or None.
        sides: of both axes.
        spread: turns one axis' taps into phases of as many pixels as asked for: the summands.
        gather: its adjoint, called with the phases, the number of taps and the side.
    """
    rows, columns, c_in, c_out = kernel.shape
    matrix = ops.reshape(ops.transpose(kernel, (2, 0, 1, 3)), (c_in, rows * columns * c_out))
    sizes = ops.shape(x)[1:3]
    across = sizes[1] + sides[1].more

    def compute(strip: Tensor, count: Any, pads: Pads) -> Tensor:
        strip, margins = pad_early(strip, (pads, sides[1].pads))
        counts = (count, across)
        batch, *size = ops.shape(strip)[:3]
        products = ops.reshape(axes.product(strip, matrix), (batch, *size, rows, columns, c_out))

        def assemble(products: Tensor) -> Tensor:
            for side, margin in zip(sides, margins, strict=True):
                products = axes.pad(products, side.axis, *margin)
            return _assemble(products, sides, counts, spread)

        def collect(g: Tensor) -> Tensor:
            products = _collect(g, sides, counts)
            for side, taps in zip(sides, (rows, columns), strict=True):
                products = gather(products, taps, side)
            for side, margin, length in zip(sides, margins, size, strict=True):
                unread = length + sum(margin) - axes.length(products, side.axis)
                products = axes.pad(products, side.axis, 0, unread)
                products = axes.window(products, side.axis, margin[0], length)
            return products

        return axes.biased(linear(products, assemble, collect), bias, 3)

    row_bytes = 4 * sizes[1] * rows * columns * c_out
    y = in_strips(x, sizes[0] + sides[0].more, sides[0].reach, sides[0].pads, row_bytes, compute)
    for side, size in zip(sides, sizes, strict=True):
        y = axes.window(y, side.axis, 0, size * side.factor + side.extra)
    return y


def add_groups(products: Tensor, side: Side, count: Any) -> Tensor:
    """Add up groups of `s` taps, each of which meets the pixel before that of the next."""
    groups = products.shape[side.place] // side.factor
    parts = [
        axes.window(
            axes.window(products, side.place, group * side.factor, side.factor),
            side.axis,
            groups - 1 - group,
            count,
        )
        for group in range(groups)
    ]
    return sum(parts[1:], parts[0])


def _assemble(
    products: Tensor, sides: tuple[Side, Side], counts: tuple[Any, Any], spread: Spread
) -> Tensor:
    total = 0
    for columns in spread(products, sides[0], sides[0].pixels(counts[0])):
        for part in spread(columns, sides[1], sides[1].pixels(counts[1])):
            total = total + part
    y = axes.weave(total)
    for side, count in zip(sides, counts, strict=True):
        y = axes.window(y, side.axis, side.turn, count * side.factor)
    return y


def _collect(g: Tensor, sides: tuple[Side, Side], counts: tuple[Any, Any]) -> Tensor:
    """Return the phases, side by side, of a gradient: undo weaving and cropping."""
    split = [ops.shape(g)[0]]
    for side, count in zip(sides, counts, strict=True):
        if side.turn:
            g = axes.pad(g, side.axis, side.turn, side.factor - side.turn)
        split += [side.pixels(count), side.factor]
    return ops.transpose(ops.reshape(g, (*split, g.shape[3])), (0, 1, 3, 2, 4, 5))
