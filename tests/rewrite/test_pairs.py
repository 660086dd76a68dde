"""Pairs: in models and layers that are classes, named layers are replaced in a copy."""

import keras
import numpy as np
import pytest
from keras import layers

from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import fold

PAIRS = [
    ("upsample_0", "upsample_0_conv"),
    ("upsample_1", "upsample_1_conv"),
    ("wider", "wider_conv"),
]


@keras.saving.register_keras_serializable(package="tests")
class Decoder(layers.Layer):
    """Stages in a list, one more in an attribute; built by its own `build`."""

    def __init__(self, filters=4, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.first = layers.Conv2D(filters, 3, padding="same", name="first")
        self.stages = []
        for number in range(2):
            self.stages.append(layers.UpSampling2D(name=f"upsample_{number}"))
            convolution = layers.Conv2D(filters, 3, padding="same", name=f"upsample_{number}_conv")
            self.stages.append(convolution)
            self.stages.append(layers.BatchNormalization())
        self.wider = layers.UpSampling2D((1, 2), name="wider")
        self.named = {"conv": layers.Conv2D(filters, 3, padding="same", name="wider_conv")}
        self.last = layers.Conv2D(2, 1, name="last")

    @property
    def all(self):
        return (self.first, *self.stages, self.wider, self.named["conv"], self.last)

    def build(self, input_shape):
        for layer in self.all:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.built = True

    def call(self, x):
        for layer in self.all:
            x = layer(x)
        return x

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else 4 * shape[1],
                None if shape[2] is None else 8 * shape[2], 2)  # fmt: skip

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def built():
    keras.utils.set_random_seed(3)
    decoder = Decoder(name="decoder")
    decoder(np.ones((1, 4, 5, 3), "float32"))
    generator = np.random.default_rng(0)
    for weight in decoder.weights:
        noise = generator.standard_normal(weight.shape)
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else 0.5 * noise)
    return decoder


def value(model, x):
    return keras.ops.convert_to_numpy(model(x))


X = np.random.default_rng(1).standard_normal((2, 4, 5, 3), dtype="float32")


def test_a_layer_that_is_a_class_is_copied_with_its_pairs_joined():
    decoder = built()
    folded, report = fold(decoder, pairs=PAIRS, return_report=True)
    assert isinstance(folded, Decoder)
    assert folded is not decoder
    joined = [layer for layer in folded.stages if isinstance(layer, UpSampleConv2D)]
    assert [layer.name for layer in joined] == ["upsample_0_conv", "upsample_1_conv"]
    assert type(decoder.stages[0]) is layers.UpSampling2D
    expected = value(decoder, X)
    np.testing.assert_allclose(
        value(folded, X), expected, rtol=0, atol=1e-5 * np.abs(expected).max()
    )
    for old, new in zip(decoder.get_weights(), folded.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert [one.what for one in report.findings] == [
        "absorbed by 'upsample_0_conv'", "absorbed by 'upsample_1_conv'",
        "absorbed by 'wider_conv'",
    ]  # fmt: skip
    assert report.difference < 1e-5


def test_it_trains_saves_and_loads(tmp_path):
    inputs = keras.Input((4, 5, 3))
    model = keras.Model(inputs, layers.Activation("tanh")(built()(inputs)))
    folded = fold(model, pairs=PAIRS[:1])
    assert any(isinstance(one, UpSampleConv2D) for one in folded._flatten_layers())
    folded.compile(optimizer="sgd", loss="mean_squared_error")
    folded.train_on_batch(X, np.ones((2, 16, 40, 2), "float32"))
    assert len(folded.trainable_weights) == len(model.trainable_weights)


def test_the_whole_model_is_folded_too():
    inputs = keras.Input((2, 5, 3))
    decoder = built()
    x = layers.Conv2D(3, 3, padding="same")(layers.UpSampling2D((2, 1))(inputs))
    model = keras.Model(inputs, decoder(x))
    folded, report = fold(model, pairs=PAIRS, return_report=True)
    assert [one.folded for one in report.findings] == [True] * 4
    x = X[:, :2]
    expected = value(model, x)
    np.testing.assert_allclose(
        value(folded, x), expected, rtol=0, atol=1e-5 * np.abs(expected).max()
    )


def test_wrong_pairs_are_refused_in_a_sentence():
    decoder = built()
    with pytest.raises(ValueError, match=r"no pair \('upsample_7', 'last'\)"):
        fold(decoder, pairs=[("upsample_7", "last")])
    with pytest.raises(ValueError, match="cannot become one. Received: Conv2D and Conv2D"):
        fold(decoder, pairs=[("first", "last")])
    with pytest.raises(ValueError, match="must read the upsampling's result"):
        fold(decoder, pairs=[("upsample_0", "upsample_1_conv")])
    with pytest.raises(ValueError, match="'decoder' is not built"):
        fold(Decoder(name="decoder"), pairs=PAIRS)


class Unnamed(keras.Model):
    """No `get_config`: what it is given is a function. A `Sequential` holds the pair."""

    def __init__(self, function):
        super().__init__(name="unnamed")
        self.function = function
        self.block = keras.Sequential(
            [layers.UpSampling2D(name="up"), layers.Conv2D(2, 3, name="conv")], name="block"
        )

    def call(self, x):
        return self.block(self.function(x))


def test_pairs_inside_of_a_sequential_and_of_a_class_without_configuration():
    model = Unnamed(lambda x: 2.0 * x)
    model(X)
    folded, report = fold(model, pairs=[("up", "conv")], return_report=True)
    assert [type(one) for one in folded.block.layers] == [layers.Identity, UpSampleConv2D]
    assert [type(one) for one in model.block.layers] == [layers.UpSampling2D, layers.Conv2D]
    assert report.unloadable == ("unnamed",)
    assert "A file of the new model cannot be loaded as it is" in str(report)
    assert not {id(one) for one in model.variables} & {id(one) for one in folded.variables}
    np.testing.assert_allclose(value(folded, X), value(model, X), rtol=0, atol=1e-5)
