"""The table of activations: of every function of Keras, which numbers it reads, measured."""

import functools

import keras
import numpy as np
import pytest
from keras import activations, layers

from polyphase.rewrite.activations import NAMES, Reach, elementwise, linear, pixelwise, reach

ARGUMENTS = {"threshold": {"threshold": 0.1, "default_value": 0.3}}  # it has no defaults


def test_the_table_has_every_function_of_keras_and_no_other():
    """A new Keras with a new activation fails here; until it is listed, it does not move."""
    public = {name for name in dir(activations) if not name.startswith("_")}
    assert public - {"get", "serialize", "deserialize"} == set(NAMES)


def dependence(function):
    """Return `(out, in)` bool: whether a result's number changes with a number of the input."""
    # Some near 0, where sparse functions see all numbers, and some where others are not flat.
    x = np.random.default_rng(0).uniform(-1, 1, (64, 2, 2, 4)).astype("float32")
    x *= np.linspace(0.1, 2, 64, dtype="float32")[:, None, None, None]

    def results(one):
        y = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(one)))
        return np.asarray(y).reshape(len(one), -1)

    before, columns = results(x), []
    for place in np.ndindex(2, 2, 4):
        changed = x.copy()
        changed[(slice(None), *place)] += 0.7
        columns.append((results(changed) != before).any(0))
    return np.stack(columns, 1)


OWN = np.eye(16, dtype=bool)
ITS_CHANNELS = np.kron(np.eye(4), np.ones((4, 4))).astype(bool)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_function_reads_is_what_the_table_says(name):
    known = NAMES[name]
    function = functools.partial(getattr(activations, name), **ARGUMENTS.get(name, {}))
    if known is Reach.OTHER:
        assert dependence(function).shape != OWN.shape  # glu: other channels than it was given
    else:
        expected = ITS_CHANNELS if known is Reach.LAST_AXIS else OWN
        np.testing.assert_array_equal(dependence(function), expected)
    x = np.linspace(-3, 3, 12, dtype="float32").reshape(1, 1, 3, 4)
    same = np.array_equal(keras.ops.convert_to_numpy(function(x)), x)
    assert same is (known is Reach.SAME)


LAYERS = [
    lambda: layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
    lambda: layers.LeakyReLU(0.3),
    lambda: layers.ELU(0.7),
    lambda: layers.Activation("silu"),
    lambda: layers.Activation(layers.LeakyReLU(0.3)),
]


@pytest.mark.parametrize("make", LAYERS)
def test_layers_that_are_one_function_are_known(make):
    layer = make()
    assert reach(layer) is Reach.ELEMENT
    np.testing.assert_array_equal(dependence(layer), OWN)


def relu(x):
    """A user's, which is Keras' in name only."""
    return keras.ops.roll(x, 1, axis=2)


class Equal:
    """What says that it equals everything, and has no hash."""

    __name__ = "relu"
    __hash__ = None

    def __eq__(self, other):
        return True

    def __call__(self, x):
        return x


class MyReLU(layers.ReLU):
    """A subclass may compute anything."""


UNKNOWN = {
    "named relu": relu,
    "lambda": lambda x: x,
    "partial": functools.partial(activations.relu, negative_slope=0.1),
    "object": Equal(),
    "glu": activations.glu,
    "elu by channel": layers.ELU(np.full((4, 1), 0.1)),
    "layer with weights": layers.PReLU(),
    "softmax layer": layers.Softmax(axis=1),
    "subclass": MyReLU(),
    "layer with a loss": layers.ReLU(activity_regularizer="l2"),
    "model": keras.Sequential([layers.ReLU()]),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_by_identity_is_not_known(name):
    function = UNKNOWN[name]
    assert reach(function) is Reach.OTHER
    assert reach(layers.Activation(function)) is Reach.OTHER
    assert not linear(function)
    assert not elementwise(function)
    assert not pixelwise(function, "channels_last")


def test_functions_over_the_last_axis_are_of_one_pixel_where_channels_are_last():
    assert pixelwise(activations.softmax, "channels_last")
    assert not pixelwise(activations.softmax, "channels_first")
    assert pixelwise(activations.relu, "channels_first")
    assert all(map(linear, (None, activations.linear, layers.Activation(None))))
