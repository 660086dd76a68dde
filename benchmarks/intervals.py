"""How often rules call equal decoders different, and how often they see a difference: simulated.

python benchmarks/intervals.py writes benchmarks/results/intervals.json (minutes).
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from polyphase.workbench.statistics import half_widths

Decide = Callable[[np.ndarray], np.ndarray]  # (runs, decoders, seeds) -> (runs, pairs), bool
RESULTS = Path(__file__).parent / "results" / "intervals.json"
SHAPES = ((5, 3), (5, 5), (2, 3), (5, 10))  # decoders, seeds
RUNS, FEW = 1000, 200  # of each cell; of rules that resample
SPREADS = {
    "equal": lambda count: np.ones(count),
    "one threefold": lambda count: np.r_[np.ones(count - 1), 3],
    "half threefold": lambda count: np.r_[np.ones(count // 2), np.full(count - count // 2, 3)],
    "one tenfold": lambda count: np.r_[np.ones(count - 1), 10],
    "one hundredfold": lambda count: np.r_[np.ones(count - 1), 100],
    "one a tenth": lambda count: np.r_[np.ones(count - 1), 0.1],
    "1 to 30": lambda count: np.geomspace(1, 30, count),
}
NOISES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
    "heavy": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
}
SEED_EFFECTS = {"none": 0.0, "alike": 3.0, "by spread": 3.0}


def draw(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    noise: str = "normal",
    spreads: str = "equal",
    seeds: str = "alike",
) -> np.ndarray:
    """Return losses of decoders that do not differ, `(runs, decoders, seeds)`.

    A seed moves all decoders alike, or each by its spread, three times as far as the noise.
    """
    scales = SPREADS[spreads](shape[1])[:, None]
    common = SEED_EFFECTS[seeds] * rng.standard_normal((shape[0], 1, shape[2]))
    return NOISES[noise](rng, shape) * scales + common * (scales if seeds == "by spread" else 1)


def ours(losses: np.ndarray) -> np.ndarray:
    """Return what Polyphase decides, pair by pair."""
    first, second = np.triu_indices(losses.shape[1], 1)
    means = losses.mean(axis=2)
    return np.abs(means[:, first] - means[:, second]) > half_widths(losses)[:, first, second]


def bootstrap(losses: np.ndarray) -> np.ndarray:
    """Percentile bootstrap of every difference to the lowest, Bonferroni over these."""
    _, decoders, seeds = losses.shape
    first, second = np.triu_indices(decoders, 1)
    best = losses.mean(axis=2).argmin(axis=1)[:, None]
    means = _differences(losses)[:, :, _every(seeds)].mean(axis=3)
    level = 0.05 / (decoders - 1)
    low, high = np.quantile(means, [level / 2, 1 - level / 2], axis=2)
    return ((low > 0) | (high < 0)) & ((first == best) | (second == best))


def _every(seeds: int) -> np.ndarray:
    """Return all resamples of so few seeds, or a thousand."""
    if seeds <= 4:
        return np.array(list(np.ndindex(*(seeds,) * seeds)))
    return np.random.default_rng(0).integers(0, seeds, (1000, seeds))


def holm(losses: np.ndarray) -> np.ndarray:
    """Paired t tests of all pairs, Holm's steps."""
    t = _paired_t(losses)
    count, order = t.shape[1], np.argsort(-t, axis=1)
    limits = stats.t.ppf(1 - 0.025 / np.arange(count, 0, -1), losses.shape[2] - 1)
    passed = np.logical_and.accumulate(np.take_along_axis(t, order, 1) > limits, axis=1)
    decided = np.zeros_like(passed)
    np.put_along_axis(decided, order, passed, 1)
    return decided


def sign_flips(losses: np.ndarray) -> np.ndarray:
    """Largest paired t of all pairs against all flips of the signs of the seeds."""
    seeds = losses.shape[2]
    if 2 / 2**seeds > 0.05:  # the smallest p value there is
        return np.zeros((len(losses), losses.shape[1] * (losses.shape[1] - 1) // 2), bool)
    flips = np.array(list(np.ndindex(*(2,) * (seeds - 1)))) * 2 - 1
    centred = losses - losses.mean(axis=1, keepdims=True)
    largest = [_paired_t(centred * np.r_[1, flip]).max(axis=1) for flip in flips]
    return _paired_t(losses) > np.quantile(largest, 0.95, axis=0, method="higher")[:, None]


def tukey(losses: np.ndarray) -> np.ndarray:
    """Tukey's studentised range on the residuals of decoder + seed, one variance for all."""
    _, decoders, seeds = losses.shape
    residuals = losses - losses.mean(axis=2, keepdims=True)
    residuals = residuals - residuals.mean(axis=1, keepdims=True)
    freedoms = (decoders - 1) * (seeds - 1)
    variance = (residuals**2).sum(axis=(1, 2))[:, None] / freedoms
    limit = quantile(decoders, freedoms)
    return np.abs(_differences(losses).mean(axis=2)) > limit * np.sqrt(variance / seeds)


def games_howell(losses: np.ndarray) -> np.ndarray:
    """Games and Howell's intervals: studentised range, Welch's variance, seeds not paired."""
    _, decoders, seeds = losses.shape
    first, second = np.triu_indices(decoders, 1)
    own = losses.var(axis=2, ddof=1)
    one, other = own[:, first], own[:, second]
    freedoms = (seeds - 1) * (one + other) ** 2 / (one**2 + other**2)
    grid = np.linspace(1 / (2 * (seeds - 1)), 1 / (seeds - 1), 5)
    limits = np.log([quantile(decoders, 1 / inverse) for inverse in grid])
    limit = np.exp(np.interp(1 / freedoms, grid, limits))
    half = limit * np.sqrt((one + other) / (2 * seeds))
    return np.abs(_differences(losses).mean(axis=2)) > half


@functools.lru_cache
def quantile(decoders: int, freedoms: float) -> float:
    """Return the upper 5% point of the studentised range."""
    return float(stats.studentized_range.ppf(0.95, decoders, freedoms))


def _differences(losses: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(losses.shape[1], 1)
    return losses[:, first] - losses[:, second]


def _paired_t(losses: np.ndarray) -> np.ndarray:
    each = _differences(losses)
    return np.abs(each.mean(axis=2)) / (each.std(axis=2, ddof=1) / np.sqrt(losses.shape[2]))


RULES: dict[str, Decide] = {
    "percentile bootstrap": bootstrap,
    "paired t, Holm": holm,
    "sign flips, largest t": sign_flips,
    "Tukey": tukey,
    "Games-Howell": games_howell,
    "Polyphase": ours,
}


RESAMPLES = ("percentile bootstrap", "sign flips, largest t")


def error(decide: Decide, losses: np.ndarray) -> float:
    """Return the share of runs in which any of equal decoders are called different."""
    return float(decide(losses).any(axis=1).mean())


def power(decide: Decide, losses: np.ndarray, apart: float = 4.0) -> float:
    """Return how often one decoder that is `apart` standard deviations lower is told from each."""
    planted = losses.copy()
    planted[:, 0] -= apart
    return float(decide(planted)[:, : losses.shape[1] - 1].mean())


def spoiled(decide: Decide, losses: np.ndarray) -> float:
    """Return the same of all but the last decoder, which one seed left 50 such deviations off."""
    planted = losses.copy()
    planted[:, 0] -= 4
    planted[:, -1, 0] += 50
    return float(decide(planted)[:, : losses.shape[1] - 2].mean())


def cells() -> list[tuple[str, str, str]]:
    """Return what is simulated: noise, spreads, effect of the seeds."""
    return [
        (noise, spreads, seeds)
        for noise in NOISES
        for spreads in SPREADS
        for seeds in ("none", "alike", "by spread")
        if seeds != "by spread" or spreads != "equal"
    ]


def kind(noise: str, spreads: str) -> str:
    """Return in which column of the table a cell stands."""
    if noise == "skewed":
        return "skewed" if spreads == "equal" else "skewed and unequal"
    return "heavy" if noise == "heavy" else spreads if spreads == "equal" else "unequal"


def simulate(rules: dict[str, Decide], decoders: int, seeds: int, runs: int) -> dict[str, Any]:
    """Return, by rule, the greatest error of every kind, the power, and that beside a failure."""
    found: dict[str, Any] = {name: {"error": {}, "power": 0.0} for name in rules}
    for noise, spreads, effect in cells():
        rng = np.random.default_rng([decoders, seeds])
        losses = draw(rng, (runs, decoders, seeds), noise, spreads, effect)
        column = kind(noise, spreads)
        for name, decide in rules.items():
            errors = found[name]["error"]
            errors[column] = max(errors.get(column, 0.0), error(decide, losses[: _few(name)]))
    losses = draw(np.random.default_rng([decoders, seeds]), (runs, decoders, seeds))
    for name, decide in rules.items():
        found[name]["power"] = power(decide, losses[: _few(name)])
        if decoders > 2:
            found[name]["spoiled"] = spoiled(decide, losses[: _few(name)])
    return found


def _few(rule: str) -> int | None:
    return FEW if rule in RESAMPLES else None


if __name__ == "__main__":
    content: dict[str, Any] = {"runs": RUNS, "runs of rules that resample": FEW, "cells": []}
    for decoders, seeds in SHAPES:
        found = simulate(RULES, decoders, seeds, RUNS)
        content["cells"].append({"decoders": decoders, "seeds": seeds, "rules": found})
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        print(decoders, seeds, flush=True)
