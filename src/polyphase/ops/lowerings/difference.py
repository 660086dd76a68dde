"""Summation by parts: convolve before upsampling, differences and all; pointwise products.

With tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` one axis is

    y[n] = S x[(n-pl) // s] + sum over a in 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

and several axes are the tensor product. Differences and matrix products commute: all pixels are
multiplied by all tail sums in one matrix product, then differences are taken and added up.
"""

from typing import Any

import numpy as np
from keras import backend, ops

from polyphase.algebra.geometry import Axis
from polyphase.ops import axes
from polyphase.ops.overlap import add_groups, overlapped, tap_axis
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
    folded = plan.folded("difference")
    spans = [-(-axis.span // axis.factor) for axis in folded]
    for i, axis in enumerate(folded):
        kernel = axes.fold(kernel, _tails(axis.taps), axis=i)

    def spread(products: Tensor, i: int, count: Any) -> list[Tensor]:
        return _spread(products, i + 1, folded[i], spans[i], count)

    def gather(g: Tensor, i: int) -> Tensor:
        return _gather(g, i + 1, folded[i], spans[i])

    return ops.cast(overlapped(x, kernel, bias, folded, spans, spread, gather), dtype)


def _tails(taps: int) -> np.ndarray:
    """Return the 0 and 1 that sum a kernel to `S, t[k-1], .., t[1]`."""
    return np.triu(np.ones((taps, taps)))[[0, *range(taps - 1, 0, -1)]]


def _spread(products: Tensor, dim: int, axis: Axis, span: int, count: Any) -> list[Tensor]:
    """Return the products with `S`, for all phases, and those with `t[k-1] .. t[1]`, in theirs."""
    tap_dim = tap_axis(products, dim)
    plain = axes.window(axes.window(products, dim, 0, count), tap_dim, 0, 1)
    taps, factor = axis.taps, axis.factor
    if taps == 1:
        return [ops.repeat(plain, factor, axis=tap_dim)]
    weighted = axes.window(products, tap_dim, 1, taps - 1)
    after, before = (axes.window(weighted, dim, start, count + span - 1) for start in (1, 0))
    differences = axes.pad(after - before, tap_dim, span * factor - taps + 1, 0)
    return [plain, add_groups(differences, dim, factor, count)]


def _gather(g: Tensor, dim: int, axis: Axis, span: int) -> Tensor:
    """Return the adjoint of `_spread`: one axis' phases become what meets `S, t[k-1], .., t[1]`."""
    tap_dim, taps, factor = tap_axis(g, dim), axis.taps, axis.factor

    def padded(part: Tensor, before: int) -> Tensor:
        return axes.pad(part, dim, before, span - before)

    phases = [axes.window(g, tap_dim, p, 1) for p in range(factor)]
    parts = [padded(sum(phases[1:], phases[0]), 0)]
    for a in range(taps - 1, 0, -1):
        pixels = -(-a // factor)
        phase = phases[pixels * factor - a]
        parts.append(padded(phase, pixels) - padded(phase, pixels - 1))
    return ops.concatenate(parts, axis=tap_dim)
