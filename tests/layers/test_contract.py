"""Every layer keeps Keras' contract, in many configurations."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.testing import assert_layer_contract

CONFIGURATIONS = {
    "UpSampling2D": [
        {},
        {"size": (2, 3), "interpolation": "bilinear"},
        {"size": 3, "interpolation": "lanczos3", "data_format": "channels_first"},
        {"size": (1.5, 2.2), "interpolation": "bicubic"},
        {"size": 2, "interpolation": "mitchell", "lowering": "phases"},
    ],
    "Conv2DTranspose": [
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"filters": 3, "kernel_size": (2, 5), "strides": (3, 2), "lowering": "phases"},
        {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False,
         "data_format": "channels_first", "activation": "tanh"},
        {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1,
         "lowering": "reference"},
    ],
    "UpSampleConv2D": [
        {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 3, "size": 2, "padding": "same", "lowering": "phases"},
        {"filters": 3, "kernel_size": 4, "size": 2, "padding": "same", "lowering": "transpose",
         "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 2, "size": 1.5, "interpolation": "bicubic",
         "use_bias": False},
    ],
    "UpSampleDepthwiseConv2D": [
        {"kernel_size": 3, "padding": "same", "activation": "tanh", "depth_multiplier": 2},
        {"kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first"},
        {"kernel_size": 2, "size": 2, "use_bias": False, "lowering": "phases"},
    ],
    "UpSampleSeparableConv2D": [
        {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first",
         "depth_multiplier": 2},
        {"filters": 2, "kernel_size": 2, "size": 2, "use_bias": False, "lowering": "direct"},
    ],
    "SubPixelConv2D": [
        {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "size": (3, 2), "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 3, "size": 2, "padding": "same", "dilation_rate": 2,
         "use_bias": False, "kernel_initializer": pp.initializers.ICNR(2)},
    ],
}  # fmt: skip
CASES = [
    pytest.param(name, arguments, id=f"{name}-{i}")
    for name, configurations in CONFIGURATIONS.items()
    for i, arguments in enumerate(configurations)
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.grid(3)
def test_the_layer_keeps_keras_contract(name, arguments):
    layer = getattr(pp.layers, name)
    first = arguments.get("data_format") == "channels_first"
    shape = (2, 3, 4, 5) if first else (2, 4, 5, 3)
    assert_layer_contract(lambda **kwargs: layer(**arguments, **kwargs), shape)


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.grid(6)
def test_one_model_takes_images_of_two_sizes(name, arguments):
    first = arguments.get("data_format") == "channels_first"
    layer = getattr(pp.layers, name)(**arguments)
    model = keras.Sequential([keras.Input((3, None, None) if first else (None, None, 3)), layer])
    for height, width in ((4, 5), (7, 3)):
        x = np.ones((1, 3, height, width) if first else (1, height, width, 3), "float32")
        y = model.predict(x, verbose=0)
        assert y.shape == tuple(layer.compute_output_shape(x.shape))


def test_contract_notices_a_layer_that_breaks_it():
    class WrongShape(pp.layers.UpSampling2D):
        def compute_output_shape(self, input_shape):
            return input_shape

    class ForgetsItsSize(pp.layers.UpSampling2D):
        def get_config(self):
            return {**super().get_config(), "size": 2}

    class IgnoresThePolicy(pp.layers.UpSampling2D):
        def call(self, inputs):
            return keras.ops.cast(super().call(inputs), "float32")

    class StopsTheGradient(pp.layers.UpSampling2D):
        def call(self, inputs):
            return keras.ops.stop_gradient(super().call(inputs))

    keras.saving.register_keras_serializable("test")(StopsTheGradient)
    keras.saving.register_keras_serializable("test")(IgnoresThePolicy)
    for layer, size, message in (
        (WrongShape, 2, r"1\. compute_output_shape"),
        (ForgetsItsSize, 3, r"2\. "),
        (IgnoresThePolicy, 2, r"4\. mixed_float16: output: received float32, expected float16"),
        (StopsTheGradient, 2, r"5\. (the|no) gradient"),
    ):
        with pytest.raises(AssertionError, match=message):
            assert_layer_contract(
                lambda layer=layer, size=size, **kwargs: layer(size=size, **kwargs), (2, 4, 5, 3)
            )
