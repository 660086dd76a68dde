"""What is shared in a model is shared in the new one, wherever in the nested models it is."""

import keras
import numpy as np
import pytest
from keras import layers

from polyphase.inspection import repair
from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import fold, to_upsampling
from polyphase.rewrite.to_keras import to_keras
from tests.rewrite.helpers import assert_equal_outputs, outputs


def around(layer, name, *before):
    return keras.Sequential([keras.Input((4, 4, 3)), *before, layer], name=name)


def conv(**kwargs):
    return layers.Conv2D(3, 3, padding="same", **kwargs)


def two_nested():
    shared, x = conv(), keras.Input((4, 4, 3))
    first = around(shared, "first", layers.UpSampling2D())
    second = around(shared, "second", layers.UpSampling2D())
    return keras.Model(x, layers.Add()([first(x), second(x)]))


def in_two_forms():
    """Behind an upsampling in one nested model and on its own in another."""
    shared, x = conv(), keras.Input((4, 4, 3))
    first, second = around(shared, "first", layers.UpSampling2D()), around(shared, "second")
    return keras.Model(x, [first(x), second(x)])


def inside_and_outside():
    shared, x = conv(), keras.Input((4, 4, 3))
    return keras.Model(x, shared(around(shared, "inner", layers.Activation("tanh"))(x)))


def nested_twice():
    inner, x = around(conv(), "inner", layers.BatchNormalization()), keras.Input((4, 4, 3))
    return keras.Model(x, inner(inner(x)))


def deeper():
    shared, x = conv(), keras.Input((4, 4, 3))
    inner = around(shared, "inner")
    y = keras.Input((4, 4, 3))
    outer = keras.Model(y, inner(shared(y)), name="outer")
    return keras.Model(x, layers.UpSampling2D()(outer(inner(x))))


def normalisation():
    """A convolution whose normalisation one of two nested models shares with the other."""
    shared, x = layers.BatchNormalization(), keras.Input((4, 4, 3))
    first, second = around(shared, "first", conv()), around(shared, "second")
    return keras.Model(x, layers.Add()([first(x), second(x)]))


def convolution_normalised_once():
    shared, x = conv(), keras.Input((4, 4, 3))
    first = keras.Sequential(
        [keras.Input((4, 4, 3)), shared, layers.BatchNormalization()], name="first"
    )
    return keras.Model(x, layers.Add()([first(x), around(shared, "second")(x)]))


def in_a_class():
    """A convolution in the graph and in a layer that is a class."""
    shared, x = conv(), keras.Input((4, 4, 3))
    return keras.Model(x, shared(Holder(shared)(layers.UpSampling2D()(x))))


def in_a_wrapper():
    shared, x = layers.Dense(3), keras.Input((4, 4, 3))
    return keras.Model(x, shared(layers.TimeDistributed(shared)(x)))


def transposed():
    """Transposed convolutions that are upsamplings, so that there is a way back."""
    shared = layers.Conv2DTranspose(3, 2, strides=2, kernel_initializer=Even())
    x = keras.Input((4, 4, 3))
    return keras.Model(x, layers.Add()([around(shared, "a")(x), around(shared, "b")(x)]))


class Even(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        channels = np.random.default_rng(0).standard_normal(shape[2:])
        return keras.ops.convert_to_tensor(np.broadcast_to(channels, shape), dtype)

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="tests")
class Holder(layers.Layer):
    def __init__(self, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner or conv()

    def call(self, x):
        return self.inner(x)

    def compute_output_shape(self, shape):
        return shape


MODELS = [
    two_nested, in_two_forms, inside_and_outside, nested_twice, deeper, normalisation,
    convolution_normalised_once, in_a_class, in_a_wrapper, transposed,
]  # fmt: skip
REWRITES = {
    "fold": fold,
    "inference": lambda model: fold(model, inference=True),
    "to_keras": to_keras,
    "repair": repair,
    "to_upsampling": to_upsampling,
}


def randomised(make):
    keras.utils.set_random_seed(1)
    model = make()
    generator = np.random.default_rng(2)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_no_parameter_is_doubled(make, rewrite):
    model = randomised(make)
    new = REWRITES[rewrite](model)
    assert_equal_outputs(model, new)
    if (make, rewrite) != (transposed, "to_upsampling"):  # whose kernels are smaller
        assert new.count_params() == model.count_params()


def test_a_nested_model_used_twice_is_one_model_with_one_state():
    model = randomised(nested_twice)
    folded = fold(model)
    assert len([one for one in folded.layers if isinstance(one, keras.Model)]) == 1
    assert_equal_outputs(model, folded, training=True)
    assert_equal_outputs(model, folded)


def test_a_form_that_all_uses_share_is_taken_and_training_moves_one_kernel():
    model = randomised(two_nested)
    folded = fold(model)
    kinds = [one for one in folded._flatten_layers() if isinstance(one, UpSampleConv2D)]
    assert len(kinds) == 1
    for one in (model, folded):
        one.compile(optimizer=keras.optimizers.SGD(0.1), loss="mean_squared_error")
        one.train_on_batch(np.ones((2, 4, 4, 3)), np.ones((2, 8, 8, 3)))
    assert_equal_outputs(model, folded)


def test_shared_with_a_class_it_is_used_and_the_report_says_so():
    model = randomised(in_a_class)
    folded, report = fold(model, return_report=True)
    holder, shared = model.layers[2], model.layers[3]
    assert folded.get_layer(holder.name) is holder
    assert folded.get_layer(shared.name) is shared
    assert set(report.used) == {holder.name, shared.name}
    assert holder.name in str(report)
    assert outputs(model, np.ones((1, 4, 4, 3), "float32"))[0].shape == (1, 8, 8, 3)
