"""The power at the harmonics of a period, and what nearby frequencies predict there.

A pattern of period `(s_h, s_w)` has its power at the frequencies `(p/s_h, q/s_w)`, whatever its
form (signals and volumes have one number per axis). Errors of any other kind have power at all
frequencies, a smooth function where nothing repeats. What exceeds that function at the harmonics is
the pattern.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST_PERIODS = 3  # of fewer periods the harmonics cannot be told from what lies between them
_REACH = 3  # half widths of a line, on each side, from which a narrow band's background is taken
_ROUNDING = 1e-12  # of the largest power; what is below stands for zero in logarithms


@dataclass(frozen=True, eq=False)
class Harmonics:
    """What is found at each harmonic; powers are mean squares over pixels and channels.

    Attributes:
        indices: `(h, axes)`, `p` and `q` of the frequencies `(p/s_h, q/s_w)`. Of two that are
            conjugate to each other, the first stands for both.
        power: `(..., h)`, power of the pattern: what is there minus what is expected; it may be
            negative.
        expected: `(..., h)`, power that is expected from nearby frequencies.
        doubt: `(..., h)`, how far the expectation may be off: the expectation times the standard
            deviation of the logarithms nearby, at most the expectation itself.
    """

    indices: np.ndarray
    power: np.ndarray
    expected: np.ndarray
    doubt: np.ndarray


def cells(sides: Sequence[int], period: Sequence[int]) -> tuple[int, ...]:
    """Return how many frequencies `power_spectrum` has along each axis of images.

    There is at least one per pixel; the harmonics and the middles between them are among them.

    Args:
        sides: sides of the images, at least 1.
        period: period of the longest pattern, or the least common multiple of several, at least 1.

    Example:
        >>> cells((28, 28), (8, 8))
        (32, 32)
    """
    return tuple(4 * s * -(-side // (4 * s)) for side, s in zip(sides, period, strict=True))


def power_spectrum(images: np.ndarray, cells: Sequence[int]) -> np.ndarray:
    """Return the power of images at every frequency, mean over images and channels.

    1. Subtract each image's mean, and multiply by a Hann window along all axes. So the border,
       where an image ends, and the rows and columns there do not count as high frequencies.
    2. Transform, padded by zeros; square; divide so that the sum is the mean square under the
       squared window.

    Args:
        images: `(n, *space, channels)`, at least one.
        cells: frequencies per axis, as `cells` returns them.

    Returns:
        float64 of the shape `cells`: element `(i, j)` is the power at `i / cells[0]` and
        `j / cells[1]` cycles per pixel, with negative frequencies at the end.

    Example:
        >>> board = np.indices((32, 32)).sum(axis=0)[None, :, :, None] % 2
        >>> spectrum = power_spectrum(board, (32, 32))
        >>> float(spectrum.sum().round(6)), tuple(map(int, divmod(spectrum.argmax(), 32)))
        (0.25, (16, 16))
    """
    space = tuple(range(1, images.ndim - 1))
    windows = map(_window, images.shape[1:-1])
    taper = functools.reduce(np.multiply.outer, windows)[..., None]
    means = (images * taper).sum(axis=space, keepdims=True) / taper.sum()
    seen = np.fft.rfftn((images - means) * taper, s=tuple(cells), axes=space)
    half = (np.abs(seen) ** 2).mean(axis=(0, -1)) / (math.prod(cells) * (taper**2).sum())
    mirrored = np.flip(half[..., 1:-1])  # the power of -f is that of f
    others = tuple(range(half.ndim - 1))
    return np.concatenate([half, np.roll(mirrored, (1,) * len(others), others)], axis=-1)


def harmonics(
    spectrum: np.ndarray,
    sides: Sequence[int],
    period: Sequence[int],
    shorter: Sequence[Sequence[int]] = (),
    changing: bool = False,
) -> Harmonics:
    """Return the power at every harmonic of a period, beyond what nearby frequencies predict.

    For each harmonic `(p/s_h, q/s_w)` except the mean, and once for each conjugate pair:

    1. Sum the power in a band around it.
    2. Along each axis, fit `a + b sin(2 pi d) + c cos(2 pi d)` to the logarithms of the power at
       the frequencies `d` beside the band, no further than the middle between two harmonics. Sum
       the exponential of the fit, which stays within the range of the power beside, over the band.
       Take the geometric mean over all axes. A harmonic with `p = 0` lies on the ridge that upright
       edges make, and is compared along that ridge alone; the same holds for every axis along which
       it is 0.
    3. The power is the difference, divided by the share of the pattern's power that lies in the
       band and is not counted as background.

    Args:
        spectrum: `(..., *cells)`, as `power_spectrum` returns it.
        sides: sides of the images, per axis.
        period: period per axis; the spectrum's sides are multiples of it, as in `cells`.
        shorter: periods whose harmonics are left out: those of later layers, which make them too.
        changing: look for a pattern whose sign changes at random every four periods of an image, in
            a band of `1/(4 s)` cycles per pixel to each side (at most 1/8). Otherwise look for one
            that is the same everywhere in the image, in a band as wide as the window's line, which
            is more sensitive.

    Returns:
        The harmonics; their powers are NaN if a side has fewer than three periods.

    Exactness: a pattern that is the same everywhere in an image, with nothing else there, is found
    within 1%.

    Example:
        >>> y, x = np.indices((32, 32))
        >>> stripes = (0.1 * (x % 2) + 0.5 * np.sin(x / 9 + y / 7))[None, :, :, None]
        >>> found = harmonics(power_spectrum(stripes, (32, 32)), (32, 32), (2, 2))
        >>> found.indices.tolist(), np.sqrt(np.maximum(found.power, 0)).round(3).tolist()
        ([[0, 1], [1, 0], [1, 1]], [0.05, 0.0, 0.0])
    """
    indices = _owned(period, shorter)
    if any(side < LEAST_PERIODS * s for side, s in zip(sides, period, strict=True) if s > 1):
        return Harmonics(indices, *np.full((3, *_before(spectrum, sides), len(indices)), np.nan))
    bands = _bands(sides, period, spectrum, changing)
    lines = [_line(spectrum, bands, one, period) for one in indices]
    found = np.reshape(lines, (-1, 3, *_before(spectrum, sides)))
    own, expected, spread = np.moveaxis(found, 0, -1)
    # It stands for both of two that are conjugate, unless it is its own.
    both = np.where((2 * indices % period == 0).all(axis=1), 1, 2)
    scale = both / np.array([_share(bands, one) for one in indices])
    doubt = expected * np.minimum(spread, 1)
    return Harmonics(indices, (own - expected) * scale, expected * scale, doubt * scale)


def without(
    spectrum: np.ndarray,
    sides: Sequence[int],
    period: Sequence[int],
    shorter: Sequence[Sequence[int]] = (),
) -> np.ndarray:
    """Return a spectrum whose lines at a period's harmonics are reduced to what is expected.

    They then do not count as neighbours of another period's harmonics. Arguments as for
    `harmonics`.
    """
    level = spectrum.copy()
    bands = _bands(sides, period, spectrum, False)
    for one in _owned(period, shorter):
        own, expected, _ = _line(spectrum, bands, one, period)
        by = np.minimum(expected / np.maximum(own, np.finfo(float).tiny), 1)
        for index in {tuple(one), tuple(-one % period)}:
            level[_at(_inside(bands, index, period))] *= by.reshape(*by.shape, *[1] * len(sides))
    return level


def _before(spectrum: np.ndarray, sides: Sequence[int]) -> tuple[int, ...]:
    """Return the axes before those of the frequencies."""
    return spectrum.shape[: spectrum.ndim - len(sides)]


def _owned(period: Sequence[int], shorter: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the harmonics that are of no shorter period, of conjugate pairs the first."""
    kept = [
        one
        for one in np.ndindex(*period)
        if one <= tuple(-i % s for i, s in zip(one, period, strict=True))
        and not any(
            all(i * t % s == 0 for i, t, s in zip(one, other, period, strict=True))
            for other in ((1,) * len(period), *shorter)
        )
    ]
    return np.array(kept, dtype=int).reshape(-1, len(period))


def _line(
    spectrum: np.ndarray, bands: Sequence["_Band"], index: np.ndarray, period: Sequence[int]
) -> np.ndarray:
    """Return a band's power, what is expected there, and the spread of logarithms beside."""
    inside = _inside(bands, index, period)
    space = tuple(range(-len(bands), 0))
    own = spectrum[_at(inside)].sum(axis=space)
    floor = _ROUNDING * spectrum.max(axis=space) + np.finfo(float).tiny
    logs, spreads = [], []
    for axis, band in enumerate(bands):
        if index[axis] == 0:
            continue
        at = (index[axis] * band.count // period[axis] + band.beside) % band.count
        around = _at([*inside[:axis], at, *inside[axis + 1 :]])
        beside = spectrum[around].sum(axis=(*space[:axis], *space[axis + 1 :]))
        beside = np.log(np.maximum(beside, floor[..., None]))
        # Within what lies beside: a parabola through the feet of a strong line would rise to it.
        ends = beside.min(axis=-1, keepdims=True), beside.max(axis=-1, keepdims=True)
        fitted = np.clip(beside @ band.weights.T, *ends)
        logs.append(np.log(np.exp(fitted).sum(axis=-1)))
        spreads.append(beside.std(axis=-1))
    return np.array([own, np.exp(np.mean(logs, axis=0)), np.mean(spreads, axis=0)])


def _at(frequencies: Sequence[np.ndarray]) -> tuple[Any, ...]:
    """Return the index of all combinations of frequencies, one list per axis, the last axes."""
    return (..., *np.ix_(*frequencies))


def _share(bands: Sequence["_Band"], index: np.ndarray) -> float:
    """Return which share of a pattern's power `_line` finds over what it expects."""
    held = math.prod(band.held for band in bands)
    shares = [1 - band.lost / band.held for band, i in zip(bands, index, strict=True) if i]
    return float(held * np.mean(shares))


def _inside(bands: Sequence["_Band"], index: Any, period: Sequence[int]) -> Sequence[np.ndarray]:
    """Return the frequencies of a harmonic's band, per axis."""
    return [
        (i * band.count // s + band.inside) % band.count
        for band, i, s in zip(bands, index, period, strict=True)
    ]


def _bands(
    sides: Sequence[int], period: Sequence[int], spectrum: np.ndarray, changing: bool
) -> list["_Band"]:
    shape = spectrum.shape[-len(sides) :]
    return [_Band(*one, changing) for one in zip(sides, period, shape, strict=True)]


class _Band:
    """Which frequencies along one axis are a harmonic's, and which beside tell what to expect.

    Attributes:
        count: of the frequencies, cells.
        inside: offsets in cells.
        beside: offsets in cells, without those of other harmonics.
        weights: `(inside, beside)`, which turn logarithms beside into the fitted ones inside.
        held: the share of a pattern's power that lies inside.
        lost: the share that lies beside and is expected inside.
    """

    def __init__(self, side: int, period: int, count: int, changing: bool) -> None:
        bin_ = count / side  # the Hann window spreads a line over less than two of it to each side
        middle = count // (2 * period)
        half = max(1, round(bin_))
        if changing:
            half = max(half, count // (4 * max(period, 2)))
        first = min(max(half + 1, math.ceil(1.75 * bin_)), middle)
        last = middle if changing else min(half + math.ceil(_REACH * bin_), middle)
        beside = np.arange(first, max(first, last) + 1)
        self.count = count
        self.inside = np.arange(-half, half + 1)
        self.beside = np.concatenate([-beside[::-1], beside])
        terms = 3 if len(beside) > 1 else 2
        inner, outer = (_smooth(one / count)[:, :terms] for one in (self.inside, self.beside))
        self.weights = inner @ np.linalg.pinv(outer)
        power = _line_power(side, count, 4 * period if changing else None)
        self.held = power[self.inside].sum()
        self.lost = (self.weights @ power[self.beside]).sum()


def _smooth(frequencies: np.ndarray) -> np.ndarray:
    angles = 2 * np.pi * frequencies
    return np.stack([np.ones(len(angles)), np.sin(angles), 1 - np.cos(angles)], axis=1)


def _line_power(side: int, count: int, block: int | None) -> np.ndarray:
    """Return the power of a windowed wave around its frequency, whose sign changes by blocks."""
    overlap = np.fft.irfft(np.abs(np.fft.rfft(_window(side), 2 * count)) ** 2)
    lags = np.minimum(np.arange(2 * count), np.arange(2 * count, 0, -1))
    alike = np.maximum(1 - lags / block, 0) if block else 1
    power = np.fft.fft(overlap * alike).real[::2]
    return np.asarray(power / power.sum())


def _window(side: int) -> np.ndarray:
    return np.asarray(np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2)
