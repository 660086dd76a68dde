"""Conv2DTranspose is a drop-in for Keras' layer: arguments, weights, numbers, configuration."""

import inspect
import itertools

import keras
import numpy as np
import pytest

from polyphase.layers import Conv2DTranspose
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy


def both(*args, shape=(2, 4, 5, 2), lowering="auto", **kwargs):
    """Return both layers with the same weights, and their outputs of the same images."""
    x = coordinate_ramp(shape)
    theirs = keras.layers.Conv2DTranspose(*args, bias_initializer="normal", **kwargs)
    ours = Conv2DTranspose(*args, lowering=lowering, **kwargs)
    theirs.build(shape)
    ours.build(shape)
    ours.set_weights(theirs.get_weights())
    return ours, theirs, to_numpy(ours(x)), to_numpy(called(theirs, x))


def called(theirs, x):
    """Call Keras' layer; TensorFlow dilates on every processor by XLA only."""
    if keras.backend.backend() == "tensorflow" and max(theirs.dilation_rate) > 1:
        import tensorflow

        return tensorflow.function(theirs, jit_compile=True)(x)
    return theirs(x)


def grid(backend):
    """Return kernel, stride, padding and output padding; a tenth of them on JAX, which compiles."""
    combinations = [
        (k, s, padding, more)
        for k, s, padding in itertools.product((1, 2, 3, 4, 5), (1, 2, 3, 4), ("same", "valid"))
        for more in (None, *range(s))
        # Keras refuses this one on TensorFlow; tests/ops compares ours with the oracle.
        if not (backend == "tensorflow" and padding == "same" and k % 2 == 0 and more == 0)
    ]
    assert len(combinations) >= 130
    return combinations[:: 10 if backend == "jax" else 1]


@pytest.mark.parametrize("lowering", ["auto", "phases"])
@pytest.mark.grid(1)
def test_same_weights_same_output(lowering, backend):
    for k, s, padding, more in grid(backend):
        *_, y, expected = both(3, k, s, padding, more, lowering=lowering)
        label = f"kernel {k} stride {s} {padding} output_padding {more}"
        assert y.shape == expected.shape, label
        np.testing.assert_allclose(y, expected, atol=2e-6, err_msg=label)


def test_unequal_kernels_strides_dilation_and_activation():
    for kwargs in (
        {"kernel_size": (2, 5), "strides": (3, 2), "padding": "same", "activation": "tanh"},
        {"kernel_size": (3, 2), "dilation_rate": (2, 3), "use_bias": False},
        {"kernel_size": 1, "strides": 3},
    ):
        for lowering in ("auto", "phases"):
            *_, y, expected = both(3, lowering=lowering, **kwargs)
            np.testing.assert_allclose(y, expected, atol=2e-6, err_msg=str(kwargs))


def test_channels_first_is_channels_last_transposed():
    x = coordinate_ramp((2, 4, 5, 3))
    first = Conv2DTranspose(2, (3, 4), 2, "same", data_format="channels_first")
    last = Conv2DTranspose(2, (3, 4), 2, "same", data_format="channels_last")
    last.build(x.shape)
    first.build((2, 3, 4, 5))
    first.set_weights(last.get_weights())
    y = to_numpy(first(np.moveaxis(x, 3, 1)))
    np.testing.assert_allclose(np.moveaxis(y, 1, 3), to_numpy(last(x)), atol=1e-6)


def test_weights_go_both_ways():
    ours, theirs, *_ = both(3, 4, 2)
    theirs.set_weights([2 * w for w in ours.get_weights()])
    names = [[w.name for w in layer.weights] for layer in (ours, theirs)]
    assert names[0] == names[1] == ["kernel", "bias"]
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(2 * a, b)


def test_all_arguments_stand_in_keras_order():
    names = list(inspect.signature(keras.layers.Conv2DTranspose.__init__).parameters)[1:-1]
    values = {
        "filters": 3, "kernel_size": (2, 3), "strides": (3, 4), "padding": "same",
        "output_padding": 1, "data_format": "channels_first", "dilation_rate": (1, 1),
        "activation": "relu", "use_bias": False, "kernel_initializer": "zeros",
        "bias_initializer": "ones", "kernel_regularizer": "l2", "bias_regularizer": "l1",
        "activity_regularizer": "l2", "kernel_constraint": "non_neg",
        "bias_constraint": "unit_norm",
    }  # fmt: skip
    assert list(values) == names
    config = Conv2DTranspose(*values.values(), name="same").get_config()
    assert (config.pop("lowering"), config.pop("groups")) == ("auto", 1)
    assert config == keras.layers.Conv2DTranspose(*values.values(), name="same").get_config()


def test_keras_configuration_loads():
    theirs = keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="relu")
    ours = Conv2DTranspose.from_config(theirs.get_config())
    assert {**theirs.get_config(), "groups": 1, "lowering": "auto"} == ours.get_config()
    assert isinstance(ours, keras.layers.Conv2DTranspose)


def test_regularizers_and_constraints_work():
    layer = Conv2DTranspose(3, 3, 2, kernel_regularizer="l2", kernel_constraint="non_neg")
    layer.build((None, 4, 4, 2))
    assert len(layer.losses) == 1


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="filters"):
        Conv2DTranspose(0, 3)
    with pytest.raises(ValueError, match="kernel_size"):
        Conv2DTranspose(3, 0)
    with pytest.raises(ValueError, match="padding"):
        Conv2DTranspose(3, 3, padding="full")
    with pytest.raises(ValueError, match=r"must be one of auto, reference, direct, phases"):
        Conv2DTranspose(3, 3, lowering="fast")(np.ones((1, 2, 2, 1), "float32"))
