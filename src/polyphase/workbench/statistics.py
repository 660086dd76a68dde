"""Whether decoders differ: paired differences over seeds, with confidence intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

from polyphase.workbench.results import Comparison

LEVEL = 0.95
LEAST_SEEDS = 3  # of fewer there is nothing to resample
_RESAMPLES = 9_999


@dataclass(frozen=True)
class Difference:
    """By how much a decoder's loss is above the best one's, seed by seed.

    Attributes:
        decoder: its name.
        best: the name of the decoder with the lowest mean loss.
        mean: mean difference over the seeds, nats per pixel.
        low: lower end of its confidence interval; minus infinity of fewer than three seeds.
        high: upper end; infinity of fewer than three seeds.
    """

    decoder: str
    best: str
    mean: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def differences(comparison: Comparison) -> list[Difference]:
    """Return every other decoder's difference to the best, the nearest first.

    Differences are paired: the same seed gives both decoders the same data order. Intervals are
    percentile bootstraps of the mean, at a level that makes all of them together hold with 95%
    (Bonferroni). Decoders with a loss that is not finite are left out.

    Reference: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993; computed by SciPy.
    """
    losses = {name: _losses(comparison, name) for name in comparison.decoders}
    trained = {name: one for name, one in losses.items() if all(map(math.isfinite, one.values()))}
    if not trained:
        return []
    best, *others = sorted(trained, key=lambda name: _mean(list(trained[name].values())))
    level = 1 - (1 - LEVEL) / max(1, len(others))
    return [_difference(name, best, trained, level) for name in others]


def _losses(comparison: Comparison, decoder: str) -> dict[int, float]:
    return {trial.seed: trial.validation_loss for trial in comparison.of(decoder)}


def _difference(
    decoder: str, best: str, losses: dict[str, dict[int, float]], level: float
) -> Difference:
    seeds = losses[best].keys() & losses[decoder].keys()
    values = [losses[decoder][seed] - losses[best][seed] for seed in sorted(seeds)]
    if len(values) < LEAST_SEEDS:
        return Difference(decoder, best, _mean(values), -math.inf, math.inf)
    interval = bootstrap(
        (np.array(values),),
        np.mean,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Difference(decoder, best, _mean(values), float(interval.low), float(interval.high))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
