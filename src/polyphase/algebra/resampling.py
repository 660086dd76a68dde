"""Resampling along one axis as data: a banded table of weights.

`resampling_matrix` computes the table once, in float64; applying it needs no further mathematics.
The adjoint is the transposed table.
"""

import functools
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from polyphase.algebra.kernels import Kernel, get

Array = Any


@dataclass(frozen=True, eq=False)
class ResamplingMatrix:
    """A banded `(N_out, N_in)` matrix `R`, `y = R x`.

    Attributes:
        first: `(N_out,)` int64; the input index of each row's first tap. It may lie outside
            the image: the weights there are 0.
        weights: `(N_out, taps)` float64; `weights[n, t]` belongs to input `first[n] + t`.
        length: `N_in`, in pixels.

    Example:
        >>> R = resampling_matrix(2, 4, "bilinear")
        >>> R.dense()
        array([[1.  , 0.  ],
               [0.75, 0.25],
               [0.25, 0.75],
               [0.  , 1.  ]])
        >>> R.apply(np.array([0.0, 4.0]))
        array([0., 1., 3., 4.])
    """

    first: np.ndarray
    weights: np.ndarray
    length: int

    @property
    def columns(self) -> np.ndarray:
        """`(N_out, taps)` int64: the input index of every tap, clipped into the image."""
        return np.clip(self.first[:, None] + np.arange(self.weights.shape[1]), 0, self.length - 1)

    def dense(self) -> np.ndarray:
        """Return `R` as a `(N_out, N_in)` float64 array."""
        matrix = np.zeros((len(self.first), self.length))
        np.add.at(matrix, (np.arange(len(self.first))[:, None], self.columns), self.weights)
        return matrix

    def apply(self, x: np.ndarray, axis: int = 0) -> np.ndarray:
        """Return `R x` along `axis`: float64, `N_out` samples instead of `N_in`."""
        taps = np.moveaxis(np.asarray(x, dtype=np.float64), axis, -1)[..., self.columns]
        return np.moveaxis(np.einsum("...nt,nt->...n", taps, self.weights), -1, axis)

    def adjoint(self, y: np.ndarray, axis: int = 0) -> np.ndarray:
        """Return `R^T y` along `axis`, which a gradient needs. It is not an inverse."""
        return self.transpose().apply(y, axis)

    def transpose(self) -> "ResamplingMatrix":
        """Return the banded table of `R^T`, whose width is the most outputs that read one input.

        Example:
            >>> resampling_matrix(2, 4, "bilinear").transpose().weights
            array([[1.  , 0.75, 0.25],
                   [0.25, 0.75, 1.  ]])
        """
        return self._transposed

    @functools.cached_property
    def _transposed(self) -> "ResamplingMatrix":
        row, tap = np.nonzero(self.weights)
        column = self.columns[row, tap]
        first = np.full(self.length, len(self.first))
        last = np.full(self.length, -1)
        np.minimum.at(first, column, row)
        np.maximum.at(last, column, row)
        first = np.minimum(first, last + 1)  # an input that nothing reads has no taps
        weights = np.zeros((self.length, int(np.max(last - first)) + 1))
        np.add.at(weights, (column, row - first[column]), self.weights[row, tap])
        return ResamplingMatrix(first, weights, len(self.first))


def resampling_table(
    kernel: Kernel,
    length: Any,
    out_length: Any,
    xp: ModuleType = np,
    align_corners: bool = False,
) -> tuple[Array, Array]:
    """Return `(first, weights)` of `y[n] = sum_j phi(c(n)-j) x[j] / sum_j phi(c(n)-j)`.

    1. `c(n) = (n + 1/2) / scale - 1/2` with `scale = N_out / N_in` (half-pixel centres), kept
       as the exact fraction `((2n+1) N_in - N_out) / (2 N_out)`. With aligned corners
       `c(n) = n (N_in - 1) / (N_out - 1)`, so the first pixels coincide, and the last.
    2. The first tap is the smallest `j > c(n) - radius`, in integer arithmetic.
    3. Taps outside the image weigh nothing, and every row is divided by its sum.

    Args:
        kernel: the continuous kernel.
        length: `N_in`; an int, or an integer scalar of `xp`.
        out_length: `N_out`; an int, or an integer scalar of `xp`.
        xp: the array namespace: NumPy, or `keras.ops` if sizes are known only when the model runs.
        align_corners: whether corners are aligned; a single output is aligned with the first pixel.

    Returns:
        `first (N_out,)` integers and `weights (N_out, diameter)` floats.
    """
    n = xp.arange(out_length)
    if align_corners:
        numerator, denominator = n * (length - 1), xp.maximum(out_length - 1, 1)
    else:
        numerator, denominator = (2 * n + 1) * length - out_length, 2 * out_length
    first = (2 * numerator - kernel.diameter * denominator) // (2 * denominator) + 1
    column = first[:, None] + np.arange(kernel.diameter)  # int64 as `first`, in every namespace
    distance = (numerator[:, None] - denominator * column) / denominator
    weights = xp.where((column >= 0) & (column < length), kernel(distance, xp), 0.0)
    return first, weights / xp.sum(weights, axis=1, keepdims=True)


@functools.lru_cache(maxsize=1024)
def resampling_matrix(
    length: int, out_length: int, interpolation: str, align_corners: bool = False
) -> ResamplingMatrix:
    """Return the table that resamples `length` pixels to `out_length`.

    Exactness: float64; every row sums to 1 within 1 ulp per tap; constants are preserved.

    Args:
        length: input side in pixels, at least 1.
        out_length: output side in pixels, at least `length` (upsampling: no antialiasing).
        interpolation: a name that `kernels.get` knows.
        align_corners: as in `resampling_table`.

    Raises:
        ValueError: if a side is below 1, the output is smaller than the input, or the name
            is unknown.

    Example:
        >>> resampling_matrix(3, 5, "nearest").first
        array([0, 0, 1, 2, 2])
    """
    if length < 1 or out_length < length:
        raise ValueError(
            "Upsampling needs an input side of at least 1 pixel and an output side of at least "
            f"the input side. Received: input side {length}, output side {out_length}."
        )
    kernel = get(interpolation)
    first, weights = resampling_table(kernel, length, out_length, align_corners=align_corners)
    first.setflags(write=False)
    weights.setflags(write=False)
    return ResamplingMatrix(first, weights, length)


@dataclass(frozen=True, eq=False)
class PhaseTaps:
    """The taps of resampling by an integer factor, which are the same for every position.

    `y[s*i + p] = sum_t weights[p, t] x[i + first[p] + t]`, away from the edges.

    Attributes:
        first: `(s,)` ints: offset of the first tap from position `i`, in input pixels.
        weights: `(s, taps)` float64; rows sum to 1.
    """

    first: tuple[int, ...]
    weights: np.ndarray


@functools.lru_cache(maxsize=256)
def phase_taps(factor: int, interpolation: str) -> PhaseTaps:
    """Return the taps of every phase for an integer factor, from the middle of the table.

    Example:
        >>> phase_taps(2, "bilinear")
        PhaseTaps(first=(-1, 0), weights=array([[0.25, 0.75],
               [0.75, 0.25]]))
    """
    middle = get(interpolation).diameter
    length = 2 * middle + 1
    table = resampling_matrix(length, factor * length, interpolation)
    rows = slice(factor * middle, factor * (middle + 1))
    return PhaseTaps(tuple(int(f) - middle for f in table.first[rows]), table.weights[rows])


def reach(rows: int, factor: int, interpolation: str) -> int:
    """Return how many pixels, counted from an end of the input, the first `rows` outputs read.

    Example:
        >>> reach(3, 2, "bilinear")
        2
    """
    taps = phase_taps(factor, interpolation)
    last = max(row // factor + taps.first[row % factor] for row in range(rows))
    return last + taps.weights.shape[1]


@functools.lru_cache(maxsize=256)
def edge_gain(length: int, factor: int, interpolation: str) -> np.ndarray:
    """Return the gain that renormalises the edges: `R = diag(gain) H`, with zero-padded phases `H`.

    Returns:
        `(length, factor)` float64: the gain of output `factor * i + p` at `[i, p]`; it is 1 away
        from the edges.

    Example:
        >>> edge_gain(2, 2, "bilinear").round(3)
        array([[1.333, 1.   ],
               [1.   , 1.333]])
    """
    taps = phase_taps(factor, interpolation)
    column = (
        np.arange(length)[:, None, None]
        + np.array(taps.first)[None, :, None]
        + np.arange(taps.weights.shape[1])
    )
    inside = (column >= 0) & (column < length)
    return 1 / np.where(inside, taps.weights, 0.0).sum(axis=2)
