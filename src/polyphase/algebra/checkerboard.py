"""Checkerboards: overlap counts, DC gain per phase, chi, the pattern, the least-change repair.

A constant input gives a constant output if and only if all phases have the same DC gain
`G_p`, the `(c_in, c_out)` sum of the phase's taps.
"""

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np

from polyphase.algebra.channel_order import dcr_channels


def overlap_counts(
    kernel_size: Sequence[int], strides: Sequence[int], crop: Sequence[int] | None = None
) -> np.ndarray:
    """Return how many taps each phase of a transposed convolution has.

    Unequal counts are the uneven overlap of Odena et al.: even a constant kernel then makes a
    checkerboard.

    Args:
        kernel_size: taps per axis.
        strides: strides per axis.
        crop: samples cropped before the output, per axis, at least 0; default: none.

    Returns:
        Integers of the shape `strides`, in the order of the output: `[p, q]` belongs to all pixels
        `(s_h*i + p, s_w*j + q)`.

    Reference: Odena, Dumoulin, Olah, "Deconvolution and checkerboard artifacts", Distill 2016.

    Example:
        >>> overlap_counts((3, 3), (2, 2))
        array([[4, 2],
               [2, 1]])
        >>> overlap_counts((3, 3), (2, 2), crop=(1, 1))
        array([[1, 2],
               [2, 4]])
    """
    counts = (
        [len(range(p, k, s)) for p in phases]
        for k, s, phases in zip(kernel_size, strides, _kernel_phases(strides, crop), strict=True)
    )
    return functools.reduce(np.multiply.outer, map(np.array, counts))


def conv_transpose_gains(
    kernel: np.ndarray, strides: Sequence[int], crop: Sequence[int] | None = None
) -> np.ndarray:
    """Return the DC gain of every phase of a transposed convolution.

    Args:
        kernel: `(*kernel_size, c_out, c_in)`.
        strides: strides per axis.
        crop: samples cropped before the output, per axis, at least 0; default: none.

    Returns:
        `G (*strides, c_in, c_out)`, float64, in the order of the output: `G[p, q]` belongs to all
        pixels `(s_h*i + p, s_w*j + q)`; 0 where a phase has no tap.
    """
    spatial = tuple(range(len(strides)))
    gains = [
        kernel[_taps(phase, strides)].sum(axis=spatial, dtype=np.float64).T
        for phase in itertools.product(*_kernel_phases(strides, crop))
    ]
    return np.reshape(gains, (*strides, *gains[0].shape))


def _kernel_phases(strides: Sequence[int], crop: Sequence[int] | None) -> list[list[int]]:
    """Return which phase of the kernel each output phase is: `y[n] = z[n + crop]`; per axis."""
    crop = crop or [0] * len(strides)
    return [[(p + c) % s for p in range(s)] for s, c in zip(strides, crop, strict=True)]


def _taps(phase: Sequence[int], strides: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(p, None, s) for p, s in zip(phase, strides, strict=True))


def sub_pixel_gains(kernel: np.ndarray, factor: Sequence[int], order: str = "dcr") -> np.ndarray:
    """Return the DC gain of every phase of a sub-pixel convolution.

    Args:
        kernel: `(*kernel_size, c_in, prod(factor) * c_out)`.
        factor: upsampling factors per axis.
        order: order of the last axis, as in `channel_order`.

    Returns:
        `G (*factor, c_in, c_out)`, float64.
    """
    summed = kernel.sum(axis=tuple(range(len(factor))), dtype=np.float64)
    summed = summed[:, dcr_channels(summed.shape[1], math.prod(factor), order)]
    return np.moveaxis(summed.reshape(len(summed), *factor, -1), 0, -2)


def checkerboard_gain(gains: np.ndarray) -> float:
    """Return `chi = sqrt(mean_p ||G_p - G||^2) / ||G||`, `G = mean_p G_p` (Frobenius norms).

    0: constants stay constant. 1: the pattern is as strong as the signal. Infinite: nothing but a
    pattern.

    Args:
        gains: DC gains, `(*factor, c_in, c_out)`.

    Example:
        >>> flat = conv_transpose_gains(np.ones((4, 4, 1, 1)), (2, 2))
        >>> uneven = conv_transpose_gains(np.ones((3, 3, 1, 1)), (2, 2))
        >>> checkerboard_gain(flat), round(checkerboard_gain(uneven), 3)
        (0.0, 0.484)
    """
    mean = _mean(gains)
    spread = float(np.sqrt(((gains - mean) ** 2).sum(axis=(-2, -1)).mean()))
    norm = float(np.linalg.norm(mean))
    if norm == 0.0:
        return 0.0 if spread == 0.0 else float("inf")
    return spread / norm


def _mean(gains: np.ndarray) -> np.ndarray:
    return np.asarray(gains.mean(axis=tuple(range(gains.ndim - 2))))


def pattern(gains: np.ndarray) -> np.ndarray:
    """Return what a layer makes of a constant, divided by its mean: its strongest pattern.

    The deviations `G_p - G` of `P` phases are `P` vectors. Their first principal component over
    the phases, in units of `||G||`, is what most of the layer's channels show. Its mean square is
    at most `chi^2`; with one input and one output channel they are equal.

    Args:
        gains: DC gains, `(*factor, c_in, c_out)`, with `||G|| > 0`.

    Returns:
        An array of the shape `factor` with mean 1; all 1 if chi is 0.

    Example:
        >>> pattern(conv_transpose_gains(np.ones((3, 3, 1, 1)), (2, 2))).round(2)
        array([[1.78, 0.89],
               [0.89, 0.44]])
    """
    mean = _mean(gains)
    flat = (gains - mean).reshape(-1, mean.size) / np.linalg.norm(mean)
    sizes, vectors = np.linalg.eigh(flat @ flat.T)
    strongest = vectors[:, -1] * np.sqrt(max(sizes[-1], 0.0))
    along = float(strongest @ (flat @ mean.ravel()))
    sign = np.sign(along) if along else np.sign(strongest[np.abs(strongest).argmax()])
    return np.asarray(1 + (sign * strongest).reshape(gains.shape[:-2]))


def repair(kernel: np.ndarray, strides: Sequence[int]) -> np.ndarray:
    """Return the nearest kernel (Frobenius norm) all of whose phases have the mean DC gain `G`.

    It adds `(G - G_p) / T_p` to each of the `T_p` taps of phase `p`, so the mean response to a
    constant stays the same. If all `T_p` are equal, this is the projection onto chi = 0. If they
    are not, that projection would change `G` to the mean weighted by `1 / T_p`.

    Args:
        kernel: `(*kernel_size, c_out, c_in)`.
        strides: strides per axis, each at most the kernel's size.

    Returns:
        A new float64 array of the same shape.

    Raises:
        ValueError: if a phase has no tap, which cannot be repaired.

    Example:
        >>> calm = repair(np.ones((3, 3, 1, 1)), (2, 2))
        >>> checkerboard_gain(conv_transpose_gains(calm, (2, 2))) < 1e-12
        True
    """
    counts = overlap_counts(kernel.shape[:-2], strides)
    if counts.min() == 0:
        raise ValueError(
            "A phase without a tap is always 0 and cannot be repaired. Received: kernel size "
            f"{kernel.shape[:-2]}, strides {tuple(strides)}. Use a kernel at least as large as "
            "the stride, or upsampling followed by a convolution."
        )
    gains = conv_transpose_gains(kernel, strides)
    change = (_mean(gains) - gains) / counts[..., None, None]
    repaired = np.array(kernel, dtype=np.float64)
    for phase in np.ndindex(counts.shape):
        repaired[_taps(phase, strides)] += change[phase].T
    return repaired


def repair_sub_pixel(kernel: np.ndarray, factor: Sequence[int], order: str = "dcr") -> np.ndarray:
    """Return the nearest kernel of a sub-pixel convolution whose phases have the same DC gain.

    Every phase has all taps of the kernel, so this is the projection onto chi = 0.

    Args:
        kernel: `(*kernel_size, c_in, prod(factor) * c_out)`.
        factor: upsampling factors per axis.
        order: order of the last axis, as in `channel_order`.

    Returns:
        A new float64 array of the same shape.

    Example:
        >>> kernel = np.arange(16.0).reshape(2, 2, 1, 4)
        >>> checkerboard_gain(sub_pixel_gains(repair_sub_pixel(kernel, (2, 2)), (2, 2)))
        0.0
    """
    gains = sub_pixel_gains(kernel, factor, order)
    change = (_mean(gains) - gains) / math.prod(kernel.shape[:-2])
    channels = dcr_channels(kernel.shape[-1], math.prod(factor), order)
    repaired = np.array(kernel, dtype=np.float64)
    repaired[..., channels] += np.moveaxis(change, -2, 0).reshape(kernel.shape[-2:])
    return repaired
