"""Times: contenders take turns, and what is timed is the computation itself."""

import keras
import numpy as np
import pytest

from polyphase.timing import alternate, forward, gradient, surely_less
from polyphase.workbench.bench import measure, quick_cases, resize_convolution
from tests.gradients import to_numpy


def test_contenders_take_turns_and_all_get_a_spread():
    calls = []
    times = alternate({name: lambda name=name: calls.append(name) for name in "ab"}, seconds=0.01)
    assert set(times) == {"a", "b"}
    assert calls[:4] == ["a", "a", "b", "b"]
    for one in times.values():
        assert 0 <= one.low <= one.median <= one.high
    runs = "".join(calls[4:])
    turns = [name for i, name in enumerate(runs) if i == 0 or runs[i - 1] != name]
    assert len(turns) >= 3, "each ran in one go"


def test_forward_and_gradient_compute_what_they_time():
    x, w = np.arange(6.0, dtype="float32").reshape(2, 3), np.ones((3, 1), "float32")
    np.testing.assert_allclose(to_numpy(forward(keras.ops.matmul, [x, w])()), x @ w)
    y, (dx, dw) = gradient(keras.ops.matmul, [x, w])()
    noise = np.random.default_rng(0).standard_normal((2, 1), dtype="float32")
    np.testing.assert_allclose(to_numpy(y), x @ w)
    np.testing.assert_allclose(to_numpy(dx), noise @ w.T, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(dw), x.T @ noise, rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.grid(1)
def test_a_case_is_the_same_computation_twice(interpolation):
    case = resize_convolution((2, 3, 4, 5), 3, interpolation=interpolation)
    result = measure(case, seconds=0.01)
    assert result.difference < 1e-5
    assert set(result.forward) == set(result.training) == {"keras", "ours"}
    assert result.ratio("forward") > 0
    assert result.record()["name"] == "x2, 3x3, 2x3x4x5 -> 3"


def test_the_quick_cases_cover_every_group():
    groups = {case.group for case in quick_cases()}
    assert groups == {"nearest + conv", "bilinear + conv", "Conv2DTranspose", "UpSampling2D"}


def test_ties_are_told_apart_as_seldom_as_is_said():
    """Of pairs of equal distributions at most 1% are; of 2% less in 100 rounds nearly all."""
    generator = np.random.default_rng(0)
    ties = wins = 0
    for _ in range(2000):
        one, other = generator.lognormal(0, 0.02, (2, 100))
        ties += surely_less(one, other)
        wins += surely_less(0.98 * one, other)
    assert ties <= 2000 * 0.02
    assert wins >= 2000 * 0.99
    assert not surely_less([1.0] * 3, [2.0] * 3)  # too few to know
