"""Whether decoders still learn: planted curves that rest, fall or cross, and noise alone."""

import dataclasses
import math

import numpy as np
import pytest

from polyphase._facts import EPOCHS
from polyphase.workbench.learning import fall, more_epochs, pairs, unsettled
from polyphase.workbench.results import Comparison, Epoch
from tests.report.synthetic import comparison

NAMES = ("nearest", "bilinear", "subpixel")


def planted(curves: dict[str, list[list[float]]]) -> Comparison:
    """Return a comparison with such validation losses, per decoder, seed and epoch."""
    seeds = range(len(next(iter(curves.values()))))
    found = comparison(tuple(seeds), decoders=tuple(curves))
    trials = [
        dataclasses.replace(
            one, history=tuple(Epoch(loss, loss, 1.0) for loss in curves[one.decoder][one.seed])
        )
        for one in found.trials
    ]
    return dataclasses.replace(found, trials=tuple(trials))


def seeds(curve, spread=0.0002, count=3):
    """Return a curve for each seed, a little apart."""
    return [[loss + spread * seed for loss in curve] for seed in range(count)]


def together(found: Comparison) -> list[tuple[str, str]]:
    return [(one.ahead, one.behind) for one in unsettled(found)]


def test_decoders_at_rest_are_settled():
    assert together(planted({"nearest": seeds([0.1] * 20), "bilinear": seeds([0.11] * 20)})) == []


@pytest.mark.parametrize("share", [0.8, 1.25])
@pytest.mark.parametrize("mover", ["nearest", "bilinear"])
def test_a_fall_in_the_last_tenth_is_measured_against_the_difference(share, mover):
    """Forty epochs, so a tenth is four; 0.01 apart at the end, whoever of the two still falls."""
    falling = [0.01 * share * (39 - epoch) / 4 for epoch in range(40)]
    curves = {"nearest": [0.1] * 40, "bilinear": [0.11] * 40}
    curves[mover] = [end + more for end, more in zip(curves[mover], falling, strict=True)]
    found = unsettled(planted({name: seeds(curve) for name, curve in curves.items()}))
    assert len(found) == (share > 1)
    for one in found:
        assert (one.ahead, one.behind) == ("nearest", "bilinear")
        assert one.moved == pytest.approx(0.01 * share)
        assert one.apart == pytest.approx(0.01)


def test_curves_that_will_cross_are_unsettled_and_others_of_the_run_are_not():
    """Nearest leads at 0.20 and rests; bilinear is at 0.22 and falls by 0.04 an epoch."""
    crossing = {
        "nearest": seeds([0.3, 0.22, 0.2, 0.2, 0.2]),
        "bilinear": seeds([0.38, 0.34, 0.30, 0.26, 0.22]),
        "subpixel": seeds([0.9] * 5),
    }
    assert together(planted(crossing)) == [("nearest", "bilinear")]


def test_any_pair_counts_not_only_those_with_the_best():
    curves = {
        "nearest": seeds([0.1] * 10),
        "bilinear": seeds([0.8, *np.linspace(0.7, 0.52, 9)]),
        "subpixel": seeds([0.51] * 10),
    }
    assert together(planted(curves)) == [("subpixel", "bilinear")]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_single_epoch_is_always_still_learning(count):
    found = planted({"nearest": seeds([0.1], count=count), "bilinear": seeds([0.9], count=count)})
    assert together(found) == [("nearest", "bilinear")]
    assert math.isnan(unsettled(found)[0].moved)
    longer = planted({"nearest": seeds([0.1], count=count), "bilinear": seeds([0.9] * 9)[:count]})
    assert together(longer) == [("nearest", "bilinear")]


def test_two_epochs_are_judged_by_their_step():
    assert together(planted({"nearest": seeds([0.3, 0.2]), "bilinear": seeds([0.4, 0.25])}))
    assert not together(planted({"nearest": seeds([0.21, 0.2]), "bilinear": seeds([0.32, 0.3])}))


def test_decoders_that_diverged_have_no_order_and_a_late_loss_that_is_not_finite_settles_nothing():
    rest = {"nearest": seeds([0.1] * 9), "bilinear": seeds([0.2] * 9)}
    dead = planted({**rest, "subpixel": seeds([0.3] * 8 + [math.nan])})
    assert together(dead) == []
    late = planted({**rest, "subpixel": seeds([0.3] * 7 + [math.inf, 0.3])})
    assert together(late) == [("nearest", "subpixel"), ("bilinear", "subpixel")]
    early = planted({**rest, "subpixel": seeds([math.inf] + [0.3] * 8)})
    assert together(early) == []


def test_every_seed_has_the_last_tenth_of_its_own_length():
    """Seeds of 10, 20 and 40 epochs that fall by 0.02 in their last tenth, and by 2 before it."""
    lengths = (10, 20, 40)
    falling = [[2.0] * (n - n // 5) + [0.02 * (n - 1 - e) / (n / 10) + 0.5 for e in
               range(n - n // 5, n)] for n in lengths]  # fmt: skip
    assert [fall(one) for one in falling[1:]] == pytest.approx([0.02, 0.02])
    resting = [[0.49] * n for n in lengths]
    found = unsettled(planted({"nearest": resting, "bilinear": falling[1:] + falling[-1:]}))
    assert [one.moved for one in found] == pytest.approx([0.02])
    assert together(planted({"nearest": resting, "bilinear": [[0.5] * n for n in lengths]})) == []


def test_fewer_than_three_seeds_or_unequal_ones_settle_nothing_and_say_nothing():
    falling = {"nearest": seeds([0.9, 0.5], count=2), "bilinear": seeds([0.9, 0.6], count=2)}
    assert together(planted(falling)) == []
    whole = planted({"nearest": seeds([0.9, 0.5]), "bilinear": seeds([0.9, 0.6])})
    assert together(whole)
    assert together(dataclasses.replace(whole, trials=whole.trials[:-1])) == []


@pytest.mark.parametrize(("decoders", "count", "epochs"), [(2, 3, 5), (2, 10, 40), (5, 3, 40)])
@pytest.mark.parametrize("spread", [0, 3])
def test_a_plateau_with_noise_does_not_read_as_learning(decoders, count, epochs, spread):
    """Equal decoders at rest: noise of each epoch, without and with a spread of the seeds."""
    assert share_unsettled(decoders, count, epochs, spread) <= 0.03 + 3 * math.sqrt(0.03 / 300)


@pytest.mark.parametrize(("decoders", "count", "epochs"), [(2, 3, 10), (5, 5, 40)])
def test_a_slope_in_the_same_noise_does(decoders, count, epochs):
    """All fall by twelve standard deviations of an epoch in the last tenth, four apart."""
    assert share_unsettled(decoders, count, epochs, 1, slope=12 / (epochs / 10), apart=4) >= 0.9


def share_unsettled(decoders, count, epochs, spread, slope=0.0, apart=0.0, runs=300) -> float:
    found = 0
    for run in range(runs):
        rng = np.random.default_rng([run, decoders, count])
        curves = rng.standard_normal((decoders, count, epochs))
        curves += spread * rng.standard_normal((decoders, count, 1)) + 3 * rng.standard_normal(
            (1, count, 1)
        )
        curves += (
            slope * (epochs - 1 - np.arange(epochs)) + apart * np.arange(decoders)[:, None, None]
        )
        losses = {str(index): one[:, -1].tolist() for index, one in enumerate(curves)}
        falls = {str(index): [fall(seed) for seed in one] for index, one in enumerate(curves)}
        found += bool(pairs(losses, falls))
    return found / runs


def test_one_epoch_out_of_line_does_not_move_the_fall():
    curve = [0.1] * 40
    curve[-1] = 5.0
    assert fall(curve) == 0
    curve[-1], curve[-3] = 0.1, -5.0
    assert fall(curve) == 0


def test_the_epochs_to_try_are_twice_as_many_and_at_least_the_default():
    assert more_epochs(comparison(epochs=1)) == EPOCHS
    assert more_epochs(comparison(epochs=100)) == 200
