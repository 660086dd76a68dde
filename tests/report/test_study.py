"""The study's numbers are checked against planted effects, and against none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from polyphase.report import study
from tests.report import synthetic


def planted(ratio, noise=0.02, seeds=(0, 1, 2, 3, 4), failed=()):
    """Return generators of which the second has `ratio` times the periodic bias of the first."""
    random = np.random.default_rng(7)
    found = synthetic.generators(seeds=seeds, decoders=("nearest", "transposed-4"), failed=failed)
    trials = []
    for one in found.trials:
        factor = {"nearest": 1, "transposed-4": ratio}[one.decoder]
        bias = 0.01 * 3**one.seed * factor * math.exp(noise * random.normal())
        trials.append(replace(one, checkerboard=replace(one.checkerboard, bias=bias)))
    return replace(found, trials=tuple(trials))


def test_a_planted_ratio_is_recovered_though_seeds_differ_more():
    (line,) = study.pairs(planted(2), study.BIAS).splitlines()[2:]
    who, told = (cell.strip() for cell in line.strip("|").split("|"))
    assert who == "nearest against transposed-4"
    middle, low, high = map(float, told.strip("*)").replace(" (", " to ").split(" to "))
    assert told.startswith("**")
    assert 0.45 < low < 0.5 < high < 0.55
    assert middle == pytest.approx(0.5, abs=0.02)


def test_no_ratio_is_not_told_apart():
    told = study.pairs(planted(1, noise=0.5), study.BIAS, study.KID)
    assert "**" not in told.splitlines()[2].split("|")[2]


def test_seeds_with_which_a_training_failed_are_left_out():
    found = planted(2, failed=(("nearest", 3),))
    assert study.whole(found) == [0, 1, 2, 4]
    assert "nan" not in study.pairs(found, study.BIAS, study.KID, study.SPECTRAL)
    assert " of 4 |" in study.biases(found).splitlines()[2]


def draws(effect, count, random):
    """Return chi, of which half are exactly zero, and a bias that goes with it."""
    chi = np.maximum(random.normal(size=count), 0)
    return chi, effect * chi + random.normal(size=count)


def test_a_correlation_of_nothing_is_called_one_as_rarely_as_it_says():
    random = np.random.default_rng(0)
    found = [study.correlation(*draws(0, 40, random)) for _ in range(500)]
    assert np.mean([one.low > 0 or one.high < 0 for one in found]) < 0.075


@pytest.mark.parametrize(("effect", "count"), [(0.7, 40), (0.7, 20), (2, 40)])
def test_the_interval_holds_a_planted_correlation(effect, count):
    random = np.random.default_rng(1)
    truth = study.correlation(*draws(effect, 200_000, random)).value
    found = [study.correlation(*draws(effect, count, random)) for _ in range(500)]
    assert 0.92 < np.mean([one.low < truth < one.high for one in found]) < 0.985


def generator(run, seed, chi, bias, repaired=None):
    layers = [{"chi": 1.0 + seed, "reaches": 0.5}, {"chi": chi, "reaches": 1.0}]
    one = {"run": run, "decoder": "a", "seed": seed, "layers": layers, "bias": bias, "kid": 0.04}
    return one | ({} if repaired is None else {"repaired": repaired})


GENERATORS = [
    *(generator("strided", seed, 0.0, 0.01 + seed / 1e4) for seed in range(5)),
    *(
        generator("blurred", seed, 0.2 + seed / 10, 0.05 + seed / 100, {"bias": 0.02, "kid": 0.05})
        for seed in range(5)
    ),
]


def test_what_predicts_is_told_of_all_and_of_those_with_a_transposed_last_layer():
    head, _, last, *_ = study.correlations(GENERATORS).splitlines()
    assert head.endswith("| all (10) | transposed last (5) |")
    _, _, every, some, _ = (cell.strip() for cell in last.split("|"))
    assert every.startswith("**0.9")
    assert some.startswith("**1.00")
    assert "no spread" in study.correlations(GENERATORS[:5])


def test_repairs_stand_beside_what_was_there():
    (line,) = study.repairs(GENERATORS).splitlines()[2:]
    assert line == (
        "| blurred | a | 17.85 (12.75 to 22.95) | 5.10 (5.10 to 5.10) | 5 of 5 "
        "| 0.040 (0.040 to 0.040) | 0.050 (0.050 to 0.050) | 0 of 5 |"
    )


def test_the_figure_draws_every_generator_twice():
    figure = study.scatter(GENERATORS)
    last, earlier = figure.axes
    assert sorted(float(line.get_xdata()[0]) for line in last.lines[:10]) == pytest.approx(
        sorted(one["layers"][-1]["chi"] for one in GENERATORS)
    )
    drawn = [line for line in earlier.lines if len(line.get_xdata())]
    assert len(drawn) == len(GENERATORS)
    assert [text.get_text() for text in earlier.get_legend().get_texts()] == [
        "nearest last, strided",
        "transposed last, blurred",
    ]
