"""SubPixelConv2D is Keras' Conv2D, then depth to space."""

import keras
import numpy as np
import pytest

from polyphase.initializers import ICNR
from polyphase.layers import SubPixelConv2D, UpSampleConv2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy
from tests.ops import cases, oracles


def test_it_is_keras_convolution_and_a_move_of_channels():
    x = coordinate_ramp((2, 4, 5, 3))
    for case in cases.sample(
        8,
        seed=0,
        size=[1, 2, 3, (2, 3), (4, 1)],
        kernel_size=[1, 2, 3, (2, 3)],
        padding=["same", "valid"],
        dilation_rate=[1, 1, 2],
        activation=[None, "tanh"],
    ):
        sizes = cases.pair(case.pop("size"))
        theirs = keras.layers.Conv2D(2 * sizes[0] * sizes[1], bias_initializer="normal", **case)
        expected = oracles.depth_to_space(to_numpy(theirs(x)), sizes)
        ours = SubPixelConv2D(2, size=sizes, **case)
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        label = f"{sizes} {case}"
        np.testing.assert_allclose(to_numpy(ours(x)), expected, atol=2e-6, err_msg=label)


def test_weights_do_not_depend_on_the_data_format():
    x = coordinate_ramp((2, 4, 5, 3))
    last, first = (SubPixelConv2D(2, 3, (2, 3), data_format=f) for f in cases.FORMATS)
    last.build(x.shape)
    first.build((2, 3, 4, 5))
    first.set_weights(last.get_weights())
    y = to_numpy(first(np.moveaxis(x, 3, 1)))
    np.testing.assert_allclose(np.moveaxis(y, 1, 3), to_numpy(last(x)), atol=1e-6)


def test_an_icnr_start_is_nearest_upsampling_after_a_convolution():
    x = coordinate_ramp((2, 4, 5, 3))
    layer = SubPixelConv2D(2, 3, (2, 3), "same", kernel_initializer=ICNR((2, 3)))
    y = to_numpy(layer(x))
    conv = UpSampleConv2D(2, 3, 1, "same")
    conv.build(x.shape)
    conv.set_weights([layer.get_weights()[0][..., :2], np.zeros(2)])
    small = to_numpy(conv(x))
    np.testing.assert_allclose(y, small.repeat(2, axis=1).repeat(3, axis=2), atol=1e-6)


def test_configuration_names_the_output_channels():
    config = SubPixelConv2D(5, 3, (2, 3)).get_config()
    assert (config["filters"], config["size"]) == (5, (2, 3))
    assert "strides" not in config


def test_output_shape_of_unknown_sides():
    layer = SubPixelConv2D(5, 3, (2, 3), "same")
    assert layer.compute_output_shape((None, None, 4, 1)) == (None, None, 12, 5)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"convolves with stride 1.*strides=2.*`size`"):
        SubPixelConv2D(4, 3, strides=2)
    for size in (0, 1.5, "a", (1, 2, 3)):
        with pytest.raises(ValueError, match=r"`size` must be a positive integer.*Received"):
            SubPixelConv2D(4, 3, size)
    with pytest.raises(ValueError, match="filters"):
        SubPixelConv2D(0, 3)
