"""Phases: split a convolution after upsampling, or a transposed convolution, and join it again.

Along one axis, output `n = s*i + p` of either operator is an ordinary convolution of the input,
`y[s*i + p] = sum_t K_p[t] x[i + first_p + t]`. Its kernel `K_p = fold_p @ w` collects taps of the
original kernel `w`. For several axes, take the tensor product.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase of a filter bank along one axis.

    Attributes:
        first: offset of the first tap from the input position `i`, in input pixels.
        fold: `(taps, k)` float64 of 0 and 1: the phase's kernel is `fold @ w`.
    """

    first: int
    fold: np.ndarray

    @property
    def taps(self) -> int:
        """The number of taps of this phase; 0 where a stride is larger than the kernel."""
        return len(self.fold)


@functools.lru_cache(maxsize=1024)
def upsample_conv_phases(
    kernel_size: int, factor: int, before: int, dilation: int = 1
) -> tuple[Phase, ...]:
    """Split "nearest upsampling, then convolution" into its `factor` phases.

    `y[s*i + p] = sum_a w[a] x[i + floor((p + a*dilation - before) / s)]`. Taps that meet the same
    input pixel are added up, so all phases together have `s + k - 1` taps.

    Args:
        kernel_size: taps `k` of the convolution.
        factor: integer upsampling factor `s`.
        before: zeros that the padding adds before the image, in output pixels.
        dilation: distance between taps, in output pixels.

    Example:
        >>> [(p.first, p.fold.tolist()) for p in upsample_conv_phases(3, 2, before=1)]
        [(-1, [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]), (0, [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])]
    """
    return tuple(
        _phase(kernel_size, {a: (p + a * dilation - before) // factor for a in range(kernel_size)})
        for p in range(factor)
    )


@functools.lru_cache(maxsize=1024)
def conv_transpose_phases(
    kernel_size: int, stride: int, crop: int = 0, dilation: int = 1
) -> tuple[Phase, ...]:
    """Split a transposed convolution into its `stride` phases.

    `z[s*i + p] = sum_d W[p + s*d] x[i - d]`, and `y[n] = z[n + crop]`. Every tap of the kernel
    is in exactly one phase, so without dilation no zero is ever multiplied.

    Args:
        kernel_size: taps `k` of the kernel.
        stride: integer stride `s`.
        crop: samples cropped before the full output.
        dilation: distance between taps, in output pixels.

    Example:
        >>> [(p.first, p.fold.tolist()) for p in conv_transpose_phases(3, 2)]
        [(-1, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), (0, [[0.0, 1.0, 0.0]])]
    """
    return tuple(
        _phase(
            kernel_size,
            {
                a: (p + crop - a * dilation) // stride
                for a in range(kernel_size)
                if (p + crop - a * dilation) % stride == 0
            },
        )
        for p in range(stride)
    )


def reach(phases: Sequence[Phase]) -> tuple[int, int]:
    """Return the offsets of the first and the last tap among all phases.

    Example:
        >>> reach(upsample_conv_phases(3, 2, before=1))
        (-1, 1)
    """
    filled = [phase for phase in phases if phase.taps]
    return min(p.first for p in filled), max(p.first + p.taps - 1 for p in filled)


def aligned(phases: Sequence[Phase]) -> np.ndarray:
    """Return `(s * taps, k)`: the folds of all phases, extended to the same range of taps.

    Multiplied by `w`, they are the kernels of all phases, which start at the same pixel.

    Example:
        >>> aligned(upsample_conv_phases(1, 2, before=0)).tolist()
        [[1.0], [1.0]]
    """
    first, last = reach(phases)
    matrix = np.zeros((len(phases), last - first + 1, phases[0].fold.shape[1]))
    for table, phase in zip(matrix, phases, strict=True):
        start = phase.first - first if phase.taps else 0
        table[start : start + phase.taps] = phase.fold
    return matrix.reshape(-1, matrix.shape[2])


def split(kernel: np.ndarray, *axes: Sequence[Phase]) -> Any:
    """Return the kernels of all phases, nested as deep as there are axes: `K[p][q]` for two.

    Args:
        kernel: `(*kernel_size, ...)`, any dtype; trailing axes (channels) are carried along.
        axes: the phases of each axis.

    Returns:
        `K[p][q]`: `(rows[p].taps, columns[q].taps, ...)`, float64.
    """

    def nested(folds: tuple[np.ndarray, ...]) -> Any:
        if len(folds) == len(axes):
            return mapped(kernel, folds)
        return [nested((*folds, phase.fold)) for phase in axes[len(folds)]]

    return nested(())


def join(kernels: Any, *axes: Sequence[Phase]) -> np.ndarray:
    """Return the kernel whose phases are given: the adjoint of `split`.

    In a transposed convolution each tap is in one phase, so this is also the inverse, bit for bit:
    `join(split(w)) == w`.
    """

    def summed(kernels: Any, folds: tuple[np.ndarray, ...]) -> Any:
        if len(folds) == len(axes):
            return mapped(kernels, folds)
        parts = zip(kernels, axes[len(folds)], strict=True)
        return sum(summed(part, (*folds, phase.fold.T)) for part, phase in parts)

    return np.asarray(summed(kernels, ()))


def mapped(kernel: np.ndarray, matrices: Iterable[np.ndarray]) -> np.ndarray:
    """Return a kernel with one matrix applied to each of its first axes."""
    for axis, matrix in enumerate(matrices):
        kernel = np.moveaxis(np.tensordot(matrix, kernel, axes=(1, axis)), 0, axis)
    return kernel


def _phase(kernel_size: int, offsets: dict[int, int]) -> Phase:
    """Build a phase from `{tap of w: offset of the input pixel it meets}`."""
    first = min(offsets.values(), default=0)
    fold = np.zeros((max(offsets.values(), default=first - 1) - first + 1, kernel_size))
    for tap, offset in offsets.items():
        fold[offset - first, tap] = 1.0
    fold.setflags(write=False)
    return Phase(first, fold)
