"""Folded models: equal outputs, equal training, the same weights; what was done is what is said."""

import warnings

import keras
import numpy as np
import pytest

from polyphase.layers import (
    ConcatConv2D,
    UpSampleConv2D,
    UpSampleDepthwiseConv2D,
    UpSampleSeparableConv2D,
    UpSampling2D,
)
from polyphase.rewrite import fold
from tests.rewrite.helpers import arrays, assert_equal_outputs, layers_of, outputs, randomised
from tests.rewrite.models import MODELS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.grid(8)
def test_the_folded_model_computes_the_same(name, training):
    model = randomised(name)
    folded = fold(model)
    assert_equal_outputs(model, folded, training=training)
    for before, after in zip(model.weights, folded.weights, strict=True):
        assert before is not after
    if training:  # moving statistics moved alike
        assert_equal_outputs(model, folded)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.grid(5)
def test_for_inference_more_moves_and_outputs_stay_equal(name):
    model = randomised(name)
    assert_equal_outputs(model, fold(model, inference=True))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.grid(6)
def test_names_shapes_and_weights_stay(name):
    model = randomised(name)
    folded = fold(model)
    assert type(folded) is type(model)
    assert folded.name == model.name
    assert [t.name for t in folded.inputs] == [t.name for t in model.inputs]
    assert names_of_outputs(folded) == names_of_outputs(model)
    assert [t.shape for t in folded.outputs] == [t.shape for t in model.outputs]
    assert len(folded.trainable_weights) == len(model.trainable_weights)
    for old, new in zip(sorted_values(model), sorted_values(folded), strict=True):
        np.testing.assert_array_equal(old, new)


def names_of_outputs(model):
    return keras.Model(model.inputs, model.outputs).output_names


def sorted_values(model):
    values = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    return sorted(values, key=lambda value: (value.shape, value.tobytes()))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.grid(5)
def test_a_folded_model_saves_and_loads(name, tmp_path):
    model = randomised(name)
    fold(model).save(tmp_path / "folded.keras")
    assert_equal_outputs(model, keras.models.load_model(tmp_path / "folded.keras"))


@pytest.mark.parametrize("name", ["generator", "residual_unet", "segmentation_head", "nested"])
@pytest.mark.grid(2)
def test_training_a_folded_model_is_training_the_model(name):
    model = randomised(name)
    folded = fold(model)
    x = arrays(model)
    for one in (model, folded):
        one.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mean_squared_error")
        one.train_on_batch(x, np.ones(model.output_shape[1:], "float32")[None].repeat(3, axis=0))
    assert_equal_outputs(model, folded)


def test_nothing_to_fold_is_left_bit_for_bit():
    model = randomised("nothing_to_fold")
    folded, report = fold(model, return_report=True)
    assert report.findings == ()
    assert report.difference == 0.0
    assert "Nothing gained: there is no upsampling" in str(report)
    for one, other in zip(
        outputs(model, arrays(model)), outputs(folded, arrays(model)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_the_upsampled_image_is_gone_where_a_convolution_follows():
    for name, count in (("generator", 2), ("normalised_first", 1), ("twice_upsampled", 1)):
        folded = fold(randomised(name))
        assert len(layers_of(folded, UpSampleConv2D)) == count, name
        assert not layers_of(folded, UpSampling2D), name


def test_a_convolution_of_a_concatenation_is_split():
    folded = fold(randomised("unet"))
    assert len(layers_of(folded, ConcatConv2D)) == 2


def test_a_bilinear_normalisation_moves_at_inference_only():
    inputs = keras.Input((4, 4, 2))
    x = keras.layers.UpSampling2D(interpolation="bilinear")(inputs)
    x = keras.layers.BatchNormalization()(x)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3)(x))
    assert layers_of(fold(model), UpSampling2D)
    assert layers_of(fold(model, inference=True), UpSampleConv2D)


def test_a_shared_layer_keeps_one_form_and_one_kernel():
    folded, report = fold(randomised("shared_convolution"), return_report=True)
    assert len(layers_of(folded, keras.layers.Conv2D)) == 1
    assert not any(finding.folded for finding in report.findings)
    folded = fold(randomised("shared_everywhere"))
    assert len(layers_of(folded, UpSampleConv2D)) == 1


def test_the_report_says_what_happened_to_each():
    _, report = fold(randomised("nested"), return_report=True)
    said = {finding.layer: finding for finding in report.findings}
    assert any(name.startswith("inner/") and one.folded for name, one in said.items())
    assert len(said) == 2
    assert report.difference < 1e-5
    assert report.to_dict()["findings"][0]["folded"] is True


def test_what_cannot_be_folded_is_said_in_a_sentence():
    with pytest.raises(TypeError, match=r"takes a Keras model. Received: int"):
        fold(3)
    unbuilt = keras.Sequential([keras.layers.UpSampling2D()])
    with pytest.raises(ValueError, match="no graph of layers"):
        fold(unbuilt)


def test_the_original_is_left_as_it_is():
    model = randomised("generator")
    before = outputs(model, arrays(model))
    names = [layer.name for layer in model.layers]
    folded = fold(model)
    for weight in folded.weights:
        weight.assign(np.zeros(weight.shape))
    for one, other in zip(before, outputs(model, arrays(model)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [layer.name for layer in model.layers] == names


def test_zeros_and_cuts_around_the_upsampled_image_are_absorbed():
    folded = fold(randomised("padded"))
    assert len(layers_of(folded, UpSampleConv2D)) == 3
    assert [one.padding for one in layers_of(folded, UpSampleConv2D)].count("same") == 1
    folded = fold(randomised("cropped"))
    assert len(layers_of(folded, UpSampleConv2D)) == 3
    assert len(layers_of(folded, keras.layers.Conv2D)) == 2  # "same" after a part of a pixel


def test_depthwise_and_separable_convolutions_absorb_nearest():
    folded = fold(randomised("depthwise_and_separable"))
    assert len(layers_of(folded, UpSampleDepthwiseConv2D, UpSampleSeparableConv2D)) == 2
    assert len(layers_of(folded, UpSampling2D)) == 1  # bilinear


def test_resizing_by_an_integer_factor_is_recognised():
    folded, report = fold(randomised("resized"), return_report=True)
    assert len(layers_of(folded, UpSampleConv2D)) == 1
    assert len(layers_of(folded, keras.layers.Resizing)) == 1  # 16 to 20, 36 to 40
    assert [one.folded for one in report.findings].count(True) == 2


def test_a_1x1_convolution_of_a_concatenation_goes_before_bilinear_upsampling():
    folded = fold(randomised("joined_1x1"))
    assert [one.interpolation for one in layers_of(folded, ConcatConv2D)] == ["bilinear", "nearest"]


def test_what_must_not_move_stays_and_is_reported():
    folded, report = fold(randomised("layers_in_between"), return_report=True)
    assert not layers_of(folded, UpSampleConv2D, ConcatConv2D)
    reasons = " ".join(one.what for one in report.findings)
    assert reasons.count("computed before") == 4
    assert "softened" in reasons
    assert not any(one.folded for one in report.findings)


def test_at_inference_normalisation_becomes_part_of_the_convolution_before_it():
    model = randomised("generator_to_deploy")
    assert layers_of(fold(model), keras.layers.BatchNormalization)
    folded = fold(model, inference=True)
    assert not layers_of(folded, keras.layers.BatchNormalization)
    assert_equal_outputs(model, folded)


def test_a_normalisation_that_something_else_reads_stays():
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(3, 3, padding="same")(inputs)
    shared = keras.layers.BatchNormalization()
    model = keras.Model(inputs, keras.layers.Add()([shared(x), x]))
    assert layers_of(fold(model, inference=True), keras.layers.BatchNormalization)
    twice = keras.Model(inputs, shared(keras.layers.Conv2D(3, 3)(shared(inputs))))
    assert layers_of(fold(twice, inference=True), keras.layers.BatchNormalization)


def test_the_report_counts_what_was_saved():
    layers = [keras.layers.UpSampling2D(), keras.layers.Conv2D(4, 3, padding="same")]
    model = keras.Sequential([keras.Input((8, 8, 16)), *layers])  # fewer channels: PyTorch, direct
    _, report = fold(model, return_report=True)
    assert report.after.multiply_adds < report.before.multiply_adds
    assert report.after.activation_bytes < report.before.activation_bytes
    text = str(report)
    assert f"{report.before.multiply_adds:,} before" in text
    assert report.to_dict()["after"]["multiply_adds"] == report.after.multiply_adds


def test_unknown_sizes_are_folded_and_their_cost_is_not_guessed():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Concatenate()([keras.layers.UpSampling2D()(inputs)] * 2)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, padding="same")(x))
    folded, report = fold(model, return_report=True)
    assert layers_of(folded, UpSampleConv2D)
    assert report.before is report.after is None
    assert report.difference < 1e-5


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="Keras on TensorFlow needs channels last"
)
def test_channels_first_models_are_folded():
    first = {"data_format": "channels_first"}
    x, skip = keras.Input((4, 4, 6)), keras.Input((3, 8, 12))
    up = keras.layers.UpSampling2D(**first)(x)
    joined = keras.layers.Concatenate(axis=1)([up, skip])
    wide = keras.layers.Conv2D(4, 3, padding="same", **first)(joined)
    cut = keras.layers.Cropping2D(((1, 0), (0, 3)), **first)(up)
    small = keras.layers.BatchNormalization(axis=1)(keras.layers.Conv2D(2, 3, **first)(cut))
    one = keras.layers.Conv2D(3, 1, **first)(keras.layers.UpSampling2D(3, **first)(x))
    model = keras.Model([x, skip], [wide, small, one])
    for inference in (False, True):
        folded = fold(model, inference=inference)
        assert_equal_outputs(model, folded)
        assert len(layers_of(folded, ConcatConv2D, UpSampleConv2D)) == 2
    assert_equal_outputs(model, fold(model, target="keras"))


def test_a_quantised_model_is_folded_and_stays_quantised():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(4 * 4 * 8, name="dense"),
            keras.layers.Reshape((4, 4, 8)),
            keras.layers.UpSampling2D(),
            keras.layers.Conv2D(3, 3, padding="same"),
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which layers Keras does not quantise
        model.quantize("int8")
    folded = fold(model)
    assert folded.get_layer("dense").quantization_mode == "int8"
    assert len(layers_of(folded, UpSampleConv2D)) == 1
    assert_equal_outputs(model, folded)
