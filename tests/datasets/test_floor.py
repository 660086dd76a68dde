import math

import numpy as np
import pytest

from polyphase.datasets import DataError, entropy_floor


def entropy(x):
    return -sum(p * math.log(p) for p in (x, 1 - x) if p > 0)


def test_the_floor_is_the_mean_entropy_in_nats():
    values = [0.0, 0.1, 0.5, 0.7, 1.0, 1e-300]
    expected = sum(entropy(x) for x in values) / len(values)
    assert entropy_floor(np.array(values).reshape(1, 2, 3, 1)) == pytest.approx(expected, rel=1e-14)


def test_black_and_white_have_the_floor_zero():
    assert str(entropy_floor(np.array([0, 1, 1], np.float32))) == "0.0"


def test_float32_is_summed_in_float64_over_more_than_one_chunk():
    x = np.full((1 << 20) + 12345, 0.3, np.float32)
    x[:1000] = 0.5
    few = (1000 * entropy(0.5) + (x.size - 1000) * entropy(float(np.float32(0.3)))) / x.size
    assert entropy_floor(x) == pytest.approx(few, rel=1e-12)


def test_the_floor_is_the_binary_cross_entropy_of_a_perfect_reconstruction():
    import keras

    x = np.random.default_rng(3).uniform(0.05, 0.95, (5, 7)).astype(np.float32)
    loss = float(keras.losses.BinaryCrossentropy()(x, x))
    assert entropy_floor(x) == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(3, np.uint8)])
def test_no_pixels_and_integers_are_refused(x):
    with pytest.raises(DataError, match=rf"floats in 0..1, at least one. Received: {x.dtype}"):
        entropy_floor(x)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_values_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(DataError, match=r"must lie in 0\.\.1"):
        entropy_floor(np.array([0.5, bad]))
