"""What cannot be copied is used: the very layer, with its weights; the rest is folded around it."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.layers import Conv2D, Input, UpSampling2D

from polyphase.inspection import repair
from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import fold, to_upsampling
from polyphase.rewrite.loading import what_to_import
from polyphase.rewrite.to_keras import to_keras
from tests.rewrite.helpers import assert_equal_outputs, layers_of, outputs, randomised

X = np.random.default_rng(0).standard_normal((2, 4, 4, 3), dtype="float32")


class Scale(layers.Layer):
    """No configuration: its factor is an array."""

    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def build(self, shape):
        self.gain = self.add_weight((shape[-1],), "ones")

    def call(self, x, offset=None, *, power=1):
        y = (x * self.gain * self.factors[0]) ** power
        return y if offset is None else y + offset

    def compute_output_shape(self, shape, **kwargs):
        return shape


class Lying(Scale):
    """Its configuration leaves out the factor: a copy computes something else."""

    def __init__(self, factors=(1.0,), **kwargs):
        layers.Layer.__init__(self, **kwargs)
        self.factors = factors

    def get_config(self):
        return layers.Layer.get_config(self)


class OtherWeights(layers.Layer):
    """Its configuration leaves out its width."""

    def __init__(self, width=5, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.back = layers.Dense(width), layers.Dense(3)

    def call(self, x):
        return self.back(self.inner(x))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return layers.Layer.get_config(self)


class Failing(Scale):
    """Its configuration makes a layer that cannot be called."""

    def __init__(self, factors=None, **kwargs):
        layers.Layer.__init__(self, **kwargs)
        self.factors = factors

    def get_config(self):
        return layers.Layer.get_config(self)


class NoArguments(layers.Layer):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def build(self, shape):
        self.block.build(shape)

    def call(self, x):
        return self.block(x)

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        raise NotImplementedError("no")


UNCOPYABLE = {
    "no configuration": lambda: Scale([np.float32(2.0)]),
    "lying": lambda: Lying((3.0,)),
    "other weights": lambda: OtherWeights(7),
    "failing": lambda: Failing((2.0,)),
    "raises": lambda: NoArguments(layers.Dense(3)),
    "lambda": lambda: layers.Lambda(lambda x: 2.0 * x, output_shape=lambda shape: shape),
    "inside a wrapper": lambda: layers.TimeDistributed(NoArguments(layers.Dense(3))),
}


def around(layer):
    """An upsampling to fold before and behind a layer, which is nested and called twice too."""
    y = Input((8, 8, 3))
    inner = keras.Model(y, layer(y), name="inner")
    x = inputs = Input((4, 4, 3))
    x = inner(Conv2D(3, 3, padding="same")(UpSampling2D()(x)))
    x = Conv2D(2, 3, padding="same")(UpSampling2D()(layer(x)))
    return keras.Model(inputs, x)


REWRITES = {
    "fold": lambda model: fold(model, return_report=True),
    "inference": lambda model: fold(model, inference=True, return_report=True),
    "to_keras": lambda model: (to_keras(model), None),
    "repair": lambda model: (repair(model), None),
    "to_upsampling": lambda model: (to_upsampling(model), None),
}


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("name", UNCOPYABLE)
@pytest.mark.grid(10)
def test_the_very_layer_is_used_and_all_else_is_copied(name, rewrite):
    keras.utils.set_random_seed(0)
    layer = UNCOPYABLE[name]()
    model = around(layer)
    layer.trainable = False
    for weight in layer.weights:
        weight.assign(np.random.default_rng(1).standard_normal(weight.shape))
    before = outputs(model, X)
    config = [one.name for one in model.layers], [one.trainable for one in model._flatten_layers()]
    new, report = REWRITES[rewrite](model)
    assert_equal_outputs(model, new)
    own = {id(one) for one in layer._flatten_layers()} | {id(one) for one in layer.weights}
    shared = {id(one) for one in new._flatten_layers()} | {id(one) for one in new.weights}
    if name != "lambda":  # a function may be given to a copy
        assert own <= shared
    theirs = {id(one) for one in model._flatten_layers()} - own
    assert not theirs & shared
    if report:
        assert len(layers_of(new, UpSampleConv2D)) == 2
        assert set(report.used) <= {layer.name}
        assert report.difference < 1e-5
        if name != "lambda":
            assert f"cannot be copied: {layer.name}" in str(report)
    # The original is as it was, and works.
    np.testing.assert_array_equal(outputs(model, X)[0], before[0])
    assert config == (
        [one.name for one in model.layers], [one.trainable for one in model._flatten_layers()]
    )  # fmt: skip
    assert layer.output.shape == (None, 8, 8, 3)
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.train_on_batch(X, np.ones((2, 16, 16, 2), "float32"))


def test_several_arguments_are_given_to_the_layer_that_is_used():
    a, b = Input((4, 4, 3)), Input((8, 8, 3))
    layer = Scale([2.0])
    up = layer(UpSampling2D()(a), offset=b, power=3)
    model = keras.Model([a, b], Conv2D(2, 3)(UpSampling2D()(up)))
    folded, report = fold(model, return_report=True)
    assert_equal_outputs(model, folded)
    assert report.used == (layer.name,)


def named(x):
    return x * keras.ops.sigmoid(x)


class Offset(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, 0.5, dtype)


class Penalty(keras.regularizers.Regularizer):
    def __call__(self, x):
        return keras.ops.sum(x)

    def get_config(self):
        return {}


def test_what_nobody_registered_is_copied_with_its_layer():
    """Layers of a model in memory: their functions and classes are there."""
    inputs = Input((4, 4, 3))
    x = Conv2D(3, 3, bias_initializer=Offset(), kernel_regularizer=Penalty())(
        UpSampling2D()(inputs)
    )
    x = layers.Activation(named)(x)
    model = keras.Model(inputs, layers.TimeDistributed(layers.Dense(3, activation=named))(x))
    folded, report = fold(model, return_report=True)
    assert_equal_outputs(model, folded)
    assert report.used == ()
    assert len(layers_of(folded, UpSampleConv2D)) == 1
    assert isinstance(folded.layers[1].kernel_regularizer, Penalty)


def test_a_normalisation_that_was_adapted_is_copied_with_its_statistics():
    layer = layers.Normalization()
    layer.adapt(5.0 + 3.0 * X)
    inputs = Input((4, 4, 3))
    model = keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(layer(inputs))))
    folded, report = fold(model, return_report=True)
    assert report.difference < 1e-5
    assert_equal_outputs(model, folded)


def test_seeds_go_on_where_they_were():
    """A copy draws the random numbers that the layer would draw next."""
    inputs = Input((4, 4, 3))
    x = layers.GaussianNoise(1.0, seed=2)(inputs)
    model = keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(x)))
    model(X, training=True)
    assert_equal_outputs(model, fold(model), training=True)


def test_a_single_frozen_variable_stays_frozen():
    model = randomised("unet")
    model.layers[-2].kernel.trainable = False
    assert len(fold(model).trainable_weights) == len(model.trainable_weights)


def test_repairing_what_cannot_be_copied_is_refused_in_a_sentence():
    inputs = Input((4, 4, 3))
    layer = NoArguments(layers.Conv2DTranspose(3, 3, strides=2))
    model = keras.Model(inputs, Output(layer)(inputs))
    before = model.get_weights()
    with pytest.raises(ValueError, match="cannot be repaired, because it cannot be copied"):
        repair(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class Output(NoArguments):
    def compute_output_shape(self, shape):
        return (shape[0], 2 * shape[1] + 1, 2 * shape[2] + 1, shape[3])


def test_a_pair_inside_of_what_shares_layers_is_refused_in_a_sentence():
    class Block(layers.Layer):
        def __init__(self, convolution):
            super().__init__(name="block")
            self.up, self.conv = UpSampling2D(name="up"), convolution

        def call(self, x):
            return self.conv(self.up(x))

    inputs = Input((4, 4, 3))
    shared = Conv2D(3, 3, name="conv")
    model = keras.Model(inputs, shared(Block(shared)(inputs)))
    with pytest.raises(ValueError, match="has pairs to join but shares layers or weights with"):
        fold(model, pairs=[("up", "conv")])
    folded, report = fold(model, return_report=True)
    assert [one.layer for one in report.findings] == ["block/up"]
    assert "'block' shares layers or weights with others" in report.findings[0].what
    assert_equal_outputs(model, folded)


class Known(layers.Layer):
    """Copied by its configuration, but nobody registered it."""

    def call(self, x):
        return 2.0 * x

    def compute_output_shape(self, shape):
        return shape


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_must_be_imported_to_load_is_named(tmp_path, wrapped):
    inputs = Input((4, 4, 3))
    known = layers.TimeDistributed(Known()) if wrapped else Known()
    model = keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(known(inputs))))
    folded, report = fold(model, return_report=True)
    assert report.imports == (f"{__name__}.Known",)
    assert f"from a file, import: {__name__}.Known" in str(report)
    path = tmp_path / "folded.keras"
    folded.save(path)
    sentence = what_to_import(folded, path)
    assert f"import {__name__}.Known" in sentence
    loaded = keras.models.load_model(path, custom_objects={"Known": Known})  # as it says
    assert_equal_outputs(folded, loaded)


def test_what_loads_needs_nothing(tmp_path):
    folded, report = fold(randomised("unet"), return_report=True)
    folded.save(tmp_path / "folded.keras")
    assert what_to_import(folded, tmp_path / "folded.keras") is None
    assert report.imports == ()


def test_a_functional_model_that_is_a_class_becomes_one_that_loads(tmp_path):
    class Net(keras.Model):
        def __init__(self, width):
            inputs = Input((4, 4, 3))
            super().__init__(inputs, Conv2D(width, 3)(UpSampling2D()(inputs)))

    inputs = Input((4, 4, 3))
    model = keras.Model(inputs, Net(2)(inputs))
    folded = fold(model)
    folded.save(tmp_path / "folded.keras")
    assert what_to_import(folded, tmp_path / "folded.keras") is None
    assert_equal_outputs(model, keras.models.load_model(tmp_path / "folded.keras"))
