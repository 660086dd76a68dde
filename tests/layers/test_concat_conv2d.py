"""ConcatConv2D is Keras' UpSampling2D, Concatenate and Conv2D in one, with Conv2D's weights."""

import keras
import numpy as np
import pytest

from polyphase.layers import ConcatConv2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy

FORMATS = ("channels_last", "channels_first")


def images(data_format="channels_last"):
    """A small image of 3 channels, a full one of 2, and one of 1 that is three times as wide."""
    arrays = [
        coordinate_ramp((2, 4, 6, 3)),
        np.cos(coordinate_ramp((2, 8, 12, 2)) * 3),
        np.sin(coordinate_ramp((2, 4, 4, 1)) * 5),
    ]
    if data_format == "channels_first":
        return [np.moveaxis(array, 3, 1) for array in arrays]
    return arrays


SIZE = (2, 1, (2, 3))


def keras_layers(arguments):
    """Return Keras' layers as a function, and their convolution."""
    convolution = keras.layers.Conv2D(4, bias_initializer="normal", **arguments)

    def run(arrays):
        whole = [
            keras.ops.repeat(keras.ops.repeat(x, s[0], axis=1), s[1], axis=2)
            for x, s in zip(arrays, ((2, 2), (1, 1), (2, 3)), strict=True)
        ]
        return convolution(keras.ops.concatenate(whole, axis=3))

    return run, convolution


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"kernel_size": (2, 5)},
        {"kernel_size": 1, "use_bias": False},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
    ],
    ids=str,
)
def test_it_is_keras_layers_with_the_same_weights(arguments, data_format):
    run, convolution = keras_layers(arguments)
    expected = to_numpy(run(images()))
    layer = ConcatConv2D(4, size=SIZE, data_format=data_format, **arguments)
    arrays = images(data_format)
    layer.build([array.shape for array in arrays])
    layer.set_weights(convolution.get_weights())
    y = to_numpy(layer(arrays))
    assert y.shape == tuple(layer.compute_output_shape([array.shape for array in arrays]))
    y = np.moveaxis(y, 1, 3) if data_format == "channels_first" else y
    np.testing.assert_allclose(y, expected, atol=4e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_model_of_unknown_sizes_trains_saves_and_loads(policy, tmp_path):
    x, skip = keras.Input((None, None, 3)), keras.Input((None, None, 2))
    layer = ConcatConv2D(4, 3, size=(2, 1), padding="same", dtype=policy)
    model = keras.Model([x, skip], layer([x, skip]))
    arrays = images()[:2]
    before = model.get_weights()
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(arrays, np.ones((2, 8, 12, 4), "float32"), verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again(arrays)), to_numpy(model(arrays)))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="strides=1"):
        ConcatConv2D(4, 3, size=(2, 1), strides=2)
    with pytest.raises(ValueError, match="made for 2 inputs"):
        ConcatConv2D(4, 3, size=(2, 1)).build([(2, 4, 4, 3)])
    with pytest.raises(ValueError, match="number of at least 1"):
        ConcatConv2D(4, 3, size=(0.5, 1))
