"""The difference form of nearest upsampling and convolution: summation by parts.

With tail sums `t[a] = w[a] + ... + w[k-1]`, `S = t[0]` and `delta[j] = x[j] - x[j-1]` (x is 0
outside), one axis is

    y[n] = S x[(n-pl) // s] + sum over a = 1..k-1 with (n-pl+a) mod s = 0 of t[a] delta[(n-pl+a)/s]

Each `a` occurs in one phase, so all `s` outputs of a position cost `k` products, whatever `s`.
No earlier use of this elementary identity for the purpose was found.
"""

from collections.abc import Iterator

import numpy as np

from polyphase.algebra.geometry import conv_length, padding_amounts
from polyphase.algebra.resampling import ResamplingMatrix


def tail_sums(kernel: np.ndarray) -> np.ndarray:
    """Return `T[a, b] = sum of kernel[a:, b:]` along the first two axes.

    Example:
        >>> tail_sums(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([[10.,  6.],
               [ 7.,  4.]])
    """
    return np.cumsum(np.cumsum(kernel[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]


def tail_sums_adjoint(gradient: np.ndarray) -> np.ndarray:
    """Return the adjoint of `tail_sums`: sums from the near end along the first two axes.

    Example:
        >>> tail_sums_adjoint(np.ones((2, 2)))
        array([[1., 2.],
               [2., 4.]])
    """
    return np.cumsum(np.cumsum(gradient, axis=0), axis=1)


def difference_tables(
    length: int, kernel_size: int, factor: int, padding: str
) -> list[ResamplingMatrix]:
    """Return `B_0..B_(k-1)` with `y = sum_a t[a] B_a x` along one axis.

    `B_0` repeats `x`; row `n` of `B_a`, `a >= 1`, is `delta[(n-pl+a)/s]` in its own phase and 0
    in the others.

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
        x: `(height, width, c_in)`.
        kernel: `(k_h, k_w, c_in, c_out)`.
        factor: integer upsampling factor of both axes.
        padding: "same" or "valid".

    Returns:
        `(out_height, out_width, c_out)`, float64.
    """
    weights = tail_sums(kernel)
    return sum(
        component @ weights[a, b] for (a, b), component in _components(x, kernel, factor, padding)
    )


def upsample_conv_adjoint(
    x: np.ndarray, kernel: np.ndarray, gradient: np.ndarray, factor: int, padding: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients `(x, kernel)` of `sum(gradient * upsample_conv(x, kernel, ...))`.

    Again `k*k` pointwise products each, like the form itself.
    """
    rows, columns = _tables(x, kernel, factor, padding)
    weights = tail_sums(kernel)
    x_gradient = np.zeros(x.shape)
    for a, row in enumerate(rows):
        for b, column in enumerate(columns):
            x_gradient += row.adjoint(column.adjoint(gradient @ weights[a, b].T, axis=1), axis=0)
    tail_gradient = np.zeros(kernel.shape)
    for (a, b), component in _components(x, kernel, factor, padding):
        tail_gradient[a, b] = np.tensordot(component, gradient, axes=((0, 1), (0, 1)))
    return x_gradient, tail_sums_adjoint(tail_gradient)


def _components(
    x: np.ndarray, kernel: np.ndarray, factor: int, padding: str
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    rows, columns = _tables(x, kernel, factor, padding)
    for a, row in enumerate(rows):
        differenced = row.apply(x, axis=0)
        for b, column in enumerate(columns):
            yield (a, b), column.apply(differenced, axis=1)


def _tables(
    x: np.ndarray, kernel: np.ndarray, factor: int, padding: str
) -> tuple[list[ResamplingMatrix], list[ResamplingMatrix]]:
    rows, columns = (
        difference_tables(x.shape[axis], kernel.shape[axis], factor, padding) for axis in (0, 1)
    )
    return rows, columns


def _masked(first: np.ndarray, weights: np.ndarray, length: int) -> ResamplingMatrix:
    """Build a table whose taps outside the image weigh nothing (x is 0 there)."""
    column = first[:, None] + np.arange(weights.shape[1])
    return ResamplingMatrix(
        first, np.where((column >= 0) & (column < length), weights, 0.0), length
    )
