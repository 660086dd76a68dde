"""target="keras": equal models of Keras' own layers, which load where Polyphase is not."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.rewrite import fold
from polyphase.rewrite.to_keras import to_keras
from tests.rewrite.helpers import arrays, assert_equal_outputs, outputs, randomised
from tests.rewrite.models import MODELS

LOAD = """
import sys
sys.modules["polyphase"] = None  # importing it fails
import keras, numpy as np
model = keras.models.load_model("model.keras")
np.save("y.npy", keras.ops.convert_to_numpy(model(np.load("x.npy"))))
"""


def kinds(model):
    for layer in model.layers:
        yield type(layer)
        if isinstance(layer, keras.Model):
            yield from kinds(layer)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.grid(8)
def test_the_model_computes_the_same_with_layers_of_keras_only(name, inference, tmp_path):
    model = randomised(name)
    plain = fold(model, target="keras", inference=inference)
    assert not [kind for kind in kinds(plain) if kind.__module__.startswith("polyphase")]
    assert_equal_outputs(model, plain)
    plain.save(tmp_path / "model.keras")
    assert_equal_outputs(model, keras.models.load_model(tmp_path / "model.keras"))


def ours(**arguments):
    """Every layer of ours, once, in a model of known sizes."""
    inputs, skip = keras.Input((4, 5, 4)), keras.Input((16, 20, 2))
    up = pp.layers.UpSampling2D(2, interpolation="bilinear")(inputs)
    x = pp.layers.UpSampleConv2D(4, (2, 3), size=(2, 3), **arguments)(inputs)
    x = pp.layers.Conv2DTranspose(3, 3, strides=2)(x)
    y = pp.layers.SubPixelConv2D(3, 3, size=2, padding="same", activation="tanh")(up)
    y = pp.layers.ConcatConv2D(3, (2, 3), size=(1, 1), padding="same", activation="relu")([y, skip])
    z = pp.layers.UpSampleSeparableConv2D(3, 3, size=2)(inputs)
    z = pp.layers.UpSampleDepthwiseConv2D(3, size=2)(z)
    w = pp.layers.UpSampleConv2D(2, 3, size=2, interpolation="bilinear", dilation_rate=2)(inputs)
    return keras.Model([inputs, skip], [x, y, z, w])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.grid(6)
def test_kernels_that_are_not_baked_are_convolutions_of_upsampled_images(name):
    model = randomised(name)
    transposed = [kind for kind in kinds(model) if issubclass(kind, keras.layers.Conv2DTranspose)]
    plain = to_keras(fold(model), baked=False)
    assert not [kind for kind in kinds(plain) if kind.__module__.startswith("polyphase")]
    assert list(kinds(plain)).count(keras.layers.Conv2DTranspose) == len(transposed)
    assert_equal_outputs(model, plain)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.grid(1)
def test_every_layer_of_ours_has_an_equal_of_keras(padding):
    model = ours(padding=padding)
    plain = fold(model, target="keras")
    assert not [kind for kind in kinds(plain) if kind.__module__.startswith("polyphase")]
    assert_equal_outputs(model, plain)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_one_tap_mixes_channels_before_they_are_upsampled(interpolation, data_format):
    """A 1x1 convolution of a concatenation with a skip, as in the neck of every YOLO."""
    last = data_format == "channels_last"
    if not last and keras.backend.backend() == "tensorflow":
        pytest.skip("Keras on TensorFlow needs channels last")
    x, skip = (keras.Input((n, n, 6) if last else (6, n, n)) for n in (8, 16))
    up = keras.layers.UpSampling2D(interpolation=interpolation, data_format=data_format)(x)
    joined = keras.layers.Concatenate(axis=-1 if last else 1)([up, skip])
    y = keras.layers.Conv2D(4, 1, activation="relu", data_format=data_format)(joined)
    model = keras.Model([x, skip], y)
    plain, report = fold(model, target="keras", return_report=True)
    assert not [kind for kind in kinds(plain) if kind.__module__.startswith("polyphase")]
    assert_equal_outputs(model, plain)
    assert report.after.multiply_adds < 0.7 * report.before.multiply_adds


@pytest.mark.parametrize("activation", ["relu", "softmax", "own"])
@pytest.mark.parametrize("regularizer", [None, "l2"])
def test_one_tap_comes_first_where_what_follows_it_allows_that(activation, regularizer):
    inputs = keras.Input((4, 5, 3))
    layer = pp.layers.UpSampleConv2D(
        2,
        1,
        size=2,
        activation=(lambda y: y - keras.ops.mean(y)) if activation == "own" else activation,
        activity_regularizer=regularizer,
    )
    model = keras.Model(inputs, layer(inputs))
    plain = fold(model, target="keras")
    assert_equal_outputs(model, plain)
    first = keras.layers.UpSampling2D in kinds(plain)
    assert first == (activation != "own" and regularizer is None)
    x = arrays(model)
    model(x), plain(x)
    losses = ([keras.ops.convert_to_numpy(one) for one in kept.losses] for kept in (model, plain))
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="Keras on TensorFlow needs channels last"
)
def test_sub_pixel_convolutions_of_channels_first_keep_their_order():
    inputs = keras.Input((3, 4, 5))
    layer = pp.layers.SubPixelConv2D(
        2, 3, size=2, padding="same", data_format="channels_first", bias_initializer="normal"
    )
    model = keras.Model(inputs, layer(inputs))
    assert_equal_outputs(model, fold(model, target="keras"))


@pytest.mark.parametrize("order", ["dcr", "crd"])
@pytest.mark.parametrize("length", [5, None])
def test_sub_pixel_convolutions_of_signals_are_reshaped(order, length):
    inputs = keras.Input((length, 3))
    layer = pp.layers.SubPixelConv1D(
        2, 3, size=3, order=order, bias_initializer="normal", activation="softmax"
    )
    model = keras.Model(inputs, layer(inputs))
    plain = fold(model, target="keras")
    assert not [kind for kind in kinds(plain) if kind.__module__.startswith("polyphase")]
    x = np.random.default_rng(0).standard_normal((2, 5, 3), dtype="float32")
    (expected,), (actual,) = outputs(model, x), outputs(plain, x)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


@pytest.mark.exhaustive
def test_a_model_loads_where_polyphase_is_not_installed(tmp_path):
    model = randomised("generator")
    x = arrays(model)
    fold(model, target="keras").save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    environment = os.environ | {"KERAS_BACKEND": keras.backend.backend()}
    subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, check=True, env=environment, timeout=120
    )
    (expected,) = outputs(model, x)
    actual = np.load(Path(tmp_path) / "y.npy")
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_what_keras_has_not_is_said_in_a_sentence():
    inputs = keras.Input((4, 4, 3))
    for layer, words in (
        (pp.layers.UpSampling2D(1.5), r"size \(1.5, 1.5\), which Keras' UpSampling2D does not"),
        (pp.layers.UpSampling2D(2, interpolation="mitchell"), "upsamples by 'mitchell'"),
        (pp.layers.SubPixelConv2D(2, 3, size=(2, 3)), r"\(2, 3\) pixels; Keras knows signals and"),
    ):
        with pytest.raises(ValueError, match=words):
            fold(keras.Model(inputs, layer(inputs)), target="keras")
    like = keras.Model(inputs, pp.layers.UpSampleLike()([inputs, layers.ZeroPadding2D()(inputs)]))
    with pytest.raises(ValueError, match="takes the sides of another image, which no layer of"):
        fold(like, target="keras")
    with pytest.raises(ValueError, match="`target` must be one of polyphase, keras"):
        fold(keras.Model(inputs, layer(inputs)), target="onnx")
