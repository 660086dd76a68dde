"""Summation by parts: convolve before upsampling, differences and all; `k*k` pointwise products.

With tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` one axis is

    y[n] = S x[(n-pl) // s] + sum over a in 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

and two axes are the tensor product. Differences and matrix products commute: all pixels are
multiplied by all tail sums in one matrix product, then differences are taken and added up.
"""

from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.ops import axes
from polyphase.ops.overlap import Side, add_groups, overlapped
from polyphase.ops.plans import Convolution

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
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
    rows, columns = (_side(kernel.shape[i], factors[i], plan.pads[i], i + 1) for i in (0, 1))
    for i in (0, 1):
        kernel = axes.fold(kernel, _tails(kernel.shape[i]), axis=i)
    y = overlapped(x, kernel, bias, (rows, columns), _spread, _gather)
    if plan.data_format == "channels_first":
        y = ops.transpose(y, (0, 3, 1, 2))
    return ops.cast(y, dtype)


def _side(taps: int, factor: int, pads: tuple[int, int], axis: int) -> Side:
    first, turn = divmod(-pads[0], factor)
    return Side(axis, factor, sum(pads) - taps + 1, first, turn, span=-(-(taps - 1) // factor))


def _tails(taps: int) -> np.ndarray:
    """Return the 0 and 1 that sum a kernel to `S, t[k-1], .., t[1]`."""
    return np.triu(np.ones((taps, taps)))[[0, *range(taps - 1, 0, -1)]]


def _spread(products: Tensor, side: Side, count: Any) -> list[Tensor]:
    """Return the products with `S`, for all phases, and those with `t[k-1] .. t[1]`, in theirs."""
    plain = axes.window(axes.window(products, side.axis, 0, count), side.place, 0, 1)
    taps = products.shape[side.place]
    if taps == 1:
        return [ops.repeat(plain, side.factor, axis=side.place)]
    weighted = axes.window(products, side.place, 1, taps - 1)
    after, before = (
        axes.window(weighted, side.axis, start, count + side.span - 1) for start in (1, 0)
    )
    differences = axes.pad(after - before, side.place, side.span * side.factor - taps + 1, 0)
    return [plain, add_groups(differences, side, count)]


def _gather(g: Tensor, taps: int, side: Side) -> Tensor:
    """Return the adjoint of `_spread`: one axis' phases become what meets `S, t[k-1], .., t[1]`."""

    def padded(part: Tensor, before: int) -> Tensor:
        return axes.pad(part, side.axis, before, side.span - before)

    phases = [axes.window(g, side.place, p, 1) for p in range(side.factor)]
    parts = [padded(sum(phases[1:], phases[0]), 0)]
    for a in range(taps - 1, 0, -1):
        pixels = -(-a // side.factor)
        phase = phases[pixels * side.factor - a]
        parts.append(padded(phase, pixels) - padded(phase, pixels - 1))
    return ops.concatenate(parts, axis=side.place)
