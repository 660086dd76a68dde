import numpy as np
import pytest

from polyphase.algebra.blur import blur

from . import oracles
from .oracles import assert_close, noise

FACTORS = (1, 2, 3, 4, 5, 8)
NAMES = sorted(oracles.PHI)


def nearest_then_blurred(x, factor, q):
    """Return the blurred copies of every pixel, zeros outside the image."""
    return np.convolve(np.repeat(x, factor), q)[len(q) // 2 : len(x) * factor + len(q) // 2]


@pytest.mark.parametrize("name", NAMES)
def test_an_interpolation_is_nearest_blurred_as_far_from_the_border_as_is_said_and_no_further(name):
    for factor in FACTORS:
        q = blur(factor, name)
        reach = len(q) // 2
        x = noise(13, seed=factor)
        expected = np.array(oracles.resample(list(x), factor * 13, oracles.PHI[name]))
        actual = nearest_then_blurred(x, factor, q)
        assert_close(actual[reach : len(x) * factor - reach], expected[reach : -reach or None])
        if reach:
            wrong = np.abs(actual - expected) > 1e-9
            assert wrong[reach - 1], f"{name} x{factor}: the band is narrower than {reach}"
            assert wrong[-reach], f"{name} x{factor}: the band is narrower than {reach}"


@pytest.mark.parametrize("name", NAMES)
def test_a_blur_is_symmetric_to_the_bit_and_sums_to_1(name):
    for factor in FACTORS:
        q = blur(factor, name)
        assert len(q) % 2 == 1
        np.testing.assert_array_equal(q, q[::-1])
        assert abs(q.sum() - 1) < 1e-15 * len(q)
        assert not q.flags.writeable


@pytest.mark.parametrize("name", NAMES)
def test_the_division_leaves_no_remainder(name):
    """Box times quotient is the filter of all phases, written out from the formula."""
    for factor in FACTORS:
        h = np.convolve(np.ones(factor), blur(factor, name))
        middle = (len(h) - 1) / 2
        phi = oracles.PHI[name]
        positions = (np.arange(len(h)) - middle) / factor
        weights = np.array([phi(t) for t in positions])
        # Every phase, the taps that are a factor apart, is divided by its sum.
        for phase in range(factor):
            weights[phase::factor] /= weights[phase::factor].sum()
        if name == "nearest":
            weights = np.ones(factor)
        assert_close(h, weights)


def test_linear_blurs_are_one_box_or_two():
    assert_close(blur(2, "bilinear"), np.array([1, 2, 1]) / 4)
    assert_close(blur(3, "linear"), np.ones(3) / 3)
    assert_close(blur(4, "trilinear"), np.array([1, 2, 2, 2, 1]) / 8)
