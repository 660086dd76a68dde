"""What might upsample and is not read is named, by `inspect` in every form that it has."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops

from polyphase import inspect
from polyphase.layers import SubPixelConv2D, UpSampleConv1D, UpSampleConv2D

IMAGE, SERIES, VOLUME = (4, 6, 8), (6, 8), (2, 4, 6, 3)
OPEN = (None, None, 8)


def model(shape, *stages):
    x = inputs = keras.Input(shape)
    for stage in stages:
        x = stage(x)
    return keras.Model(inputs, x)


class Resize(layers.Layer):
    """A layer of a user's own."""

    def call(self, x):
        return ops.image.resize(x, (8, 12), data_format="channels_last")


class Squeezing(layers.Layer):
    """Upsamples inside, and returns an image as large as its input."""

    def call(self, x):
        return ops.repeat(x, 2, axis=1)[:, ::2]


class BlurredConv(layers.Conv2D):
    """A Keras layer with another `call`."""

    def call(self, x):
        return super().call(ops.repeat(x, 2, axis=1))


class PlainConv(layers.Conv2D):
    """A Keras layer by another name."""


class Cell(layers.Layer):
    """A recurrent cell of a user's own."""

    state_size = 8

    def call(self, x, states):
        return x, states


def resized(**kwargs):
    return lambda x: ops.image.resize(x, (8, 12), data_format="channels_last", **kwargs)


def shuffled(x):
    """Sub-pixel upsampling by hand: channels into phases, and phases between pixels."""
    x = layers.Reshape((4, 6, 2, 2, 2))(x)
    return layers.Reshape((8, 12, 2))(layers.Permute((1, 3, 2, 4, 5))(x))


UNREAD = {
    "Resizing": (IMAGE, [layers.Resizing(8, 12, data_format="channels_last", name="bad")]),
    "Resizing, sides open": (OPEN, [layers.Resizing(8, 12, name="bad")]),
    "CenterCrop": (IMAGE, [layers.CenterCrop(8, 12, data_format="channels_last", name="bad")]),
    "wrapped": (
        (3, *IMAGE),
        [layers.TimeDistributed(layers.Resizing(8, 12, data_format="channels_last", name="bad"))],
    ),
    "wrapped operation": (
        (3, 6, 8),
        [layers.TimeDistributed(model(SERIES, lambda x: ops.repeat(x, 2, axis=1)))],
    ),
    "nested model": (IMAGE, [model(IMAGE, resized())]),
    "custom": (IMAGE, [Resize(name="bad")]),
    "custom, as large as its input": (IMAGE, [Squeezing(name="bad")]),
    "custom subclass": (IMAGE, [BlurredConv(2, 3, name="bad")]),
    "custom cell": (SERIES, [layers.RNN(Cell(name="bad"), return_sequences=True)]),
    "Lambda": (IMAGE, [layers.Lambda(lambda x: x, name="bad")]),
    "ops.image.resize": (IMAGE, [resized()]),
    "ops.image.resize, sides open": (OPEN, [resized()]),
    "ops.conv_transpose": (
        IMAGE,
        [lambda x: ops.conv_transpose(x, np.ones((3, 3, 2, 8)), 2, data_format="channels_last")],
    ),
    "ops.repeat": (IMAGE, [lambda x: ops.repeat(x, 2, axis=1)]),
    "ops.repeat, sides open": (OPEN, [lambda x: ops.repeat(x, 2, axis=1)]),
    "ops.tile": (IMAGE, [lambda x: ops.tile(x, (1, 2, 2, 1))]),
    "ops.take": (IMAGE, [lambda x: ops.take(x, [0, 0, 1, 1, 2, 2], axis=1)]),
    "ops.matmul": (IMAGE, [lambda x: ops.matmul(np.ones((12, 6), "float32"), x)]),
    "ops.einsum": (
        IMAGE,
        [lambda x: ops.einsum("yh,bhwc->bywc", np.ones((9, 4), "float32"), x)],
    ),
    "ops.depth_to_space after a function": (
        IMAGE,
        [
            layers.Conv2D(8, 1, activation="relu"),
            lambda x: ops.depth_to_space(x, 2, data_format="channels_last"),
        ],
    ),
    "shuffled by hand": (IMAGE, [shuffled]),
    "ops.vectorized_map": (IMAGE, [lambda x: ops.vectorized_map(lambda one: one, x)]),
}  # fmt: skip
READ = {
    "convolution": (IMAGE, [layers.Conv2D(2, 3, padding="same"), layers.MaxPooling2D()]),
    "padding": (IMAGE, [layers.ZeroPadding2D(3), layers.Cropping2D(1)]),
    "upsampling": (IMAGE, [layers.UpSampling2D(), UpSampleConv2D(2, 3), SubPixelConv2D(2, 3)]),
    "signals": (
        SERIES,
        [layers.UpSampling1D(2), layers.Conv1DTranspose(2, 3, 2), UpSampleConv1D(2, 3)],
    ),
    "volumes": (VOLUME, [layers.UpSampling3D(2), layers.Conv3DTranspose(2, 3, 2)]),
    "normalised": (SERIES, [layers.SpectralNormalization(layers.Conv1DTranspose(2, 3, 2))]),
    "without effect": (SERIES, [layers.Conv1DTranspose(2, 3, 1), layers.UpSampling1D(1)]),
    "a generator's start": ((3,), [layers.Dense(24), layers.Reshape((2, 3, 4))]),
    "a classifier's end": (IMAGE, [layers.Flatten(), layers.Dense(2), layers.Lambda(lambda x: x)]),
    "smaller": (IMAGE, [layers.Resizing(2, 3, data_format="channels_last")]),
    "elementwise": (OPEN, [lambda x: ops.relu(x) + 1, lambda x: x * 2]),
    "moved axes": (IMAGE, [lambda x: ops.transpose(x, (0, 3, 1, 2)), lambda x: ops.pad(x, 1)]),
    "channels": (IMAGE, [lambda x: ops.repeat(x, 3, axis=-1)]),
    "flat pixels": (IMAGE, [layers.Reshape((24, 8)), layers.Dense(4), layers.Reshape((4, 6, 4))]),
    "attention": (SERIES, [lambda x: layers.MultiHeadAttention(2, 3)(x, x)]),
    "attention by hand": (
        SERIES,
        [lambda x: ops.einsum("bqk,bkc->bqc", ops.matmul(x, ops.transpose(x, (0, 2, 1))), x)],
    ),
    "recurrent": (SERIES, [layers.Bidirectional(layers.LSTM(3, return_sequences=True))]),
    "wrapped": (
        (3, *IMAGE),
        [layers.TimeDistributed(model(IMAGE, layers.Conv2DTranspose(2, 3, 2)))],
    ),
    "a name of its own": (IMAGE, [PlainConv(2, 3)]),
    "part of a sub-pixel convolution": (
        IMAGE,
        [layers.Conv2D(8, 1), lambda x: ops.depth_to_space(x, 2, data_format="channels_last")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREAD)
def test_what_might_upsample_and_is_not_read_is_named(name):
    shape, stages = UNREAD[name]
    inspection = inspect(model(shape, *stages))
    assert len(inspection.unread) == 1, inspection.unread
    (one,) = inspection.unread
    for text in (str(inspection), inspection._repr_html_()):
        assert one.layer in text
        assert one.kind.split(",")[0] in text
        assert "There is no upsampling" not in text
    named = json.loads(json.dumps(inspection.to_dict()))["unread"]
    assert named == [{"layer": one.layer, "kind": one.kind}]


@pytest.mark.parametrize("name", READ)
def test_what_cannot_upsample_or_is_read_is_not_named(name):
    shape, stages = READ[name]
    assert inspect(model(shape, *stages)).unread == ()


def test_a_name_is_the_path_and_its_kind_says_whose_code_it_is():
    inner = model(IMAGE, Resize(name="bigger"))
    inner.name = "inner"
    found = inspect(model(IMAGE, inner)).unread
    assert [str(one) for one in found] == ["inner/bigger (Resize, code of its own)"]


def test_a_shared_layer_is_named_once():
    layer = Squeezing(name="both")
    assert len(inspect(model(IMAGE, layer, layer)).unread) == 1


def test_a_model_that_is_a_class_is_named_with_what_is_inside():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.up = layers.Resizing(8, 12, data_format="channels_last", name="up")

        def call(self, x):
            return self.up(x)

    built = Own()
    built(np.ones((1, *IMAGE), "float32"))
    assert [one.layer for one in inspect(built).unread] == ["own", "own/up"]


def test_channels_first_the_first_axis_is_no_side():
    convolution = layers.Conv2D(4, 1, data_format="channels_first")
    assert inspect(model((3, 4, 6), convolution, lambda x: ops.repeat(x, 2, axis=1))).unread == ()
    convolution = layers.Conv2D(4, 1, data_format="channels_first")
    assert inspect(model((3, 4, 6), convolution, lambda x: ops.repeat(x, 2, axis=3))).unread
