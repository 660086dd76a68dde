"""Differences: their intervals against theory and by simulation, and who is left out."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from polyphase.workbench.statistics import Difference, differences, half_widths
from tests.report.test_findings import with_losses

NAMES = ("nearest", "bilinear", "transposed-3", "transposed-4", "subpixel")
NOISES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape),
    "heavy": lambda rng, shape: rng.standard_t(3, shape),
}
SPREADS = {
    "equal": lambda count: np.ones(count),
    "one threefold": lambda count: np.r_[3, np.ones(count - 1)],
    "half threefold": lambda count: np.where(np.arange(count) % 2, 1, 3),
    "tenfold": lambda count: np.r_[10, np.ones(count - 1)],
    "hundredfold": lambda count: np.r_[100, np.ones(count - 1)],
    "a tenth": lambda count: np.r_[0.1, np.ones(count - 1)],
}
CELLS = [("skewed", "equal"), *((noise, one) for noise in ("normal", "heavy") for one in SPREADS)]


def table_of(losses: np.ndarray) -> dict[str, list[float]]:
    return dict(zip(NAMES, losses.tolist(), strict=False))


def false_differences(losses: np.ndarray, equal: int) -> float:
    """Return how often any pair of the first `equal` decoders, which are equal, is called apart."""
    means = losses.mean(axis=-1)[:, :equal]
    apart = np.abs(means[:, :, None] - means[:, None]) > half_widths(losses)[:, :equal, :equal]
    return float(apart.any(axis=(1, 2)).mean())


@pytest.mark.parametrize(
    ("decoders", "seeds"), [(2, 3), (2, 10), (3, 3), (5, 3), (5, 5), (10, 3), (10, 10)]
)
def test_equal_decoders_are_called_different_in_at_most_six_of_a_hundred_comparisons(
    decoders, seeds
):
    """Whatever their spreads, whether a seed moves them alike, each by its spread, or not."""
    runs = 2000
    slack = 3 * math.sqrt(0.06 * 0.94 / runs)  # of the simulation itself
    for noise, spread in CELLS:
        rng = np.random.default_rng(7)
        scales = SPREADS[spread](decoders)[:, None]
        alone = NOISES[noise](rng, (runs, decoders, seeds)) * scales
        seed = 3 * rng.standard_normal((runs, 1, seeds))
        for losses in (alone, alone + seed, alone + scales * seed):
            found = false_differences(losses, decoders)
            assert found <= 0.06 + slack, (noise, spread, found)
        others = alone + np.where(np.arange(decoders) < 2, 0, 50)[:, None]
        assert false_differences(others, 2) <= 0.06 + slack  # the others do differ


@pytest.mark.parametrize(
    ("decoders", "seeds", "least"), [(2, 3, 0.65), (5, 3, 0.14), (5, 5, 0.75), (5, 10, 0.99)]
)
def test_a_difference_of_four_standard_deviations_is_seen_as_often_as_by_paired_t_tests(
    decoders, seeds, least
):
    rng = np.random.default_rng(8)
    losses = rng.standard_normal((2000, decoders, seeds)) + 5 * rng.standard_normal(
        (2000, 1, seeds)
    )
    losses[:, 0] -= 4
    means, halves = losses.mean(axis=-1), half_widths(losses)
    seen = means[:, 1:] - means[:, :1] > halves[:, 0, 1:]
    assert seen.mean() >= least


def test_planted_effects_are_recovered_and_none_is_invented():
    """The same noise without and with an effect of eight standard deviations on `subpixel`."""
    invented = recovered = 0
    for run in range(6):
        rng = np.random.default_rng(run)
        losses = 0.09 + 0.001 * rng.standard_normal((5, 5)) + 0.002 * rng.standard_normal(5)
        invented += any(one.decided for one in differences(with_losses(table_of(losses))))
        losses[4] -= 0.008
        found = differences(with_losses(table_of(losses)))
        recovered += all(one.best == "subpixel" and one.low <= 0.008 <= one.high for one in found)
        assert all(one.decided for one in found)
    assert invented <= 1
    assert recovered >= 5


@pytest.mark.parametrize("seeds", [3, 5, 20])
def test_two_decoders_have_the_interval_of_the_paired_t_test(seeds):
    rng = np.random.default_rng(seeds)
    one, other = 0.1 + rng.random(seeds), 0.2 + 3 * rng.random(seeds)
    expected = stats.ttest_rel(other, one).confidence_interval(0.95)
    (found,) = differences(with_losses({"nearest": list(one), "bilinear": list(other)}))
    assert found.low == pytest.approx(expected.low, rel=1e-6)
    assert found.high == pytest.approx(expected.high, rel=1e-6)


def wild_of(losses: np.ndarray) -> list[bool]:
    """Return which decoders vary against the others over 25 times as much as is usual."""
    k = len(losses)
    typical = [
        np.median([np.var(losses[i] - losses[j], ddof=1) for j in range(k) if j != i])
        for i in range(k)
    ]
    return [one > 25 * np.median(typical) for one in typical]


@pytest.mark.parametrize(
    ("scales", "wild"),
    [((1, 1, 4, 4), 0), ((1, 1, 2, 90), 1), ((1, 1, 2, 2, 90, 400), 2), ((1, 2, 90), 0)],
)
def test_half_widths_follow_their_definition(scales, wild):
    losses = np.random.default_rng(9).random((len(scales), 5)) * np.array(scales)[:, None]
    k, n = losses.shape
    apart = wild_of(losses)
    assert sum(apart) == wild
    means = [sum(row) / n for row in losses]
    usual = [i for i in range(k) if not apart[i]]
    m = len(usual)
    seeds = [sum(losses[i][s] - means[i] for i in usual) / m for s in range(n)]
    freedom = [n - 1 if apart[i] else (n - 1) * (m - 1) / m for i in range(k)]
    spread = [
        sum((losses[i][s] - means[i] - seeds[s]) ** 2 for s in range(n)) / freedom[i]
        for i in range(k)
    ]
    found = half_widths(losses)
    for i in range(k):
        for j in range(k):
            both = spread[i] + spread[j]
            paired = np.var([losses[i][s] - losses[j][s] for s in range(n)], ddof=1)
            freedoms = both**2 / (spread[i] ** 2 / freedom[i] + spread[j] ** 2 / freedom[j])
            q = stats.studentized_range.ppf(1 - 0.05 * math.sqrt(2 / k), k, freedoms)
            expected = q * math.sqrt(max(both, paired) / (2 * n))
            assert found[i, j] == pytest.approx(expected, rel=1e-3)


def test_a_training_that_diverges_leaves_the_other_decoders_their_intervals():
    rng = np.random.default_rng(10)
    losses = rng.standard_normal((2000, 5, 5)) + 5 * rng.standard_normal((2000, 1, 5))
    losses[:, 0] -= 4
    spoiled = losses.copy()
    spoiled[:, -1, 0] += 50  # one seed of one decoder

    def seen(drawn: np.ndarray) -> float:
        means = drawn.mean(axis=-1)
        return float((means[:, 1:4] - means[:, :1] > half_widths(drawn)[:, 0, 1:4]).mean())

    assert seen(spoiled) > seen(losses) - 0.05
    assert seen(losses) > 0.8


def test_losses_that_do_not_vary_have_intervals_without_width():
    found = differences(with_losses({"nearest": [0.1] * 3, "bilinear": [0.1] * 3}))
    assert [(one.low, one.high, one.decided, one.needed) for one in found] == [(0, 0, False, None)]


def test_the_seeds_needed_are_those_whose_interval_excludes_zero():
    """Half width and seeds: the interval of two decoders, with the same spread, at both counts."""
    rng = np.random.default_rng(12)
    losses = {"nearest": list(rng.random(4)), "bilinear": list(0.4 + rng.random(4))}
    (one,) = differences(with_losses(losses))
    assert not one.decided
    spread = np.std(np.subtract(losses["bilinear"], losses["nearest"]), ddof=1)

    def half(seeds: int) -> float:
        return stats.t.ppf(0.975, seeds - 1) * spread / math.sqrt(seeds)

    assert half(one.needed) < one.mean <= half(one.needed - 1)


def test_decoders_of_unequal_seeds_have_no_differences():
    found = with_losses({"nearest": [0.1] * 4, "bilinear": [0.2] * 4})
    assert differences(dataclasses.replace(found, trials=found.trials[:-1])) == []


def test_differences_are_to_the_best_the_nearest_first():
    found = differences(
        with_losses({"nearest": [0.5] * 3, "bilinear": [0.2] * 3, "subpixel": [0.3] * 3})
    )
    assert [(one.decoder, one.best) for one in found] == [
        ("subpixel", "bilinear"),
        ("nearest", "bilinear"),
    ]
    assert found[0].mean == pytest.approx(0.1)
    assert found[0].low == pytest.approx(0.1)
    assert all(one.decided for one in found)


def test_the_interval_of_many_seeds_is_that_of_the_normal_distribution():
    noise = np.random.default_rng(3).standard_normal(60)
    base = 0.5 + np.random.default_rng(4).standard_normal(60)
    (one,) = differences(with_losses({"nearest": list(base + 1 + noise), "bilinear": list(base)}))
    half = 1.96 * noise.std(ddof=1) / math.sqrt(60)
    assert one.low == pytest.approx(1 + noise.mean() - half, abs=0.03)
    assert one.high == pytest.approx(1 + noise.mean() + half, abs=0.03)


def test_more_decoders_make_every_interval_wider():
    generator = np.random.default_rng(5)
    losses = {name: list(generator.random(10)) for name in ("nearest", "bilinear")}
    (alone,) = differences(with_losses(losses))
    losses |= {name: [9 + x for x in generator.random(10)] for name in ("subpixel", "transposed-3")}
    first = differences(with_losses(losses))[0]
    assert first.decoder == alone.decoder
    assert first.high - first.low > alone.high - alone.low


def test_two_seeds_have_no_interval_and_a_diverged_decoder_is_left_out():
    (one,) = differences(with_losses({"nearest": [1.0, 1.0], "bilinear": [2.0, 2.0]}))
    assert (one.low, one.high) == (-math.inf, math.inf)
    assert not one.decided
    left = with_losses({"nearest": [1.0] * 3, "bilinear": [math.nan, 2.0, 2.0]})
    assert differences(left) == []


def called_equal(losses: np.ndarray, margin: float) -> np.ndarray:
    """Return, by run, whether the first decoder is called equal to each other one."""
    apart = losses.mean(axis=-1)[:, 1:] - losses.mean(axis=-1)[:, :1]
    halves = half_widths(losses)[:, 0, 1:]
    pairs = [
        Difference("other", "best", mean, mean - half, mean + half)
        for mean, half in zip(apart.ravel().tolist(), halves.ravel().tolist(), strict=True)
    ]
    return np.reshape([one.within(margin) for one in pairs], apart.shape)


@pytest.mark.parametrize(("decoders", "seeds"), [(2, 3), (2, 10), (5, 5)])
def test_decoders_that_differ_by_the_margin_are_called_equal_in_at_most_five_of_a_hundred(
    decoders, seeds
):
    """Any of them; margins of three and eight standard deviations."""
    for noise, spread in CELLS:
        rng = np.random.default_rng(13)
        scales = SPREADS[spread](decoders)[:, None]
        losses = NOISES[noise](rng, (500, decoders, seeds)) * scales
        losses += 3 * rng.standard_normal((500, 1, seeds))
        for margin in (3, 8):
            apart = np.where(np.arange(decoders) > 0, margin, 0)[:, None]
            assert called_equal(losses + apart, margin).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize(
    ("decoders", "seeds", "margin", "least"), [(2, 5, 3, 0.85), (2, 20, 1, 0.65), (5, 10, 3, 0.98)]
)
def test_equal_decoders_are_called_equal_with_enough_seeds(decoders, seeds, margin, least):
    rng = np.random.default_rng(14)
    losses = rng.standard_normal((1000, decoders, seeds)) + rng.standard_normal((1000, 1, seeds))
    assert called_equal(losses, margin).mean() >= least
    assert not called_equal(losses, None).any()
    assert not called_equal(losses[..., :2], margin).any()  # two seeds have no interval


def test_equal_within_a_margin_is_two_one_sided_t_tests():
    rng = np.random.default_rng(15)
    for _ in range(50):
        one, other = rng.random(4), rng.random(4)
        each = other - one
        above = stats.ttest_1samp(each, -0.7, alternative="greater").pvalue
        below = stats.ttest_1samp(each, 0.7, alternative="less").pvalue
        (found,) = differences(with_losses({"nearest": list(one), "bilinear": list(other)}))
        assert found.within(0.7) == (max(above, below) < 0.025)
