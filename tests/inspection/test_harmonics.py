"""Patterns of known strength, planted into the errors of blurred digits and photographs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

from polyphase.algebra.harmonics import cells
from polyphase.datasets import load
from polyphase.inspection.harmonics import amplitudes, patterns, spectra

STAGES = ((8, 8), (4, 4), (2, 2))
LEVEL = 1 / 255


def photographs(side=32, count=200):
    rng = np.random.default_rng(0)
    china, flower = (image / 255 for image in load_sample_images().images)
    corners = rng.integers(0, (china.shape[0] - side, china.shape[1] - side), (count, 2))
    return np.array(
        [(china, flower)[i % 2][y : y + side, x : x + side] for i, (y, x) in enumerate(corners)]
    )


SETS = {"photographs": photographs(), "digits": load("digits").train.pixels[:300].astype(float)}


def blurred(originals):
    """Return errors as an autoencoder's: fine detail is missing, a little noise is there."""
    rng = np.random.default_rng(1)
    errors = gaussian_filter(originals, (0, 1, 1, 0), mode="nearest") - originals
    return errors + rng.normal(0, 0.005, originals.shape)


def planted(case, shape):
    """Return a pattern whose root mean square is 1, `(n, height, width, 1)`."""
    n, h, w = shape[:3]
    y, x = np.indices((h, w))
    rng = np.random.default_rng(2)
    board, columns = (x + y) % 2 * 2.0 - 1, x % 2 * 2.0 - 1
    by_image = rng.choice([-1.0, 1.0], (n, 1, 1))
    blocks = np.kron(rng.choice([-1.0, 1.0], (n, -(-h // 8), -(-w // 8))), np.ones((8, 8)))
    made = {
        "board": np.broadcast_to(board, (n, h, w)),
        "board, sign by image": board * by_image,
        "board, sign by block": board * blocks[:, :h, :w],
        "stripes of 4": np.broadcast_to(np.where(x % 4 < 2, 1.0, -1.0), (n, h, w)),
        "stripes of 8": np.broadcast_to(np.where(x % 8 < 4, 1.0, -1.0), (n, h, w)),
        "stripes of 2, sign by image": columns * by_image,
    }
    return made[case][..., None]


def read(errors, periods=STAGES):
    return patterns(spectra(errors, cells(errors.shape[1:3], (8, 8))), periods)


CASES = {
    "board": (2, 2),
    "board, sign by image": (2, 2),
    "board, sign by block": (2, 2),
    "stripes of 4": (4, 4),
    "stripes of 8": (8, 8),
    "stripes of 2, sign by image": (2, 2),
}


@pytest.mark.parametrize("data", ["photographs", "digits", "nothing"])
@pytest.mark.parametrize("case", CASES)
def test_a_planted_pattern_is_read_back_within_a_tenth(case, data):
    originals = np.zeros((20, 32, 40, 1)) if data == "nothing" else SETS[data]
    errors = np.zeros_like(originals) if data == "nothing" else blurred(originals)
    strength = 0.06
    found = read(errors + strength * planted(case, originals.shape))
    one = found[CASES[case]]
    assert one.amplitude == pytest.approx(strength, rel=0.1)
    assert one.low <= one.amplitude <= one.high
    if data == "photographs":
        assert one.low > 0.8 * strength
        assert one.high < 1.2 * strength
        assert one.ratio > 2


@pytest.mark.parametrize("strength", [2 * LEVEL, 4 * LEVEL])
def test_a_board_of_two_grey_levels_is_seen_in_photographs(strength):
    originals = SETS["photographs"]
    one = read(blurred(originals) + strength * planted("board", originals.shape))[2, 2]
    assert one.amplitude == pytest.approx(strength, rel=0.1)
    assert one.low > 0.8 * strength


def test_a_pattern_of_a_long_period_is_none_of_a_shorter_one():
    found = read(0.02 * planted("stripes of 8", (20, 64, 64, 1)))
    assert found[8, 8].amplitude == pytest.approx(0.02, rel=0.02)
    assert found[4, 4].amplitude < 1e-4
    assert found[2, 2].amplitude < 1e-4


def test_where_neighbours_differ_more_than_they_are_a_pattern_is_still_told():
    originals = SETS["digits"]  # enlarged: their power falls by a hundred within a few frequencies
    one = read(blurred(originals) + 0.02 * planted("stripes of 4", originals.shape))[4, 4]
    assert one.low > 0.75 * 0.02


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("kind", ["blur", "noise", "last column"])
def test_without_a_pattern_there_need_not_be_any(kind, data):
    originals = SETS[data]
    noise = np.random.default_rng(3).normal(0, 0.05, originals.shape)
    edge = np.zeros_like(originals)
    edge[:, :, -1] = 0.2
    errors = {"blur": blurred(originals), "noise": noise, "last column": blurred(originals) + edge}
    for one in read(errors[kind]).values():
        assert one.low == 0 or one.amplitude < LEVEL / 2
        assert one.high > 0


def test_the_interval_includes_zero_nearly_always_where_there_is_noise_alone():
    rng = np.random.default_rng(4)
    seen = [read(rng.normal(0, 0.05, (40, 28, 28, 1)), [(2, 2)])[2, 2].low > 0 for _ in range(200)]
    assert np.mean(seen) <= 0.05


def test_the_interval_holds_the_strength_where_images_differ_in_it():
    rng = np.random.default_rng(5)
    board, held = planted("board", (60, 28, 28)), []
    for _ in range(100):
        each = rng.exponential(0.02, (60, 1, 1, 1))
        one = read(rng.normal(0, 0.05, board.shape) + each * board, [(2, 2)])[2, 2]
        held.append(one.low <= 0.02 * np.sqrt(2) <= one.high)  # the root of the mean square
    assert np.mean(held) >= 0.88


def test_a_pattern_of_one_channel_counts_as_its_mean_square_over_all():
    errors = np.zeros((9, 28, 28, 3))
    errors[..., 1:2] = 0.03 * planted("board", errors.shape)
    assert read(errors)[2, 2].amplitude == pytest.approx(0.03 / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("sides", [(28, 28), (7, 10), (9, 9), (1, 1), (3, 50), (33, 64)])
@pytest.mark.parametrize("count", [1, 2, 25])
def test_any_size_and_number_of_images(sides, count):
    rng = np.random.default_rng(6)
    for errors in (np.zeros((count, *sides, 1)), np.full((count, *sides, 1), 0.3),
                   rng.normal(0, 0.05, (count, *sides, 1))):  # fmt: skip
        found = read(errors, [(8, 8), (2, 4), (2, 1)])
        for period, one in found.items():
            if any(side < 3 * s for side, s in zip(sides, period, strict=True) if s > 1):
                assert np.isnan([one.amplitude, one.low, one.high, one.ratio]).all()
            else:
                assert 0 <= one.low <= one.amplitude <= one.high
                assert one.amplitude < 0.04
                assert (one.high == np.inf) == (count == 1)


def test_errors_that_are_not_finite_have_no_pattern():
    errors = np.full((5, 28, 28, 1), np.nan)
    assert np.isnan(read(errors)[2, 2].amplitude)


def test_groups_and_parts_change_nothing_but_the_interval(monkeypatch):
    errors = blurred(SETS["digits"]) + 0.02 * planted("board", SETS["digits"].shape)
    whole = spectra(errors, (32, 32))
    monkeypatch.setattr("polyphase.inspection.harmonics._TOGETHER", 2 * 28 * 28)
    parts = spectra(errors, (32, 32))
    np.testing.assert_allclose(whole.powers, parts.powers, rtol=1e-12)
    assert whole.counts.tolist() == [15] * 20
    differences = spectra(errors + SETS["digits"], (32, 32), SETS["digits"])
    np.testing.assert_allclose(differences.powers, whole.powers, atol=1e-12)


def test_the_amplitudes_of_all_harmonics_add_up_to_the_pattern():
    errors = 0.05 * planted("stripes of 8", (5, 32, 32))
    values = amplitudes(spectra(errors, (32, 32)), (8, 8))
    assert values[0, 1] == values[0, 7] > values[0, 3] == values[0, 5] > 0.01
    assert np.sqrt(values[0, 1] ** 2 + values[0, 3] ** 2) == pytest.approx(0.05, rel=0.02)
    assert values[0, 0] == 0
    assert values[1:].max() < 1e-4
