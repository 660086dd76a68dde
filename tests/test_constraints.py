"""EvenPhases: the algebra's repair as tensors, kept through a training and through saving."""

import keras
import numpy as np
import pytest

from polyphase import layers
from polyphase.algebra.checkerboard import checkerboard_gain, conv_transpose_gains, repair
from polyphase.constraints import EvenPhases
from tests.gradients import to_numpy

CASES = [((3, 3), (2, 2)), ((4, 4), (2, 2)), ((5, 4), (3, 2)), ((2, 3), (1, 3)), ((5, 5), (1, 1))]


def chi(kernel, strides):
    return checkerboard_gain(conv_transpose_gains(kernel, strides))


@pytest.mark.parametrize(("kernel_size", "strides"), CASES)
def test_it_is_the_least_change_of_the_algebra(kernel_size, strides):
    kernel = np.random.default_rng(0).standard_normal((*kernel_size, 3, 2)).astype("float32")
    even = EvenPhases(strides)(keras.ops.convert_to_tensor(kernel))
    assert keras.backend.standardize_dtype(even.dtype) == "float32"
    actual = to_numpy(even)
    np.testing.assert_allclose(actual, repair(kernel, strides), atol=1e-6)
    again = to_numpy(EvenPhases(strides)(even))
    np.testing.assert_allclose(again, actual, atol=1e-6)


@pytest.mark.parametrize("kind", [keras.layers.Conv2DTranspose, layers.Conv2DTranspose])
def test_training_keeps_a_constant_constant(kind, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4, 4, 2)), kind(2, 3, 2, padding="same", kernel_constraint=EvenPhases(2))]
    )
    model.compile("adam", "mse")
    generator = np.random.default_rng(1)
    x, y = (generator.random((8, side, side, 2), "float32") for side in (4, 8))
    model.fit(x, y, epochs=3, verbose=0)
    assert chi(model.get_weights()[0], (2, 2)) < 1e-6
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.layers[-1].kernel_constraint.strides == 2


def test_a_kernel_without_a_tap_for_every_phase_is_refused():
    with pytest.raises(ValueError, match=r"at least as large.*\(2, 2\)"):
        EvenPhases(3)(keras.ops.ones((2, 2, 1, 1)))
    with pytest.raises(ValueError, match="`strides` must be"):
        EvenPhases(0)
