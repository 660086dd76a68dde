"""Whether decoders still learn: which pairs may change their order with longer training."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polyphase._facts import EPOCHS
from polyphase.workbench.results import Comparison
from polyphase.workbench.statistics import LEAST_SEEDS, pair_variances, same_seeds

ERRORS = 3  # standard errors that a movement must exceed; see `pairs`


@dataclass(frozen=True)
class Unsettled:
    """Two decoders whose losses still move by more than they lie apart.

    Attributes:
        ahead: the name of the decoder with the lower mean loss.
        behind: the name of the other.
        moved: by how much the last tenth of training moved the loss of the one that moved further,
            nats per pixel, on average over the seeds; NaN: not known, after a single epoch.
        apart: the difference of their mean losses, or three standard errors of it if that is more,
            nats per pixel.
    """

    ahead: str
    behind: str
    moved: float
    apart: float


def unsettled(comparison: Comparison) -> list[Unsettled]:
    """Return every pair of decoders whose order longer training may change; see `pairs`.

    Decoders that were not trained with the same seeds have no differences, so there are no pairs.
    """
    if not same_seeds(comparison):
        return []
    trials = {name: comparison.of(name) for name in comparison.decoders}
    return pairs(
        {name: [one.validation_loss for one in some] for name, some in trials.items()},
        {name: [fall(one.validation_losses) for one in some] for name, some in trials.items()},
    )


def pairs(
    losses: Mapping[str, Sequence[float]], falls: Mapping[str, Sequence[float]]
) -> list[Unsettled]:
    """Return the pairs whose losses still move by more than they lie apart, the lowest first.

    1. The movement of a decoder is the mean of its falls over the seeds, whatever its sign. The
       movement of a pair is the larger of the two.
    2. A pair lies apart by the difference of its mean losses, but at least by three standard errors
       of it (`pair_variances`), so that two nearly equal decoders need not come to rest entirely.
    3. A pair is unsettled unless its movement is less than that. With fewer than three seeds the
       error is not known; then a pair is unsettled only if its movement is not known either.

    The noise of single epochs is not mistaken for learning, because it is in that error too. For
    decoders at rest, with normal noise from epoch to epoch and no other spread, at most 3 of 100
    simulated comparisons have an unsettled pair (2 or 5 decoders, 3 to 10 seeds, 5 to 40 epochs).

    Args:
        losses: for each decoder, the loss after its last epoch, one per seed; the same seeds for
            all.
        falls: for each decoder, what `fall` returns, one per seed.

    Example:
        >>> (pair,) = pairs({"a": [0.1] * 3, "b": [0.2] * 3}, {"a": [0.15] * 3, "b": [0.01] * 3})
        >>> pair.ahead, pair.behind, round(pair.moved, 2), round(pair.apart, 2)
        ('a', 'b', 0.15, 0.1)
    """
    trained = [name for name in losses if all(map(math.isfinite, losses[name]))]
    if len(trained) < 2:
        return []
    means = {name: float(np.mean(losses[name])) for name in trained}
    moved = {name: abs(float(np.mean(falls[name]))) for name in trained}
    names = sorted(trained, key=means.__getitem__)
    least = ERRORS * _errors(np.array([losses[name] for name in names]))
    found = []
    for (i, ahead), (j, behind) in itertools.combinations(enumerate(names), 2):
        movement = float(np.maximum(moved[ahead], moved[behind]))  # NaN if either is
        apart = max(means[behind] - means[ahead], float(least[i, j]))
        if not movement < apart:
            found.append(Unsettled(ahead, behind, movement, apart))
    return found


def _errors(losses: np.ndarray) -> np.ndarray:
    """Return the standard error of each pair's difference, `(decoders, decoders)`."""
    decoders, seeds = losses.shape
    if seeds < LEAST_SEEDS:
        return np.full((decoders, decoders), np.inf)
    return np.sqrt(pair_variances(losses)[0] / seeds)


def fall(losses: Sequence[float]) -> float:
    """Return by how much a loss falls over the last tenth of its epochs.

    1. The slope per epoch is the median of the slopes between any two of the last fifth of the
       epochs (at least three, or both if there are two), so that single epochs do not decide it.
    2. The fall is this slope times a tenth of the epochs, at least one.

    Args:
        losses: after each epoch, at least one.

    Returns:
        A fall is positive, a rise negative; NaN after a single epoch, or if one of those losses is
        not finite.

    Reference: Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968.

    Example:
        >>> round(fall([0.5, 0.3, 0.2, 0.1]), 3), fall([0.5])
        (0.1, nan)
    """
    last = np.asarray(losses[-max(3, round(len(losses) / 5)) :], np.float64)
    if len(last) < 2 or not np.isfinite(last).all():
        return math.nan
    first, second = np.triu_indices(len(last), 1)
    slope = float(np.median((last[second] - last[first]) / (second - first)))
    return -slope * max(1.0, len(losses) / 10)


def more_epochs(comparison: Comparison) -> int:
    """Return how many epochs to try next: twice as many, or the default if that is more."""
    return max(EPOCHS, 2 * max(len(trial.history) for trial in comparison.trials))
