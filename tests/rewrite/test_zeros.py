"""Weights that are set afterwards are not drawn at random first; all else is as ever."""

import threading

import keras
import numpy as np
import pytest

from polyphase.initializers import ICNR
from polyphase.rewrite.zeros import random_weights_are_zeros

RANDOM = [
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "random_normal", "random_uniform", "truncated_normal", "variance_scaling", "orthogonal", None,
    keras.initializers.HeNormal(seed=3), keras.initializers.RandomUniform(1.0, 2.0), ICNR(1),
]  # fmt: skip


def numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def made(initializer, dtype="float32", **kwargs):
    return keras.layers.Layer(dtype=dtype).add_weight((4, 4), initializer, **kwargs)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("initializer", RANDOM, ids=range(len(RANDOM)))
def test_random_weights_start_as_zeros_of_their_dtype(initializer, dtype):
    with random_weights_are_zeros():
        weight = made(initializer, dtype, regularizer="l2", trainable=False)
    assert not numpy(weight).any()
    assert weight.dtype == dtype
    assert weight.regularizer is not None
    assert not weight.trainable
    assert numpy(made(initializer)).any()  # outside


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [("ones", 1.0), (keras.initializers.Constant(3.0), 3.0), (lambda shape, dtype: keras.ops.full(
        shape, 2.0, dtype), 2.0)],
)  # fmt: skip
def test_what_is_not_random_starts_as_ever(initializer, expected):
    with random_weights_are_zeros():
        np.testing.assert_array_equal(numpy(made(initializer)), np.full((4, 4), expected))
        np.testing.assert_array_equal(
            numpy(made(keras.initializers.Identity())), np.eye(4, dtype="float32")
        )


def test_an_error_inside_and_other_threads():
    drawn = []
    with pytest.raises(ZeroDivisionError), random_weights_are_zeros():
        with random_weights_are_zeros():
            pass
        assert not numpy(made("he_normal")).any()  # the inner context did not end the outer
        other = threading.Thread(target=lambda: drawn.append(numpy(made("he_normal"))))
        other.start()
        other.join()
        raise ZeroDivisionError
    assert drawn[0].any()
    assert numpy(made("he_normal")).any()


@keras.saving.register_keras_serializable(package="tests")
class Projection(keras.layers.Layer):
    """Its kernel is drawn from a seed and never saved, as of random features."""

    def build(self, shape):
        self.kernel = self.add_weight(
            (shape[-1], 2), keras.initializers.RandomNormal(seed=5), trainable=False
        )

    def call(self, x):
        return x @ self.kernel

    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


def test_a_loaded_model_is_the_saved_one_and_keeps_its_initialisers(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Conv2D(2, 3, kernel_initializer=keras.initializers.HeNormal(seed=7)),
            keras.layers.BatchNormalization(),
            keras.layers.SpectralNormalization(keras.layers.Dense(3)),
            keras.layers.PReLU(alpha_initializer="random_normal"),
            Projection(),
        ]
    )
    model.save(tmp_path / "model.keras")
    with random_weights_are_zeros():
        loaded = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(numpy(one), numpy(other))
    assert loaded.get_config() == keras.models.load_model(tmp_path / "model.keras").get_config()
    assert type(loaded.layers[0].kernel_initializer) is keras.initializers.HeNormal
