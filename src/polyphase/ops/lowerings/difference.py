"""Summation by parts: convolve before upsampling, differences and all; `k*k` pointwise products.

With tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` one axis is

    y[n] = S x[(n-pl) // s] + sum over a in 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

and two axes are the tensor product. Differences and matrix products commute: all pixels are
multiplied by all tail sums in one matrix product, then differences are taken and added up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.plans import Convolution
from polyphase.ops.strips import in_strips

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Multiply the differences by the tail sums, pixel by pixel; add up; weave.

    Nearest, integer factors, no dilation, one group => the same operator, up to the border.
    Half precision is computed in float32: differences cancel.
    """
    plan.require_plain(x, kernel, "difference")
    dtype = backend.standardize_dtype(x.dtype)
    if dtype != "float64":
        x, kernel = ops.cast(x, "float32"), ops.cast(kernel, "float32")
    if plan.data_format == "channels_first":
        x = ops.transpose(x, (0, 2, 3, 1))
    factors = plan.nearest_factors("difference")
    sides = [_side(kernel.shape[i], factors[i], plan.pads[i], i + 1) for i in (0, 1)]
    sizes = [axes.length(x, side.axis) for side in sides]
    for i, side in enumerate(sides):
        kernel = axes.fold(kernel, side.tails, axis=i)
        x = axes.pad(x, side.axis, -side.first, side.behind)
    y = _phases(
        x, kernel, sides, [n + side.positions for n, side in zip(sizes, sides, strict=True)]
    )
    for side, size in zip(sides, sizes, strict=True):
        y = axes.window(y, side.axis, side.crop, size * side.factor + side.extra)
    if plan.data_format == "channels_first":
        y = ops.transpose(y, (0, 3, 1, 2))
    return ops.cast(y, dtype)


@dataclass(frozen=True)
class _Side:
    """One axis: output `n` is phase `(n + crop) % s` of position `first + (n + crop) // s`.

    Attributes:
        taps: of the kernel.
        factor: of the upsampling.
        axis: of the image.
        extra: the output is `factor * N + extra` long.
        first: the first position, 0 or less.
        crop: samples of the first position that are not wanted.
        positions: how many positions there are, less `N`.
        reach: differences lie up to so many pixels behind the position.
    """

    taps: int
    factor: int
    axis: int
    extra: int
    first: int
    crop: int
    positions: int
    reach: int

    @property
    def behind(self) -> int:
        """Zeros to put behind the image."""
        return max(0, self.first + self.positions + self.reach)

    def phase(self, a: int) -> tuple[int, int]:
        """Return the phase that `t[a]` belongs to, and how far behind its difference ends."""
        pixels = -(-a // self.factor)
        return pixels * self.factor - a, pixels

    @property
    def tails(self) -> np.ndarray:
        """The 0 and 1 that sum a kernel to `S, t[k-1], .., t[1]`."""
        order = [0, *range(self.taps - 1, 0, -1)]
        return np.triu(np.ones((self.taps, self.taps)))[order]


def _side(taps: int, factor: int, pads: tuple[int, int], axis: int) -> _Side:
    first, crop = divmod(-pads[0], factor)
    extra = sum(pads) - taps + 1
    return _Side(
        taps=taps,
        factor=factor,
        axis=axis,
        extra=extra,
        first=first,
        crop=crop,
        positions=-(-(crop + extra) // factor),
        reach=-(-(taps - 1) // factor),
    )


def _phases(x: Tensor, tails: Tensor, sides: list[_Side], counts: list[Any]) -> Tensor:
    """Return all phases of `counts` positions, woven."""
    rows, columns, _, channels = tails.shape
    row_bytes = 4 * ops.shape(x)[2] * rows * columns * channels
    return in_strips(
        x,
        counts[0],
        sides[0].reach,
        row_bytes,
        lambda strip, count: _strip(strip, tails, sides, [count, counts[1]]),
    )


def _strip(x: Tensor, tails: Tensor, sides: list[_Side], counts: list[Any]) -> Tensor:
    return linear(
        _products(x, tails),
        lambda products: _assemble(products, sides, counts),
        lambda g: _collect(g, sides, counts),
    )


def _products(x: Tensor, tails: Tensor) -> Tensor:
    """Multiply every pixel by `(a, b, c_in, c_out)`: `(n, h, w, a, b, c_out)`."""
    rows, columns, c_in, c_out = tails.shape
    matrix = ops.reshape(ops.transpose(tails, (2, 0, 1, 3)), (c_in, rows * columns * c_out))
    flat = axes.product(x, matrix)
    return ops.reshape(flat, (*ops.shape(flat)[:3], rows, columns, c_out))


def _assemble(products: Tensor, sides: list[_Side], counts: list[Any]) -> Tensor:
    """Take the differences of the products, add up what belongs to each phase, and weave."""
    total = 0
    for columns in _spread(products, sides[0], counts[0], 3):
        for part in _spread(columns, sides[1], counts[1], 4):
            total = total + part
    for i, side in enumerate(sides):
        if side.taps == 1:
            total = ops.repeat(total, side.factor, axis=3 + i)
    return axes.weave(total)


def _spread(products: Tensor, side: _Side, count: Any, place: int) -> list[Tensor]:
    """Return the products with `S`, for all phases, and those with `t[k-1] .. t[1]`, in theirs."""
    plain = axes.window(axes.window(products, side.axis, 0, count), place, 0, 1)
    if side.taps == 1:
        return [plain]
    weighted = axes.window(products, place, 1, side.taps - 1)
    after, before = (
        axes.window(weighted, side.axis, start, count + side.reach - 1) for start in (1, 0)
    )
    widths = [(0, 0)] * 6
    widths[place] = (side.reach * side.factor - side.taps + 1, 0)
    differences = ops.pad(after - before, widths)
    groups = [
        axes.window(
            axes.window(differences, place, (side.reach - e) * side.factor, side.factor),
            side.axis,
            e - 1,
            count,
        )
        for e in range(1, side.reach + 1)
    ]
    return [plain, sum(groups[1:], groups[0])]


def _collect(g: Tensor, sides: list[_Side], counts: list[Any]) -> Tensor:
    """Return the adjoint of `_assemble`: what every product adds to, summed."""
    batch, channels = ops.shape(g)[0], g.shape[3]
    vertical, horizontal = (side.factor for side in sides)
    g = ops.reshape(g, (batch, counts[0], vertical, counts[1], horizontal, channels))
    g = ops.transpose(g, (0, 1, 3, 2, 4, 5))
    return _gathered(_gathered(g, sides[0], 3), sides[1], 4)


def _gathered(g: Tensor, side: _Side, place: int) -> Tensor:
    """Return the adjoint of `_spread`: one axis' phases become what meets `S, t[k-1], .., t[1]`."""

    def padded(part: Tensor, before: int) -> Tensor:
        widths = [(0, 0)] * 6
        widths[side.axis] = (before, side.reach - before)
        return ops.pad(part, widths)

    phases = [axes.window(g, place, p, 1) for p in range(side.factor)]
    parts = [padded(sum(phases[1:], phases[0]), 0)]
    for a in range(side.taps - 1, 0, -1):
        phase, pixels = side.phase(a)
        parts.append(padded(phases[phase], pixels) - padded(phases[phase], pixels - 1))
    return ops.concatenate(parts, axis=place)
