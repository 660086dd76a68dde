"""`keras.ops` on tensors move across an upsampling as the layers do that compute the same."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import polyphase as pp
from polyphase.rewrite.operations import _ELEMENTWISE
from tests.rewrite.helpers import assert_equal_outputs

SIGNED = ("log", "log1p", "sqrt", "rsqrt", "reciprocal")  # of positive numbers, or not of 0

AFFINE = {
    "negative": lambda x: -x,
    "plus a number": lambda x: x + 0.5,
    "a number minus": lambda x: 1.0 - x,
    "times a number": lambda x: x * 2.0,
    "divided by a number": lambda x: x / 4.0,
    "divided by a function": lambda x: ops.divide(x, 4.0),
    "plus itself": lambda x: x + x,
    "minus a part of itself": lambda x: x - 0.5 * x,
}
POINTWISE = {
    **{
        name: (
            lambda x, name=name: getattr(ops, name)(ops.square(x) + 2.0 if name in SIGNED else x)
        )
        for name in _ELEMENTWISE
    },
    "squared": lambda x: x**2,
    "a number divided by": lambda x: 1.0 / (x + 4.0),
    "times itself": lambda x: x * x,
    "at least": lambda x: ops.maximum(x, 0.25),
    "cast and back": lambda x: ops.cast(ops.cast(x, "float16"), "float32"),
    "clipped": lambda x: ops.clip(x, -0.5, 0.5),
    "softmax of channels": lambda x: ops.softmax(x, axis=-1),
    "concatenated": lambda x: ops.concatenate([x, ops.relu(x)], axis=-1),
}
STAYS = {
    "plus an array": lambda x: x + np.arange(4, dtype="float32"),
    "times an array": lambda x: x * np.arange(6, dtype="float32").reshape(1, 6, 1, 1),
    "softmax of rows": lambda x: ops.softmax(x, axis=1),
    "moved": lambda x: ops.roll(x, 1, axis=1),
    "plus its mean": lambda x: x + ops.mean(x, axis=(1, 2), keepdims=True),
    "clipped by an array": lambda x: ops.clip(x, np.zeros((6, 6, 4), "float32"), 1.0),
    "beside a constant": lambda x: ops.concatenate([x, np.ones((3, 6, 6, 1), "float32")], axis=-1),
    "rows side by side": lambda x: ops.concatenate([x, x], axis=1),
}


def model_of(function, interpolation="nearest"):
    inputs = keras.Input((3, 3, 4), batch_size=3)
    x = layers.UpSampling2D(2, interpolation=interpolation, name="up")(inputs)
    return keras.Model(inputs, layers.Conv2D(2, 3, padding="same", name="draw")(function(x)))


def absorbed(model):
    folded, report = pp.fold(model, return_report=True)
    assert_equal_outputs(model, folded)
    return "absorbed by 'draw'" in str(report)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("name", AFFINE)
def test_an_affine_operation_passes_every_interpolation(name, interpolation):
    assert absorbed(model_of(AFFINE[name], interpolation))


@pytest.mark.parametrize("name", POINTWISE)
def test_an_operation_of_single_pixels_passes_nearest_only(name):
    assert absorbed(model_of(POINTWISE[name]))
    if name != "concatenated":
        assert not absorbed(model_of(POINTWISE[name], "bilinear"))


@pytest.mark.parametrize("name", STAYS)
def test_what_is_not_of_single_pixels_stays(name):
    assert not absorbed(model_of(STAYS[name]))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_resizing_by_an_operation_is_an_upsampling(interpolation):
    inputs = keras.Input((3, 5, 4))
    x = ops.image.resize(inputs, (6, 10), interpolation=interpolation, data_format="channels_last")
    assert absorbed(keras.Model(inputs, layers.Conv2D(2, 3, name="draw", padding="same")(x)))


def test_a_resize_that_is_no_upsampling_is_listed():
    inputs = keras.Input((4, 4, 4))
    x = ops.image.resize(inputs, (6, 6), interpolation="bilinear", data_format="channels_last")
    model = keras.Model(inputs, layers.Conv2D(2, 3, name="draw")(x))
    _, report = pp.fold(model, return_report=True)
    (finding,) = report.findings
    assert not finding.folded
    assert "left alone" in finding.what


@pytest.mark.parametrize("axes", [(1,), (1, 2)])
def test_repeated_pixels_are_an_upsampling(axes):
    x = inputs = keras.Input((3, 5, 4))
    for axis in axes:
        x = ops.repeat(x, 2, axis=axis)
    assert absorbed(keras.Model(inputs, layers.Conv2D(2, 3, name="draw", padding="same")(x)))


@pytest.mark.parametrize("axis", [0, -1])
def test_repeated_images_and_channels_are_none(axis):
    inputs = keras.Input((3, 5, 4), batch_size=3)
    model = keras.Model(inputs, layers.Conv2D(2, 3, name="draw")(ops.repeat(inputs, 2, axis=axis)))
    assert not absorbed(model)


DROPPED = (layers.Dropout, layers.GaussianNoise, layers.GaussianDropout, layers.AlphaDropout)


@pytest.mark.parametrize("kind", DROPPED)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_noise_per_pixel_passes_at_inference_only(kind, interpolation):
    model = model_of(kind(0.3), interpolation)
    assert not absorbed(model)
    folded, report = pp.fold(model, inference=True, return_report=True)
    assert_equal_outputs(model, folded)
    assert "absorbed by 'draw'" in str(report)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_spatial_dropout_passes_in_training_with_the_same_mask(interpolation):
    model = model_of(
        layers.SpatialDropout2D(0.5, seed=3, data_format="channels_last"), interpolation
    )
    folded = pp.fold(model)
    assert len(folded.layers) == 3  # the input, the dropout, both others as one
    x = np.random.default_rng(0).standard_normal((8, 3, 3, 4)).astype("float32")
    for _ in range(2):
        before, after = (ops.convert_to_numpy(one(x, training=True)) for one in (model, folded))
        np.testing.assert_allclose(after, before, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [layers.Softmax(), layers.UnitNormalization(), layers.RMSNormalization(), layers.Identity()],
    ids=lambda layer: type(layer).__name__,
)
def test_normalisation_of_a_pixel_passes_nearest(layer):
    assert absorbed(model_of(layer))
    identity = type(layer) is layers.Identity
    assert absorbed(model_of(type(layer)(), "bilinear")) is identity


def test_a_folded_model_of_operations_is_saved_and_loaded(tmp_path):
    model = model_of(lambda x: ops.relu(x * 2.0 + 1.0))
    folded = pp.fold(model)
    folded.save(tmp_path / "folded.keras")
    assert_equal_outputs(model, keras.saving.load_model(tmp_path / "folded.keras"))


def test_noise_that_is_always_on_stays():
    noisy = layers.Dropout(0.5)
    model = model_of(lambda x: noisy(x, training=True))
    folded, report = pp.fold(model, inference=True, return_report=True)
    assert "absorbed" not in str(report)
    assert len(folded.layers) == len(model.layers)


@pytest.mark.parametrize("size", [3, 6, 12])
def test_bilinear_by_any_integer_differs_by_the_rounding_of_keras_coordinates(size):
    inputs = keras.Input((8, 8, 4))
    x = layers.UpSampling2D(size, interpolation="bilinear", name="up")(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 1, name="draw")(x))
    folded, report = pp.fold(model, return_report=True)
    assert "delayed until after the 1x1 convolution 'draw'" in str(report)
    assert report.difference < 1e-5
    image = np.random.default_rng(0).standard_normal((1, 8, 8, 4)).astype("float32")
    exact = pp.ops.upsample(image.astype("float64"), size, "bilinear", lowering="reference")
    kernel, bias = map(np.array, model.get_layer("draw").get_weights())
    right = ops.convert_to_numpy(exact) @ kernel[0, 0].astype("float64") + bias
    error = [
        np.abs(ops.convert_to_numpy(one(image)).astype("float64") - right).max()
        for one in (model, folded)
    ]
    assert error[1] <= error[0]


def test_resized_integers_stay():
    """Keras rounds them; ours are interpolated in floating point."""
    codes = keras.Input((3, 5, 2), dtype="int32")
    x = ops.image.resize(codes, (6, 10), interpolation="bilinear", data_format="channels_last")
    model = keras.Model(codes, layers.Conv2D(2, 1)(ops.cast(x, "float32")))
    folded, report = pp.fold(model, return_report=True)
    image = np.random.default_rng(0).integers(0, 100, (2, 3, 5, 2))
    np.testing.assert_array_equal(*(ops.convert_to_numpy(one(image)) for one in (model, folded)))
    assert not any(one.folded for one in report.findings)


def test_an_operation_at_the_end_keeps_its_name_and_the_model_its_own(tmp_path):
    inputs = keras.Input((3, 4, 2))
    y = layers.UpSampling2D(name="up")(inputs) * 2.0
    model = keras.Model(inputs, {"doubled": y, "more": y + 1.0})
    operations = {one.name: len(one._inbound_nodes) for one in model.operations}
    folded = pp.fold(model)
    assert_equal_outputs(model, folded)
    assert folded.output_names == model.output_names
    assert {one.name: len(one._inbound_nodes) for one in model.operations} == operations
    folded.save(tmp_path / "model.keras")
    assert_equal_outputs(model, keras.saving.load_model(tmp_path / "model.keras"))


def test_an_image_resized_to_its_own_size_is_concatenated_as_it_is():
    """As of code that resizes all images to the largest one's size."""
    inputs = [keras.Input((side, side, 4)) for side in (8, 4, 2)]
    resize = layers.Resizing(8, 8, interpolation="bilinear", name="resize")
    x = layers.Concatenate()([resize(one) for one in inputs])
    model = keras.Model(inputs, layers.Conv2D(3, 1, name="fuse")(x))
    new, report = pp.fold(model, return_report=True)
    assert_equal_outputs(model, new)
    assert type(new.get_layer("fuse")) is pp.layers.ConcatConv2D
    assert new.get_layer("fuse").size == ((1, 1), (2, 2), (4, 4))
    assert [one.what for one in report.findings] == ["absorbed by 'fuse', whose kernel was split"]


def test_a_resize_that_changes_no_size_is_listed_so():
    inputs = [keras.Input((8, 8, 4)), keras.Input((4, 4, 4))]
    same = layers.Resizing(8, 8, interpolation="bilinear", name="same")(inputs[0])
    x = layers.Concatenate()([same, layers.UpSampling2D(2, name="up")(inputs[1])])
    _, report = pp.fold(keras.Model(inputs, layers.Conv2D(3, 3)(x)), return_report=True)
    said = {one.layer: one.what for one in report.findings}
    assert said["same"] == "left alone: it does not change the size of its image"
