"""The difference form of nearest upsampling and convolution: summation by parts.

With the tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` (`x` is 0
outside), the result along one axis is

    y[n] = S x[(n-pl) // s] + sum over a = 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

Each `a` occurs in one phase, so all `s` outputs of a position together cost `k` products, whatever
`s` is. We found no earlier use of this elementary identity for the purpose.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from polyphase.algebra.geometry import conv_length, padding_amounts
from polyphase.algebra.resampling import ResamplingMatrix


def tail_sums(kernel: np.ndarray) -> np.ndarray:
    """Return `T[a, b] = sum of kernel[a:, b:]` along all axes but the last two, the channels.

    Example:
        >>> tail_sums(np.array([[1.0, 2.0], [3.0, 4.0]])[:, :, None, None])[:, :, 0, 0]
        array([[10.,  6.],
               [ 7.,  4.]])
    """
    axes = tuple(range(kernel.ndim - 2))
    return np.flip(tail_sums_adjoint(np.flip(kernel, axes)), axes)


def tail_sums_adjoint(gradient: np.ndarray) -> np.ndarray:
    """Return the adjoint of `tail_sums`: sums from the first tap on.

    Example:
        >>> tail_sums_adjoint(np.ones((2, 2, 1, 1)))[:, :, 0, 0]
        array([[1., 2.],
               [2., 4.]])
    """
    for axis in range(gradient.ndim - 2):
        gradient = np.cumsum(gradient, axis=axis)
    return gradient


def difference_tables(
    length: int, kernel_size: int, factor: int, padding: str
) -> list[ResamplingMatrix]:
    """Return `B_0..B_(k-1)` with `y = sum_a t[a] B_a x` along one axis.

    `B_0` repeats `x`. For `a >= 1`, row `n` of `B_a` gives `delta[(n-pl+a)/s]` in its own phase,
    and 0 in the others.

    Args:
        length: input pixels `N`, at least 1.
        kernel_size: taps `k`.
        factor: integer upsampling factor `s`.
        padding: "same" or "valid".

    Raises:
        ValueError: if the kernel does not fit into the upsampled input.
    """
    before, _ = padding_amounts(kernel_size, padding)
    shifted = np.arange(conv_length(length * factor, kernel_size, padding)) - before
    repeat = _masked(shifted // factor, np.ones((len(shifted), 1)), length)
    return [repeat] + [
        _masked(
            (shifted + a) // factor - 1,
            np.where((shifted + a) % factor == 0, 1.0, 0.0)[:, None] * [-1.0, 1.0],
            length,
        )
        for a in range(1, kernel_size)
    ]


def upsample_conv(x: np.ndarray, kernel: np.ndarray, factor: int, padding: str) -> np.ndarray:
    """Return nearest upsampling by `factor`, then convolution, in difference form.

    Args:
        x: `(*space, c_in)`.
        kernel: `(*kernel_size, c_in, c_out)`.
        factor: integer upsampling factor, the same along all axes.
        padding: "same" or "valid".

    Returns:
        `(*out_space, c_out)`, float64.
    """
    weights = tail_sums(kernel)
    return sum(
        _apply(tables, x) @ weights[taps] for taps, tables in _tables(x, kernel, factor, padding)
    )


def upsample_conv_adjoint(
    x: np.ndarray, kernel: np.ndarray, gradient: np.ndarray, factor: int, padding: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients `(x, kernel)` of `sum(gradient * upsample_conv(x, kernel, ...))`.

    Each costs one pointwise product per tap, as the form itself does.
    """
    weights = tail_sums(kernel)
    x_gradient, tail_gradient = np.zeros(x.shape), np.zeros(kernel.shape)
    space = tuple(range(x.ndim - 1))
    for taps, tables in _tables(x, kernel, factor, padding):
        back = [table.transpose() for table in tables]
        x_gradient += _apply(back, gradient @ weights[taps].T)
        tail_gradient[taps] = np.tensordot(_apply(tables, x), gradient, axes=(space, space))
    return x_gradient, tail_sums_adjoint(tail_gradient)


def _apply(tables: Sequence[ResamplingMatrix], x: np.ndarray) -> np.ndarray:
    for axis, table in enumerate(tables):
        x = table.apply(x, axis)
    return x


def _tables(
    x: np.ndarray, kernel: np.ndarray, factor: int, padding: str
) -> Iterator[tuple[tuple[int, ...], tuple[ResamplingMatrix, ...]]]:
    """Yield every tap's index and the tables of its axes."""
    axes = [
        difference_tables(length, taps, factor, padding)
        for length, taps in zip(x.shape[:-1], kernel.shape[:-2], strict=True)
    ]
    yield from zip(np.ndindex(kernel.shape[:-2]), itertools.product(*axes), strict=True)


def _masked(first: np.ndarray, weights: np.ndarray, length: int) -> ResamplingMatrix:
    """Build a table whose taps outside the image weigh nothing (x is 0 there)."""
    column = first[:, None] + np.arange(weights.shape[1])
    return ResamplingMatrix(
        first, np.where((column >= 0) & (column < length), weights, 0.0), length
    )
