"""How much more power images have at the harmonics of a period than at nearby frequencies."""

import math
from collections.abc import Sequence

import numpy as np


def lattice_power(images: np.ndarray, base: Sequence[float]) -> np.ndarray:
    """Return each image's power at all harmonics of a period, minus that at nearby frequencies.

    Args:
        images: `(n, *space, channels)`.
        base: the lowest frequency of the pattern along every axis, in cycles per pixel: one
            over the period. With a frequency of 1 or more there is no pattern along that axis: it
            would be as fine as a pixel.

    Returns:
        `(n,)`, not negative: mean square of the pattern, over all channels.

    Exactness: a pattern that is the same over the whole image is recovered within rounding; what
    changes slowly is cut off by a window at the border.

    Example:
        >>> board = np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1
        >>> lattice_power(0.1 * board[None, :, :, None], (0.5, 0.5)).round(6)
        array([0.01])
    """
    axes = [_Axis(side, one) for side, one in zip(images.shape[1:-1], base, strict=True)]
    seen = images
    for dim, axis in enumerate(axes, 1):
        waves = axis.waves.astype(np.result_type(images, "complex64"))
        cut = seen.take(range(axis.side), dim)
        seen = np.moveaxis(np.tensordot(waves, cut, (1, dim)), 0, dim)
    power = (np.abs(seen) ** 2).mean(axis=-1)
    power = power.reshape(len(images), *(n for axis in axes for n in (axis.count, axis.beside)))
    middle = (one for axis in axes for one in (slice(None), axis.beside // 2))
    own = power[(slice(None), *middle)]
    others = max(math.prod(axis.beside for axis in axes) - 1, 1)
    beside = (power.sum(axis=tuple(range(2, power.ndim, 2))) - own) / others
    total = (own - beside).reshape(len(images), -1)[:, 1:].sum(axis=1)  # the first is the mean
    return np.maximum(total, 0.0)


class _Axis:
    """What is projected along one axis: the harmonics, and beside each those next to it.

    Attributes:
        side: how many samples are looked at: whole periods.
        count: of harmonics, that of the mean among them.
        beside: how many frequencies stand for a harmonic, itself among them: 3, or 1 where there
            are too few periods to tell them apart.
        waves: `(count * beside, side)`.
    """

    def __init__(self, side: int, base: float) -> None:
        period = 1 / base if base < 1 else 1.0
        self.side = max(1, round(int(side / period + 1e-9) * period))
        self.count = max(1, round(period))
        tapered = period > 1 and self.side >= 4 * period
        self.beside = 3 if tapered else 1
        near = (-2 / self.side, 0.0, 2 / self.side) if tapered else (0.0,)
        frequencies = [index / period + off for index in range(self.count) for off in near]
        # A Hann window of whole periods is zero two frequencies away => they are told apart.
        window = (
            np.sin(np.pi * np.arange(self.side) / self.side) ** 2 if tapered else np.ones(self.side)
        )
        waves = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(self.side)))
        self.waves = window * waves / window.sum()
