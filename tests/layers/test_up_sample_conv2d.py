"""UpSampleConv2D is Keras' UpSampling2D and Conv2D in one, with Conv2D's weights."""

import keras
import numpy as np
import pytest

from polyphase.layers import UpSampleConv2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy
from tests.ops import cases


def pair_of_keras(filters, kernel_size, size, interpolation="nearest", **kwargs):
    return keras.Sequential(
        [
            keras.layers.UpSampling2D(size, interpolation=interpolation),
            keras.layers.Conv2D(filters, kernel_size, bias_initializer="normal", **kwargs),
        ]
    )


@pytest.mark.parametrize("lowering", ["auto", "direct", "phases", "transpose"])
@pytest.mark.grid(1)
def test_it_is_keras_two_layers_with_the_same_weights(lowering):
    x = coordinate_ramp((2, 5, 6, 3))
    for case in cases.sample(
        18,
        seed=0,
        size=[1, 2, 3, (2, 3), (4, 2)],
        kernel_size=[1, 2, 3, 4, 5, (2, 5)],
        padding=["same", "valid"],
        activation=[None, "tanh"],
    ):
        theirs = pair_of_keras(4, **case)
        expected = to_numpy(theirs(x))
        ours = UpSampleConv2D(4, lowering=lowering, **case)
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        y = to_numpy(ours(x))
        assert y.shape == expected.shape, str(case)
        np.testing.assert_allclose(y, expected, atol=4e-6, err_msg=str(case))


def test_bilinear_dilation_and_groups_are_keras_two_layers_too():
    x = coordinate_ramp((2, 4, 5, 4))
    for case in (
        {"interpolation": "bilinear"},
        {"interpolation": "bilinear", "padding": "same", "dilation_rate": (1, 2)},
        {"dilation_rate": 2, "padding": "same"},
        {"groups": 2, "padding": "same"},
    ):
        theirs = pair_of_keras(4, 3, 2, **case)
        expected = to_numpy(theirs(x))
        ours = UpSampleConv2D(4, 3, 2, **case)
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        np.testing.assert_allclose(to_numpy(ours(x)), expected, atol=4e-6, err_msg=str(case))


def test_weights_and_their_names_are_conv2ds():
    ours, theirs = UpSampleConv2D(4, 3), keras.layers.Conv2D(4, 3)
    for layer in (ours, theirs):
        layer.build((None, 8, 8, 2))
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    keys = set(theirs.get_config()) - {"strides"}
    assert keys | {"size", "interpolation", "lowering"} == set(ours.get_config())


def test_channels_first_is_channels_last_transposed():
    x = coordinate_ramp((2, 4, 5, 3))
    for lowering in ("direct", "phases", "transpose"):
        last, first = (
            UpSampleConv2D(2, (3, 4), 2, "same", data_format=f, lowering=lowering)
            for f in cases.FORMATS
        )
        last.build(x.shape)
        first.build((2, 3, 4, 5))
        first.set_weights(last.get_weights())
        y = to_numpy(first(np.moveaxis(x, 3, 1)))
        np.testing.assert_allclose(np.moveaxis(y, 1, 3), to_numpy(last(x)), atol=1e-6)


def test_low_rank_adaptation_trains_only_the_adapter():
    x = coordinate_ramp((2, 4, 5, 3))
    layer = UpSampleConv2D(4, 3, padding="same")
    model = keras.Sequential([keras.Input((4, 5, 3)), layer])
    before = to_numpy(model(x))
    layer.enable_lora(2)
    assert [w.name for w in layer.trainable_weights] == ["bias", "lora_kernel_a", "lora_kernel_b"]
    np.testing.assert_allclose(to_numpy(model(x)), before, atol=1e-6)
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.ones(before.shape))
    assert np.abs(to_numpy(model(x)) - before).max() > 1e-4


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"convolves with stride 1.*strides=2.*`size`"):
        UpSampleConv2D(4, 3, strides=2)
    with pytest.raises(ValueError, match=r"`size` must be a number of at least 1.*size=0.5"):
        UpSampleConv2D(4, 3, 0.5)
    with pytest.raises(ValueError, match=r"`interpolation` must be one of.*'trilinear'"):
        UpSampleConv2D(4, 3, interpolation="trilinear")
    with pytest.raises(ValueError, match="filters"):
        UpSampleConv2D(0, 3)
    with pytest.raises(ValueError, match=r"5 taps .* does not fit into 4 pixels"):
        UpSampleConv2D(4, 5).compute_output_shape((1, 2, 2, 1))
    with pytest.raises(ValueError, match="lowering"):
        UpSampleConv2D(4, 3, lowering="fast", padding="same")(np.ones((1, 2, 2, 1), "float32"))
