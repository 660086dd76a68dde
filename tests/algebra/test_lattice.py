"""Patterns of known power, beside what is none."""

import numpy as np
import pytest

from polyphase.algebra.lattice import lattice_power

Y, X = np.mgrid[:32, :48]


def power(image, base):
    return float(lattice_power(np.asarray(image, float)[None, :, :, None], base)[0])


@pytest.mark.parametrize(
    ("pattern", "base", "expected"),
    [
        ((X + Y) % 2 * 2 - 1, (1 / 2, 1 / 2), 1.0),
        (X % 2 * 2 - 1, (1 / 2, 1 / 2), 1.0),
        (Y % 2 * 2 - 1, (1 / 2, 1), 1.0),
        (np.cos(2 * np.pi * X / 4 + 0.3), (1 / 4, 1 / 4), 0.5),
        (np.cos(2 * np.pi * (X + Y) / 8 + 0.3), (1 / 8, 1 / 8), 0.5),
        (np.cos(2 * np.pi * X / 3), (1 / 3, 1 / 3), 0.5),
        ((X % 4 == 0) * 1.0, (1, 1 / 4), 3 / 16),
        ((X + Y) % 2 * 2 - 1, (1 / 4, 1 / 4), 1.0),  # an image of a pattern of 2 is one of 4 too
    ],
)
@pytest.mark.parametrize("amplitude", [1.0, 0.003])
def test_a_pattern_is_recovered_on_top_of_a_constant(pattern, base, expected, amplitude):
    found = power(20 + amplitude * np.asarray(pattern, float), base)
    assert found == pytest.approx(amplitude**2 * expected, rel=1e-6)


@pytest.mark.parametrize("sides", [(2, 2), (6, 6), (7, 9), (5, 31)])
def test_small_images_too(sides):
    board = np.indices(sides).sum(axis=0) % 2 * 2.0 - 1
    assert power(board, (0.5, 0.5)) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    "image",
    [np.ones(X.shape), (X == 47) * 1.0, X / 48, np.cos(2 * np.pi * X / 16), (X + Y) % 4 // 2 * 1.0],
    ids=["constant", "last column", "ramp", "wave", "stripes of 4"],
)
def test_what_has_no_period_of_2_has_no_power(image):
    assert power(image, (0.5, 0.5)) < 1e-5


def test_noise_is_beside_too():
    noise = np.random.default_rng(0).normal(size=(500, 32, 32, 1))
    alone = lattice_power(noise, (0.5, 0.5)).mean()
    board = np.indices((32, 32)).sum(axis=0)[None, :, :, None] % 2 * 2.0 - 1
    assert alone < 0.01
    # Of noise 16 times as strong as the pattern a tenth lies at its frequencies.
    assert lattice_power(4 * noise + board, (0.5, 0.5)).mean() == pytest.approx(1, abs=0.04)


def test_as_fine_as_a_pixel_there_is_none():
    assert power((X + Y) % 2, (1, 1)) == power((X + Y) % 2, (2, 2)) == 0
