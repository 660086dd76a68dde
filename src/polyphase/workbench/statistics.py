"""Whether decoders differ: simultaneous intervals of all paired differences over the seeds."""

import bisect
import functools
import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import studentized_range

from polyphase.workbench.results import Comparison

LEAST_SEEDS = 3  # of fewer an interval would be wider than any difference that occurs
ERROR = 0.05  # the chance of any false difference that is aimed at
WILD = 25  # times the usual variance: a spread of five times as much


@dataclass(frozen=True)
class Difference:
    """By how much a decoder's loss is above the best one's, seed by seed.

    Attributes:
        decoder: its name.
        best: the name of the decoder with the lowest mean loss.
        mean: mean difference over the seeds, nats per pixel.
        low: lower end of its confidence interval; minus infinity with fewer than three seeds.
        high: upper end; infinity with fewer than three seeds.
        needed: if it is not decided, about how many seeds it takes to tell apart two decoders that
            differ by `mean` and vary as these do; None: more than 100.
    """

    decoder: str
    best: str
    mean: float
    low: float
    high: float
    needed: int | None = None

    @property
    def decided(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    def within(self, margin: float | None) -> bool:
        """Whether the interval lies inside -margin..margin: then two decoders are equal within it.

        These are two one-sided tests: the difference is less than `margin`, and it is more than
        `-margin`. Each is at 2.5% for two decoders; for more, they hold for all pairs together. So
        decoders that differ by the margin or more are called equal at most 2.5% of the time.
        "Different" and "equal" rest on the same interval.

        Args:
            margin: stated before the run, nats per pixel; None: nothing is called equal.

        Reference: Schuirmann, "A comparison of the two one-sided tests procedure and the power
        approach for assessing the equivalence of average bioavailability", 1987.
        """
        return margin is not None and -margin < self.low and self.high < margin

    @property
    def half_width(self) -> float:
        """Half the width of the interval; a difference must exceed this to be seen."""
        return (self.high - self.low) / 2


def differences(comparison: Comparison) -> list[Difference]:
    """Return every other decoder's difference to the best, the nearest first.

    The intervals hold for all pairs of decoders together, because the data choose which one is the
    best (`half_widths`). Decoders with a loss that is not finite are left out. Decoders that were
    not trained with the same seeds cannot be paired, so there are no differences then.
    """
    if not same_seeds(comparison):
        return []
    every = {name: [t.validation_loss for t in comparison.of(name)] for name in comparison.decoders}
    trained = {name: losses for name, losses in every.items() if all(map(math.isfinite, losses))}
    if not trained:
        return []
    names = sorted(trained, key=lambda name: sum(trained[name]))
    losses = np.array([trained[name] for name in names])
    if len(names) < 2:
        return []
    means, halves = (losses - losses[0]).mean(axis=1), half_widths(losses)[0]
    found = [
        Difference(name, names[0], mean, mean - half, mean + half)
        for name, mean, half in zip(names, means.tolist(), halves.tolist(), strict=True)
    ]
    if losses.shape[1] < LEAST_SEEDS:
        return found[1:]
    variances = pair_variances(losses)[0][0].tolist()
    return [
        one if one.decided else replace(one, needed=_needed(one.mean, variance, len(names)))
        for one, variance in zip(found[1:], variances[1:], strict=True)
    ]


def same_seeds(comparison: Comparison) -> bool:
    """Whether every decoder was trained with the same seeds, each once."""
    seeds = [[trial.seed for trial in comparison.of(name)] for name in comparison.decoders]
    return all(sorted(one) == sorted(set(seeds[0])) for one in seeds)


def half_widths(losses: np.ndarray) -> np.ndarray:
    """Return half the width of the simultaneous intervals of the differences of all pairs.

    1. The variance of each difference and its degrees of freedom (`pair_variances`).
    2. The half width is `q sqrt(variance / (2 seeds))`; `q` is the quantile of Tukey's studentised
       range for this number of decoders and degrees of freedom.

    For two decoders this is the interval of the paired t test at 95%. For more, a simulation finds
    the chance of any false difference below 6%, also where their spreads differ a hundredfold
    (`benchmarks/intervals.py`).

    Args:
        losses: `(..., decoders, seeds)`, finite; at least two decoders.

    Returns:
        `(..., decoders, decoders)`, symmetric; infinity with fewer than three seeds.

    Reference: Tukey, "The problem of multiple comparisons", 1953; Games, Howell, "Pairwise
    multiple comparison procedures with unequal n's and/or variances", 1976.

    Example:
        >>> widths = half_widths(np.array([[0.10, 0.12, 0.11], [0.21, 0.20, 0.22]]))
        >>> bool(widths[0, 1] == widths[1, 0] > 0)
        True
    """
    decoders, seeds = losses.shape[-2:]
    if seeds < LEAST_SEEDS:
        return np.full((*losses.shape[:-1], decoders), np.inf)
    variances, freedoms = pair_variances(losses)
    return _quantile(decoders, seeds, freedoms) * np.sqrt(variances / (2 * seeds))


def pair_variances(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance of each pair's difference, and its degrees of freedom.

    1. Take residuals of the model decoder + seed: a seed's effect that all decoders share does not
       count. A decoder that is `_wild` is left out of the seed's effect; otherwise one training
       that diverged would widen the intervals between all others.
    2. Each decoder has a spread of its own, from its residuals. With `m` decoders in the seed's
       effect, it is `m / (m - 1)` times their variance, with `(seeds - 1) (m - 1) / m` degrees of
       freedom. For a wild decoder it is its variance, with `seeds - 1`.
    3. Two spreads add up; Welch and Satterthwaite's formula gives the degrees of freedom.
    4. The variance is at least that of the paired differences themselves. This bounds the error
       where spreads differ much, or where decoders respond to a seed differently.

    For two decoders this is the variance of the paired t test, with as many degrees of freedom.

    Args:
        losses: `(..., decoders, seeds)`.

    Returns:
        Two arrays `(..., decoders, decoders)`.
    """
    seeds = losses.shape[-1]
    centred = losses - losses.mean(axis=-1, keepdims=True)
    paired = (centred[..., :, None, :] - centred[..., None, :, :]).var(axis=-1, ddof=1)
    counts = ~_wild(paired)
    weight = counts / counts.sum(axis=-1, keepdims=True)
    residuals = centred - (weight[..., None] * centred).sum(axis=-2, keepdims=True)
    own = (seeds - 1) * (1 - weight)
    spread = (residuals**2).sum(axis=-1) / own
    sums = spread[..., :, None] + spread[..., None, :]
    squares = (spread**2 / own)[..., :, None] + (spread**2 / own)[..., None, :]
    freedoms = np.divide(sums**2, squares, out=np.ones_like(sums), where=squares > 0)
    return np.maximum(sums, paired), freedoms


def _wild(paired: np.ndarray) -> np.ndarray:
    """Return which decoders vary against the others far more than is usual.

    The median of a decoder's variances against the others is over `WILD` times the median of all
    decoders. Of fewer than four none can be.

    Args:
        paired: `(..., decoders, decoders)`, variances of the differences.
    """
    decoders = paired.shape[-1]
    others = paired[..., ~np.eye(decoders, dtype=bool)].reshape(*paired.shape[:-1], decoders - 1)
    typical = np.median(others, axis=-1)
    wild: np.ndarray = typical > WILD * np.median(typical, axis=-1, keepdims=True)
    return wild


def _quantile(decoders: int, seeds: int, freedoms: np.ndarray) -> np.ndarray:
    return np.exp(np.polyval(_logarithm(decoders, seeds), 1 / freedoms))


@functools.lru_cache
def _logarithm(decoders: int, seeds: int) -> np.ndarray:
    """Return the cubic of the quantile's logarithm over the inverse degrees of freedom.

    It goes through four points: two decoders of equal spreads, one and a half, one alone, and one
    whose seeds two decoders count for. Between them it is off by less than a thousandth.
    """
    least = (seeds - 1) * (decoders - 1) / decoders
    inverse = np.array([0.5, 0.7, 1.0, 1.5]) / least
    quantiles = studentized_range.ppf(1 - _level(decoders), decoders, 1 / inverse)
    return np.polyfit(inverse, np.log(quantiles), 3)


def _level(decoders: int) -> float:
    """Return the nominal level of the studentised range.

    It presupposes one common variance; with many variances, each from few seeds, the chance of an
    error grows about as the root of their number.
    """
    return ERROR * math.sqrt(2 / decoders)


def _needed(mean: float, variance: float, decoders: int) -> int | None:
    """Return about the least number of seeds whose interval would exclude zero.

    The degrees of freedom are those of two equal spreads.
    """
    if mean == 0:
        return None

    def excludes(seeds: int) -> bool:
        freedoms = 2 * (seeds - 1) * (decoders - 1) / decoders
        statistic = abs(mean) * math.sqrt(2 * seeds / variance)
        return bool(studentized_range.sf(statistic, decoders, freedoms) < _level(decoders))

    index = bisect.bisect_left(_CANDIDATES, True, key=excludes)
    return _CANDIDATES[index] if index < len(_CANDIDATES) else None


_CANDIDATES = (*range(LEAST_SEEDS, 21), 25, 30, 40, 50, 60, 80, 100)
