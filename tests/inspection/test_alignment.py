"""Shifts against the centroid of the gradient: where an output pixel of a real model looks."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.layers import Conv2D, Conv2DTranspose, Input

import polyphase as pp
from polyphase.inspection.alignment import Shift, offset, shifts
from polyphase.models.autoencoders import comparison_autoencoder, upsampling_autoencoder
from polyphase.models.decoders import DECODERS
from tests.gradients import vjp

SIDE = 64


def looks_at(model, pixel):
    """Return the centroid of what an output pixel is computed from, in pixels of the input."""

    def weights(shape):
        chosen = np.zeros(shape, "float32")
        chosen[:, pixel, pixel] = 1
        return chosen

    shape = (1, *model.inputs[0].shape[1:])
    _, (gradient,), _ = vjp(lambda x: model(x), [np.ones(shape, "float32")], weights)
    power = np.abs(gradient).sum(axis=(0, 3))
    return tuple(
        float((power.sum(axis=1 - axis) * np.arange(len(power))).sum() / power.sum())
        for axis in (0, 1)
    )


def ones(model):
    """Make every kernel ones, so that all taps count alike."""
    model.set_weights([np.full(w.shape, 1 / w.size, "float32") for w in model.get_weights()])
    return model


STAGES = {
    "even": lambda: [Conv2D(2, 2, padding="same"), Conv2D(1, (4, 2), padding="same")],
    "there and back": lambda: [
        Conv2D(2, 2, 2, padding="same"),
        Conv2DTranspose(1, 3, 2, padding="same"),
    ],
    "one end": lambda: [
        layers.ZeroPadding2D(((0, 3), (2, 1))),
        layers.AveragePooling2D((2, 3), 1, padding="valid"),
        layers.Cropping2D(((0, 2), (1, 0))),
    ],
    "ours": lambda: [
        layers.AveragePooling2D(4),
        pp.layers.UpSampleConv2D(2, 2, size=2, padding="same"),
        pp.layers.SubPixelConv2D(1, 4, size=2, padding="same"),
    ],
    "bilinear": lambda: [
        layers.AveragePooling2D(2, padding="same"),
        pp.layers.UpSampling2D(2, interpolation="bilinear"),
        layers.DepthwiseConv2D(4, padding="same"),
    ],
    "dilated": lambda: [
        layers.SeparableConv2D(2, 2, padding="same", dilation_rate=3),
        Conv2D(1, 3, padding="same", dilation_rate=2),
    ],
    "strides of 3": lambda: [
        layers.ZeroPadding2D(1),  # 66
        Conv2D(2, 5, 3, padding="same"),
        Conv2DTranspose(1, 4, 3, padding="same"),
        layers.Cropping2D(((2, 0), (0, 2))),
    ],
}


@pytest.mark.parametrize("name", STAGES)
def test_an_output_is_shifted_by_where_it_looks(name):
    model = ones(keras.Sequential([Input((SIDE, SIDE, 1)), *STAGES[name]()]))
    looks = np.mean([looks_at(model, pixel) for pixel in range(24, 36)], axis=0)
    expected = looks - np.mean(range(24, 36))
    found = shifts(model)
    measured = found[0].pixels if found else (0.0, 0.0)
    np.testing.assert_allclose(measured, expected, atol=1e-4)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_rows_and_columns_are_told_apart(layout):
    if layout == "channels_first" and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow does not convolve channels first on a CPU")
    shape = (8, 8, 1) if layout == "channels_last" else (1, 8, 8)
    up = layers.UpSampling2D((2, 1), data_format=layout)
    down = Conv2D(1, (2, 4), (2, 1), padding="same", data_format=layout)
    model = keras.Sequential([Input(shape), down, up])
    assert shifts(model) == (Shift(up.name, (0.0, 0.5), False),)
    assert "0.5 left" in str(shifts(model)[0])


# Behind the tutorial's encoder, whose code sees pixels around 8 j + 9; the other one's, 8 j + 3.5.
EVEN = {"transposed-3": 2.0, "transposed-3-start": 9.0, "nearest-4": 9.0}


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_two_encoders_of_the_comparison_differ_by_what_they_shift(decoder):
    expected = EVEN.get(decoder, 5.5)
    for encoder, pixels in (("even", expected), ("centred", expected - 5.5)):
        model = comparison_autoencoder(decoder, encoder=encoder)
        assert offset(model) == (pixels, pixels)
        assert [one.pixels for one in shifts(model)] == [(pixels, pixels)] * bool(pixels)


def test_an_offset_that_is_not_known_is_none():
    own = keras.layers.Lambda(lambda x: x, output_shape=lambda shape: shape)
    assert offset(keras.Sequential([Input((8, 8, 1)), own])) is None
    assert offset(keras.Sequential([Input((8, 8, 1)), Conv2D(1, 3)])) is None


def test_inspect_says_so():
    model = upsampling_autoencoder()
    said = pp.inspect(model)
    assert said.shifts[0].pixels == (9.0, 9.0)
    assert "the image is shifted by 9 up and 9 left" in " ".join(str(said).split())
    assert said.to_dict()["shifts"][0]["pixels"] == (9.0, 9.0)


def unet(kernel_size, transposed):
    x = inputs = Input((None, None, 3))
    skips = []
    for _ in range(2):
        x = Conv2D(4, kernel_size, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for level in (1, 0):
        up = (
            Conv2DTranspose(4, transposed, 2, padding="same")
            if transposed
            else layers.UpSampling2D()
        )
        x = layers.Concatenate(name=f"join_{level}")([up(x), skips[level]])
        x = keras.ops.relu(layers.BatchNormalization()(x)) * 2.0
    return keras.Model(inputs, Conv2D(1, 1)(x))


def test_skips_that_meet_an_image_that_was_moved_are_named():
    assert shifts(unet(3, None)) == ()
    assert shifts(unet(3, 4)) == ()
    by = {one.layer: one.pixels[0] for one in shifts(unet(3, 3))}
    assert by == {"join_1": -1.0, "join_0": -1.5}


def test_folding_moves_nothing():
    model = unet(2, None)
    assert shifts(model)
    assert [one.pixels for one in shifts(pp.fold(model))] == [one.pixels for one in shifts(model)]


def test_nested_models_are_followed():
    half = keras.Sequential([Input((8, 8, 1)), Conv2D(2, 2, 2)], name="half")
    back = keras.Sequential([Input((4, 4, 2)), Conv2DTranspose(1, 3, 2, "same")], name="back")
    inputs = Input((8, 8, 1))
    (found,) = shifts(keras.Model(inputs, back(half(inputs))))
    assert found.pixels == (-0.5, -0.5)


def test_a_resizing_of_sides_that_are_not_known_is_not_known():
    down = Conv2D(1, 2, 2, padding="same")
    known = keras.Sequential([Input((8, 8, 1)), down, layers.Resizing(8, 8)])
    assert shifts(known) == ()
    assert shifts(keras.Sequential([Input((None, None, 1)), down, layers.Resizing(8, 8)])) == ()


class Turned(keras.layers.Layer):
    def call(self, x):
        return keras.ops.flip(x, 1)


@pytest.mark.parametrize(
    "unknown",
    [
        lambda x: layers.Reshape((8, 8, 1))(layers.Dense(64)(layers.Flatten()(x))),
        lambda x: Turned()(x),
        lambda x: layers.Permute((2, 1, 3))(x),
        lambda x: keras.ops.roll(x, 1, axis=1),
        lambda x: layers.Concatenate(1)([x[:, :4], x[:, 4:]]),
        lambda x: layers.Lambda(lambda y: y)(x),
    ],
)
def test_where_the_way_is_not_known_nothing_is_said(unknown):
    inputs = Input((8, 8, 1))
    moved = Conv2D(1, 2, padding="same")(inputs)
    assert len(shifts(keras.Model(inputs, moved))) == 1
    assert shifts(keras.Model(inputs, unknown(moved))) == ()


@pytest.mark.parametrize(
    "known",
    [
        lambda x: keras.ops.relu(x) / 2.0,
        lambda x: keras.ops.divide(1.0, keras.ops.exp(x)),
        lambda x: keras.ops.cast(x, "float16"),
        lambda x: layers.Softmax()(layers.Rescaling(2.0)(x)),
        lambda x: layers.Dropout(0.5)(layers.LayerNormalization()(x)),
        lambda x: layers.ReLU(activity_regularizer="l1")(x),
        lambda x: layers.Activation(lambda y: y * keras.ops.sigmoid(y))(x),
        lambda x: layers.Normalization(mean=0.5, variance=2.0)(x),
        lambda x: keras.ops.maximum(layers.ReLU()(x), layers.LeakyReLU()(x)),
        lambda x: layers.Multiply()([x, layers.Activation("sigmoid")(x)]),
    ],
)
def test_what_is_made_of_single_pixels_lies_where_they_do(known):
    inputs = Input((8, 8, 1))
    (found,) = shifts(keras.Model(inputs, known(Conv2D(1, 2, padding="same")(inputs))))
    assert found.pixels == (0.5, 0.5)


def test_gates_and_images_of_other_inputs_are_not_compared():
    one, other = Input((8, 8, 2)), Input((8, 8, 2))
    moved = Conv2D(2, 2, padding="same")(one)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(moved)
    gated = layers.Multiply()([one, gate])
    assert shifts(keras.Model(one, gated)) == ()
    added = layers.Add()([layers.Conv2D(2, 2, padding="same")(one), other])
    assert all(not found.meets for found in shifts(keras.Model([one, other], added)))
