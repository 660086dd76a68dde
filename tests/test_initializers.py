"""ICNR starts a sub-pixel convolution with equal phases."""

import keras
import numpy as np
import pytest

from polyphase.initializers import ICNR
from tests.gradients import to_numpy


@pytest.mark.parametrize("size", [1, 2, (2, 3)])
def test_all_phases_are_the_same_random_kernel(size):
    s_h, s_w = size if isinstance(size, tuple) else (size, size)
    kernel = to_numpy(ICNR(size, "random_normal")((3, 2, 4, s_h * s_w * 5)))
    phases = kernel.reshape(3, 2, 4, s_h * s_w, 5)
    for p in range(s_h * s_w):
        np.testing.assert_array_equal(phases[..., p, :], phases[..., 0, :])
    assert len(np.unique(phases[..., 0, :])) == 3 * 2 * 4 * 5


def test_the_fan_is_that_of_one_phase():
    """Glorot's limit counts the channels that one output pixel has."""
    kernel = to_numpy(ICNR(4)((3, 3, 8, 16 * 2)))
    limit = np.sqrt(6 / (9 * (8 + 2)))
    assert 0.9 * limit < np.abs(kernel).max() <= limit


def test_the_dtype_is_the_one_asked_for():
    kernel = ICNR(2)((1, 1, 2, 4), dtype="float16")
    assert keras.backend.standardize_dtype(kernel.dtype) == "float16"


def test_configuration_goes_round():
    first = ICNR((2, 3), keras.initializers.RandomNormal(seed=3))
    again = keras.initializers.deserialize(keras.initializers.serialize(first))
    assert isinstance(again, ICNR)
    assert tuple(again.size) == (2, 3)
    shape = (3, 3, 2, 12)
    np.testing.assert_array_equal(to_numpy(first(shape)), to_numpy(again(shape)))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"divisible by 4.*\(3, 3, 2, 6\)"):
        ICNR(2)((3, 3, 2, 6))
    with pytest.raises(ValueError, match=r"`size` must be a positive integer.*size=0"):
        ICNR(0)
    with pytest.raises(ValueError, match="nonsense"):
        ICNR(2, "nonsense")
