"""How strong a pattern of a known period is in images, in their unit, with an interval."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from polyphase.algebra.harmonics import Harmonics, harmonics, power_spectrum, without

GROUPS = 20  # of images, from whose differences the interval follows
LEVEL = 0.95
Period = tuple[int, ...]
_TOGETHER = 2**20  # values that are transformed at once
# Where a pattern is the same all over an image, the band for changing signs shows at most 1.2 times
# its amplitude.
_FAR_MORE = 1.3


@dataclass(frozen=True)
class Pattern:
    """A pattern in images, found at the harmonics of its period.

    Attributes:
        amplitude: root mean square over the pixels and channels, in the unit of the images.
        low: lower end of its interval; 0: there need not be any.
        high: upper end.
        ratio: the power at the harmonics over what the frequencies beside let expect; 1: none.
    """

    amplitude: float
    low: float
    high: float
    ratio: float


@dataclass(frozen=True, eq=False)
class Spectra:
    """Mean powers at every frequency, of groups of images that follow each other.

    Attributes:
        sides: of the images, per axis.
        counts: `(g,)`, how many images each group has.
        powers: `(g, *cells)`, as of `power_spectrum`.
    """

    sides: tuple[int, ...]
    counts: np.ndarray
    powers: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean over all images, of the shape `cells`."""
        return np.asarray(np.average(self.powers, axis=0, weights=self.counts))


def spectra(
    images: np.ndarray, cells: Sequence[int], originals: np.ndarray | None = None
) -> Spectra:
    """Return the power of images, or of what they differ by from originals, in groups.

    Args:
        images: `(n, *space, channels)`, at least one; may be larger than memory.
        cells: frequencies per axis, as `algebra.harmonics.cells` returns them.
        originals: of the same shape.
    """
    bounds = np.linspace(0, len(images), min(GROUPS, len(images)) + 1).astype(int)
    counts = np.diff(bounds)
    powers = np.zeros((len(counts), *cells))
    for power, first, last in zip(powers, bounds, bounds[1:], strict=False):
        for part in _parts(images.shape, int(first), int(last)):
            seen = images[part].astype(np.float64)
            if originals is not None:
                seen -= originals[part]
            power += len(seen) / (last - first) * power_spectrum(seen, cells)
    return Spectra(tuple(images.shape[1:-1]), counts, powers)


def _parts(shape: tuple[int, ...], first: int, last: int) -> Iterator[slice]:
    """Yield slices of a group that fit into memory together with their spectra."""
    step = max(1, _TOGETHER // max(1, int(np.prod(shape[1:]))))
    return (slice(start, min(start + step, last)) for start in range(first, last, step))


def patterns(found: Spectra, periods: Iterable[Period]) -> dict[Period, Pattern]:
    """Return how strong the patterns of several periods are, each at the harmonics of its own.

    A harmonic of two periods is the shorter one's: those of 8 are also made by layers of 4 and 2.

    1. The power at the harmonics, less what is expected, from the mean of all images.
    2. Its standard error by the jackknife: the same without each group. The interval is that of
       Student's t, widened by the doubt in what is expected.
    3. Where a pattern whose sign changes within the images would show far more, that is looked for.

    Args:
        found: of errors or images.
        periods: per axis, in pixels; the spectra's frequencies are multiples as in `cells`.

    Returns:
        NaN for images of fewer than three periods. Of one image the interval has no upper end.
    """
    parts = _left_out(found)
    judged: dict[Period, Pattern] = {}
    order = sorted(set(periods), key=lambda one: (-math.prod(one), one))
    for index, period in enumerate(order):
        own = (parts, found.sides, period, order[index + 1 :])
        steady, changing = (_judged(harmonics(*own, changing=one)) for one in (False, True))
        judged[period] = changing if changing.low > _FAR_MORE * steady.high else steady
        if np.isfinite(steady.amplitude):
            parts = without(*own)
    return judged


def amplitudes(found: Spectra, period: Sequence[int]) -> np.ndarray:
    """Return the amplitude at each harmonic of a period, with its conjugate, of shape `period`.

    Element `(p, q)` is that at `(p/s_h, q/s_w)` cycles per pixel, in the unit of the images; at
    0, 0 there is none.
    """
    lines = harmonics(found.mean, found.sides, period)
    values = np.zeros(tuple(period))
    for index, power in zip(lines.indices, lines.power, strict=True):
        for one in (index, -index % period):
            values[tuple(one)] = np.sqrt(np.maximum(power, 0))
    return values


def _left_out(found: Spectra) -> np.ndarray:
    """Return the mean spectrum of all groups, then those without each: `(1 + g, ...)`."""
    counts = found.counts.reshape(-1, *[1] * len(found.sides))
    sums = found.powers * counts
    total, images = sums.sum(axis=0), found.counts.sum()
    if len(sums) == 1:
        return np.asarray(total[None] / images)
    others = np.maximum(total - sums, 0.0) / (images - counts)
    return np.concatenate([total[None] / images, others])


def _judged(lines: Harmonics) -> Pattern:
    powers = lines.power.sum(axis=-1)
    expected, doubt = float(lines.expected[0].sum()), float(lines.doubt[0].sum())
    power, others = float(powers[0]), powers[1:]
    half = np.inf
    if len(others):
        try:
            from scipy.stats import t as student
        except ImportError as missing:
            raise ImportError(
                "An interval over images needs SciPy. Run: pip install 'polyphase[workbench]'"
            ) from missing
        error = np.sqrt((len(others) - 1) * others.var())
        half = np.hypot(student.ppf((1 + LEVEL) / 2, len(others) - 1) * error, doubt)
    amplitude, low, high = np.sqrt(np.maximum([power, power - half, power + half], 0)).tolist()
    return Pattern(amplitude, low, high, (power + expected) / expected)
