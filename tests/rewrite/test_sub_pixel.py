"""Channels that become space, by our layer and by Keras' operation: read, repaired, rewritten."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.inspection import readings_of
from polyphase.rewrite.recognise import keras_order
from tests.gradients import to_numpy
from tests.ops import cases
from tests.ops.test_channel_order import by_loops

ORDERS = ["dcr", "crd"]
LOAD = """
import keras, numpy as np
model = keras.models.load_model("model.keras")
np.save("y.npy", keras.ops.convert_to_numpy(model(np.load("x.npy"))))
"""


def shape_of(data_format, channels=3):
    return (5, 6, channels) if data_format == "channels_last" else (channels, 5, 6)


def computed(model, x):
    """Return a model's output; TensorFlow convolves channels first on a CPU by XLA only."""
    if keras.backend.backend() != "tensorflow":
        return to_numpy(model(x))
    import tensorflow as tf

    return to_numpy(tf.function(model, jit_compile=True)(tf.constant(x)))


def by_ours(data_format, order, filters=3):
    layer = pp.layers.SubPixelConv2D(
        filters, 3, 2, "same", order=order, data_format=data_format, bias_initializer="normal",
        activation="tanh" if filters > 1 else None, name="up",
    )  # fmt: skip
    return keras.Sequential([keras.Input(shape_of(data_format)), layer])


def by_keras(data_format, filters=1):
    inputs = keras.Input(shape_of(data_format))
    convolution = layers.Conv2D(
        4 * filters, 3, padding="same", data_format=data_format, bias_initializer="normal"
    )
    return keras.Model(inputs, keras.ops.depth_to_space(convolution(inputs), 2, data_format))


def period(model, data_format):
    """Return what a constant comes out as, in the middle, without borders; one output channel."""
    x = np.ones((1, *shape_of(data_format)), "float32")
    return computed(model, x).reshape(10, 12)[4:6, 4:6]


def models():
    for data_format in cases.FORMATS:
        for order in ORDERS:
            yield data_format, by_ours(data_format, order, 1)
            yield data_format, pp.fold(by_ours(data_format, order, 1), target="keras")
        yield data_format, by_keras(data_format)


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("block", [2, 3])
def test_the_order_of_keras_operation_is_known(block, data_format):
    x = cases.noise(0, 2, 3, 5, block * block * 3).astype("float32")
    theirs = keras.ops.depth_to_space(cases.to_format(x, data_format), block, data_format)
    expected = by_loops(x, (block, block), keras_order(data_format))
    np.testing.assert_array_equal(cases.from_format(to_numpy(theirs), data_format), expected)


def test_gains_chi_and_pattern_are_those_of_a_constant_that_goes_through():
    for data_format, model in models():
        keras.utils.set_random_seed(0)
        bias = next(one for one in model.weights if one.path.endswith("bias"))
        constant = period(model, data_format)
        bias.assign(np.zeros(bias.shape))
        through = period(model, data_format)
        (reading,) = readings_of(model)
        label = f"{model.name} {data_format}"
        np.testing.assert_allclose(reading.gains.sum(axis=(2, 3)), through, atol=1e-5)
        first, *_ = reading.gains.transpose(2, 0, 1, 3)
        assert reading.what.startswith("sub-pixel convolution 3x3"), label
        x = np.zeros((1, *shape_of(data_format)), "float32")
        np.moveaxis(x, 1 if data_format == "channels_first" else 3, 0)[0] = 1
        one = computed(model, x).reshape(10, 12)[4:6, 4:6]
        np.testing.assert_allclose(first[..., 0], one, atol=1e-5, err_msg=label)
        assert np.ptp(constant) > 1e-3


def test_what_is_repaired_is_flat():
    for data_format, model in models():
        calm = pp.repair(model)
        assert np.ptp(period(model, data_format)) > 1e-3
        assert np.ptp(period(calm, data_format)) < 1e-5, f"{model.name} {data_format}"
        np.testing.assert_allclose(
            period(calm, data_format).mean(), period(model, data_format).mean(), atol=1e-5
        )


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_layer_is_saved_loaded_and_rewritten_in_its_order(order, data_format, tmp_path):
    model = by_ours(data_format, order)
    x = cases.noise(0, 2, *shape_of(data_format)).astype("float32")
    conv = layers.Conv2D(12, 3, padding="same")
    last = cases.from_format(x, data_format)
    conv.build(last.shape)
    conv.set_weights(model.get_weights())
    expected = np.tanh(by_loops(to_numpy(conv(last)), (2, 2), order))
    expected = cases.to_format(expected, data_format)
    np.testing.assert_allclose(computed(model, x), expected, atol=2e-6)
    plain = pp.fold(model, target="keras")
    for one in (model, plain):
        one.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(computed(again, x), expected, atol=2e-6)


def test_a_model_of_keras_layers_computes_the_same_on_another_backend(tmp_path):
    here = keras.backend.backend()
    # TensorFlow has no convolution of channels first on a CPU.
    others = [one for one in ("jax", "torch") if one != here]
    other = next((one for one in others if importlib.util.find_spec(one)), None)
    if other is None:
        pytest.skip("one backend is installed")
    inputs = keras.Input(shape_of("channels_first"))
    x = inputs
    for order in ORDERS:
        x = pp.layers.SubPixelConv2D(2, 3, order=order, data_format="channels_first")(x)
    model = keras.Model(inputs, x)
    images = cases.noise(0, 2, *inputs.shape[1:]).astype("float32")
    np.save(tmp_path / "x.npy", images)
    pp.fold(model, target="keras").save(tmp_path / "model.keras")
    environment = os.environ | {"KERAS_BACKEND": other}
    subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, check=True, env=environment, timeout=240
    )
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), to_numpy(model(images)), atol=1e-5)


def test_the_hint_names_the_order():
    (stage,) = pp.inspect(by_ours("channels_last", "crd")).stages
    assert 'ICNR(2, order="crd")' in stage.remedy
    (stage,) = pp.inspect(by_ours("channels_last", "dcr")).stages
    assert "ICNR(2)" in stage.remedy


def test_a_configuration_of_before_means_the_phase_slowest():
    config = pp.layers.SubPixelConv2D(2, 3, order="crd").get_config()
    assert config.pop("order") == "crd"
    assert pp.layers.SubPixelConv2D.from_config(config).order == "dcr"


@pytest.mark.parametrize("order", ORDERS)
def test_an_icnr_start_is_even_in_its_order_only(order):
    for layer_order in ORDERS:
        layer = pp.layers.SubPixelConv2D(
            3, 3, (2, 3), kernel_initializer=pp.initializers.ICNR((2, 3), order=order),
            order=layer_order,
        )  # fmt: skip
        (stage,) = pp.inspect(keras.Sequential([keras.Input((5, 6, 2)), layer])).stages
        assert (stage.chi < 1e-6) == (order == layer_order)
    again = keras.initializers.get(
        keras.saving.serialize_keras_object(pp.initializers.ICNR(2, order=order))
    )
    assert again.order == order
