"""Losses of layers' results: a layer that has one stays, so that the loss is the same."""

import keras
import numpy as np
import pytest
from keras import layers, tree

import polyphase as pp
from polyphase.rewrite import fold, to_upsampling
from tests.rewrite.helpers import arrays, layers_of

LOSS = {"activity_regularizer": keras.regularizers.L2(0.01)}


def up(**arguments):
    return layers.UpSampling2D(2, **arguments)


def conv(kernel, **arguments):
    return layers.Conv2D(3, kernel, bias_initializer="normal", **arguments)


class Adding(layers.Layer):
    """A user's layer that adds a loss of its input."""

    def call(self, x):
        self.add_loss(keras.ops.sum(x**2))
        return x


def inner():
    x = keras.Input((4, 5, 4))
    return keras.Model(x, layers.ReLU(**LOSS)(up()(x)))


# What is applied to x, one after the other; each has one loss, of which some read many pixels.
CHAINS = {
    "upsampling": lambda: [up(**LOSS), conv(3)],
    "resizing": lambda: [layers.Resizing(8, 10, interpolation="nearest", **LOSS), conv(1)],
    "second upsampling": lambda: [up(), up(**LOSS), conv(1)],
    "our upsampling": lambda: [pp.layers.UpSampling2D(2, **LOSS), conv(1)],
    "1x1": lambda: [up(), conv(1, **LOSS)],
    "1x1, bilinear": lambda: [up(interpolation="bilinear"), conv(1, **LOSS)],
    "1x1 and more": lambda: [up(), conv(1, activation="relu", **LOSS), conv(1)],
    "convolution": lambda: [up(), conv(3, padding="same", activation="tanh", **LOSS)],
    "even kernel": lambda: [up(), conv(4, padding="same", **LOSS)],
    "its loss": lambda: [up(), layers.ZeroPadding2D(((1, 4), (0, 3))), conv(5, **LOSS)],
    "cut": lambda: [up(), layers.Cropping2D(1), conv(3, **LOSS)],
    "padding": lambda: [up(), layers.ZeroPadding2D(1, **LOSS), conv(3)],
    "cropping": lambda: [up(), layers.Cropping2D(2, **LOSS), conv(3)],
    "depthwise": lambda: [up(), layers.DepthwiseConv2D(3, **LOSS)],
    "separable": lambda: [up(), layers.SeparableConv2D(2, 3, **LOSS)],
    "transposed": lambda: [layers.Conv2DTranspose(2, 3, 2, **LOSS)],
    "activation": lambda: [up(), layers.Activation("relu", **LOSS), conv(1)],
    "linear activation": lambda: [
        up(interpolation="bilinear"),
        layers.Activation(None, **LOSS),
        conv(1),
    ],
    "leaky": lambda: [up(), layers.LeakyReLU(**LOSS), conv(1)],
    "prelu": lambda: [up(), layers.PReLU(shared_axes=[1, 2], **LOSS), conv(1)],
    "rescaling": lambda: [up(), layers.Rescaling(2.0, **LOSS), conv(1)],
    "batch norm": lambda: [up(), layers.BatchNormalization(**LOSS), conv(1)],
    "group norm": lambda: [up(), layers.GroupNormalization(2, **LOSS), conv(1)],
    "layer norm": lambda: [up(), layers.LayerNormalization(**LOSS), conv(1)],
    "ActivityRegularization": lambda: [up(), layers.ActivityRegularization(0.1, 0.1), conv(1)],
    "add_loss": lambda: [up(), Adding(), conv(1)],
    "of an activation": lambda: [up(), conv(1, activation=layers.LeakyReLU(**LOSS)), conv(1)],
    "of an Activation's": lambda: [up(), layers.Activation(layers.ReLU(**LOSS)), conv(1)],
    "nested": lambda: [inner(), conv(1)],
    "sub-pixel": lambda: [pp.layers.SubPixelConv2D(2, 3, size=2, activation="relu", **LOSS)],
    "ours": lambda: [pp.layers.UpSampleConv2D(2, 2, size=2, activation="relu", **LOSS)],
}


BAKED = ("convolution", "even kernel", "its loss", "sub-pixel", "ours")  # into Keras' layers


def chained(name):
    x = inputs = keras.Input((4, 5, 4))
    for layer in CHAINS[name]():
        x = layer(x)
    return keras.Model(inputs, x)


def outputs_and_losses(model):
    """Return the outputs of one call as training makes it, and the losses that it adds."""
    outputs = tree.flatten(model(arrays(model), training=True))
    outputs, losses = (
        [keras.ops.convert_to_numpy(one) for one in some] for some in (outputs, model.losses)
    )
    return outputs, sorted(map(float, losses))


def assert_same_losses(model, *others):
    outputs, losses = outputs_and_losses(model)
    assert losses
    assert losses[0] > 0
    for other in others:
        actual, added = outputs_and_losses(other)
        np.testing.assert_allclose(added, losses, rtol=1e-4)
        for one, expected in zip(actual, outputs, strict=True):
            np.testing.assert_allclose(one, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.grid(8)
def test_losses_of_results_are_the_same(name):
    keras.utils.set_random_seed(0)
    model = chained(name)
    baked = [fold(model, target="keras")] if name in BAKED else []
    assert_same_losses(model, fold(model), *baked)


def test_losses_of_merges_and_concatenations_are_the_same():
    keras.utils.set_random_seed(0)
    x, skip = keras.Input((4, 5, 4)), keras.Input((8, 10, 4))
    for merge in (layers.Add, layers.Multiply, layers.Concatenate):
        merged = [merge(**LOSS)([up()(x), other]) for other in (up()(x), skip)]
        model = keras.Model([x, skip], [conv(1)(one) for one in merged])
        assert_same_losses(model, fold(model))
    y = conv(3, activation="relu", **LOSS)(layers.Concatenate()([up()(x), skip]))
    model = keras.Model([x, skip], y)  # split: the loss is of the sum
    folded = fold(model)
    assert layers_of(folded, pp.layers.ConcatConv2D)
    assert_same_losses(model, folded, fold(model, target="keras"))


@pytest.mark.parametrize("place", ["convolution", "normalisation"])
def test_at_inference_a_layer_with_a_loss_is_not_merged(place):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((4, 5, 4))
    x = conv(3, **(LOSS if place == "convolution" else {}))(x)
    x = layers.BatchNormalization(**(LOSS if place == "normalisation" else {}))(x)
    model = keras.Model(inputs, x)
    folded = fold(model, inference=True)
    assert layers_of(folded, layers.BatchNormalization)
    assert_same_losses(model, folded)


def test_a_removed_upsampling_is_said_to_stay_for_its_loss():
    _, report = fold(chained("upsampling"), return_report=True)
    (finding,) = report.findings
    assert not finding.folded
    assert "activity_regularizer" in finding.what


def test_a_convolution_with_a_loss_still_absorbs_what_leaves_its_result():
    assert layers_of(fold(chained("convolution")), pp.layers.UpSampleConv2D)
    assert not layers_of(fold(chained("1x1")), layers.Conv2D, layers.UpSampling2D)


def test_a_pair_whose_upsampling_has_a_loss_is_refused():
    class Block(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.up = up(name="up", **LOSS)
            self.conv = conv(3, name="conv")

        def call(self, x):
            return self.conv(self.up(x))

        def get_config(self):
            return {"name": self.name}

    block = Block()
    block(np.ones((1, 4, 5, 4), "float32"))
    with pytest.raises(ValueError, match="without activity_regularizer"):
        fold(block, pairs=[("up", "conv")])


def test_to_upsampling_keeps_losses():
    keras.utils.set_random_seed(0)
    x = keras.Input((4, 5, 4))
    layer = layers.Conv2DTranspose(
        3, 2, 2, kernel_initializer="ones", activation="tanh", bias_initializer="normal", **LOSS
    )
    model = keras.Model(x, layer(x))
    assert_same_losses(model, to_upsampling(model))
