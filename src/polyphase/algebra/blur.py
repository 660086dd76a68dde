"""Every interpolation by an integer factor is nearest, then a fixed blur of the upsampled image.

Side by side, the phases of an interpolation are one filter `h` of the zero-inserted signal. For
nearest that filter is the box of `s` ones. Every phase sums to 1, so `H(z)` vanishes at the `s`-th
roots of unity other than 1, as the box does. Therefore `h = box * q` without a remainder, and `q`
sums to 1.
"""

import functools

import numpy as np

from polyphase.algebra.geometry import Axis
from polyphase.algebra.resampling import phase_taps


@functools.lru_cache(maxsize=256)
def blur(factor: int, interpolation: str) -> np.ndarray:
    """Return the filter `q` that turns nearest into an interpolation: `R x = q * (U x)`.

    This holds wherever no tap of the interpolation lies outside the image: for all outputs but the
    first `len(q) // 2` and as many at the end.

    Exactness: float64; the remainder of the division is 0 up to rounding.

    Args:
        factor: integer upsampling factor, at least 1.
        interpolation: a name that `kernels.get` knows.

    Returns:
        `(2 r + 1,)` float64, symmetric, with sum 1; the middle tap is at the output itself.

    Reference: "Every other interpolation is nearest, blurred" in docs/mathematics.md.

    Example:
        >>> blur(2, "bilinear"), blur(3, "bilinear").round(3), blur(2, "nearest")
        (array([0.25, 0.5 , 0.25]), array([0.333, 0.333, 0.333]), array([1.]))
    """
    quotient = _divided(_filter(factor, interpolation), factor)
    quotient.setflags(write=False)
    return quotient


def border(axis: Axis, q: np.ndarray) -> tuple[int, int]:
    """Return how many outputs at each end differ from nearest, convolved and then blurred.

    There the blur reaches an output that reads padding. The padding is zero, but the interpolation
    continues.

    Args:
        axis: the axis of the convolution.
        q: the blur along it.

    Example:
        >>> border(Axis(3, first=-1), blur(2, "bilinear")), border(Axis(3), blur(2, "nearest"))
        ((2, 2), (0, 0))
    """
    radius = len(q) // 2
    before, after = axis.padding
    return (radius + before, radius + after) if radius else (0, 0)


def continuation(axis: Axis, factor: int, q: np.ndarray) -> int:
    """Return by how many pixels an image must be continued so that no output reads beyond it.

    Outputs are those after the blur.

    Args:
        axis: the axis of the convolution.
        factor: upsampling factor, an integer.
        q: the blur along the axis; if it does not blur, nothing is continued.

    Example:
        >>> continuation(Axis(3, first=-1), 2, blur(2, "bilinear"))
        1
    """
    radius = len(q) // 2
    return -(-(radius + max(axis.padding)) // factor) if radius else 0


def outer_taps(axis: Axis) -> tuple[int, int]:
    """Return how many of a kernel's first and last taps can read outside the image.

    Example:
        >>> outer_taps(Axis(5, first=-2)), outer_taps(Axis(3, dilation=2, first=-2))
        ((2, 2), (1, 1))
    """
    before, after = (-(-count // axis.dilation) for count in axis.padding)
    return before, after


def _filter(factor: int, interpolation: str) -> np.ndarray:
    """Return `h`: tap `t` of phase `p` meets input `first + t`, `s (first + t) - p` back."""
    taps = phase_taps(factor, interpolation)
    columns = np.array(taps.first)[:, None] + np.arange(taps.weights.shape[1])
    positions = np.arange(factor)[:, None] - factor * columns
    h = np.zeros(np.ptp(positions) + 1)
    h[positions - positions.min()] = taps.weights
    return np.trim_zeros(np.where(np.abs(h) < 1e-12, 0.0, h))


def _divided(h: np.ndarray, factor: int) -> np.ndarray:
    """Return `h / (1 + z + .. + z^(s-1))`; the mean with its mirror image: symmetric to the bit.

    Times `1 - z`, then by `1 - z^s`: differences, then sums of every `s`-th of them.
    """
    differences = np.diff(h, prepend=0.0)
    quotient = np.array([differences[n::-factor].sum() for n in range(len(h) - factor + 1)])
    return (quotient + quotient[::-1]) / 2
