"""UpSampleSeparableConv2D is Keras' UpSampling2D and SeparableConv2D, with the same weights."""

import keras
import numpy as np
import pytest

from polyphase.layers import UpSampleSeparableConv2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy
from tests.ops import cases


def test_it_is_keras_layers_with_the_same_weights():
    x = coordinate_ramp((2, 4, 5, 3))
    for case in cases.sample(
        10,
        seed=0,
        size=[1, 2, 3, (2, 3), (4, 1)],
        kernel_size=[1, 2, 3, (2, 3)],
        padding=["same", "valid"],
        depth_multiplier=[1, 2],
        activation=[None, "tanh"],
        use_bias=[True, False],
    ):
        size = cases.pair(case.pop("size"))
        theirs = keras.layers.SeparableConv2D(4, bias_initializer="normal", **case)
        big = np.repeat(np.repeat(x, size[0], axis=1), size[1], axis=2)
        expected = to_numpy(theirs(big))
        ours = UpSampleSeparableConv2D(4, size=size, **case)
        assert tuple(ours.compute_output_shape(x.shape)) == expected.shape
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        label = f"{size} {case}"
        np.testing.assert_allclose(to_numpy(ours(x)), expected, atol=4e-6, err_msg=label)


def test_strides_are_refused():
    with pytest.raises(ValueError, match="stride 1. Received: strides=2. Use `size`"):
        UpSampleSeparableConv2D(4, 3, strides=2)
