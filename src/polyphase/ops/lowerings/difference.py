"""Summation by parts: convolve before upsampling, differences and all; `k*k` pointwise products.

With tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` one axis is

    y[n] = S x[(n-pl) // s] + sum over a in 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

and two axes are the tensor product: four matrix products over the channels, of the image and of
its vertical, its horizontal and its mixed differences, whose results are added phase by phase.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.ops import axes
from polyphase.ops.plans import Convolution

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
    sizes = [axes.length(x, side.axis) * side.factor + side.extra for side in sides]
    y = axes.weave(_phases(x, kernel, sides))
    for side, size in zip(sides, sizes, strict=True):
        y = axes.window(y, side.axis, side.crop, size)
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


def _phases(x: Tensor, kernel: Tensor, sides: list[_Side]) -> Tensor:
    """Return all phases of all positions: `(batch, rows, columns, s_h, s_w, c_out)`."""
    for i, side in enumerate(sides):
        kernel = axes.fold(kernel, side.tails, axis=i)
    total = 0
    for vertical, columns in _parts(x, sides[0]):
        for horizontal, image in _parts(columns, sides[1]):
            rows = kernel[1:] if vertical else kernel[:1]
            product = _product(image, rows[:, 1:] if horizontal else rows[:, :1])
            if vertical:
                product = _spread(product, sides[0], x, 3)
            if horizontal:
                product = _spread(product, sides[1], x, 4)
            total = total + product
    for i, side in enumerate(sides):
        if side.taps == 1:
            total = ops.repeat(total, side.factor, axis=3 + i)
    return total


def _parts(x: Tensor, side: _Side) -> list[tuple[bool, Tensor]]:
    """Return the image at every position, and its differences from the next position on."""
    count = axes.length(x, side.axis) + side.positions
    behind = max(0, side.first + side.positions + side.reach)
    padded = axes.pad(x, side.axis, -side.first, behind)
    image = axes.window(padded, side.axis, 0, count)
    if side.taps == 1:
        return [(False, image)]
    after, before = (
        axes.window(padded, side.axis, start, count + side.reach - 1) for start in (1, 0)
    )
    return [(False, image), (True, after - before)]


def _product(image: Tensor, tails: Tensor) -> Tensor:
    """Multiply the channels of every pixel by `(a, b, c_in, c_out)`: `(n, h, w, a, b, c_out)`."""
    rows, columns, c_in, c_out = tails.shape
    matrix = ops.reshape(ops.transpose(tails, (2, 0, 1, 3)), (c_in, rows * columns * c_out))
    flat = axes.product(image, matrix)
    return ops.reshape(flat, (*ops.shape(flat)[:3], rows, columns, c_out))


def _spread(product: Tensor, side: _Side, x: Tensor, place: int) -> Tensor:
    """Bring the products with `t[k-1] .. t[1]`, on axis `place`, into their phases.

    `t[a]` belongs to phase `s*e - a` and reads the difference `e` pixels behind, `e = ceil(a/s)`.
    """
    widths = [(0, 0)] * 6
    widths[place] = (side.reach * side.factor - side.taps + 1, 0)
    padded = ops.pad(product, widths)
    count = axes.length(x, side.axis) + side.positions
    groups = [
        axes.window(
            axes.window(padded, place, (side.reach - e) * side.factor, side.factor),
            side.axis,
            e - 1,
            count,
        )
        for e in range(1, side.reach + 1)
    ]
    return sum(groups[1:], groups[0])
