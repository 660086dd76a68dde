"""Every layer of every rank keeps Keras' contract, in many configurations."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.layers import kinds
from polyphase.testing import assert_layer_contract

# Tuples are per axis, of images; signals take the first number, volumes a third.
CONFIGURATIONS = {
    kinds.UPSAMPLING: [
        {},
        {"size": (2, 3), "interpolation": "linear"},
        {"size": 3, "interpolation": "lanczos3", "data_format": "channels_first"},
        {"size": (1.5, 2.2), "interpolation": "cubic"},
        {"size": 2, "interpolation": "mitchell", "lowering": "phases"},
        {"size": 2, "interpolation": "linear", "align_corners": True},
    ],
    kinds.TRANSPOSED: [
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"filters": 3, "kernel_size": (2, 5), "strides": (3, 2), "lowering": "phases"},
        {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False,
         "data_format": "channels_first", "activation": "tanh"},
        {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1,
         "lowering": "reference"},
        {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same", "groups": 3},
    ],
    kinds.UPSAMPLED_CONVOLUTION: [
        {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 3, "size": 2, "padding": "same", "lowering": "phases"},
        {"filters": 3, "kernel_size": 4, "size": 2, "padding": "same", "lowering": "transpose",
         "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 2, "size": 1.5, "interpolation": "cubic",
         "use_bias": False},
    ],
    kinds.UPSAMPLED_DEPTHWISE: [
        {"kernel_size": 3, "padding": "same", "activation": "tanh", "depth_multiplier": 2},
        {"kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first"},
        {"kernel_size": 2, "size": 2, "use_bias": False, "lowering": "phases"},
    ],
    kinds.UPSAMPLED_SEPARABLE: [
        {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": (2, 3), "size": (3, 2), "data_format": "channels_first",
         "depth_multiplier": 2},
        {"filters": 2, "kernel_size": 2, "size": 2, "use_bias": False, "lowering": "direct"},
    ],
    kinds.SUB_PIXEL: [
        {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "size": (3, 2), "data_format": "channels_first"},
        {"filters": 3, "kernel_size": 3, "size": 2, "padding": "same", "dilation_rate": 2,
         "use_bias": False, "kernel_initializer": pp.initializers.ICNR(2)},
    ],
    kinds.REASSEMBLY: [
        {"compression": 4},
        {"size": (2, 3), "kernel_size": 3, "compression": 4, "groups": 3,
         "data_format": "channels_first"},
        {"size": 4, "kernel_size": 3, "compression": 2, "encoder_kernel_size": (1, 3)},
    ],
    kinds.SAMPLING: [
        {"groups": 1},
        {"size": (2, 4), "groups": 3, "dynamic_scope": True, "data_format": "channels_first"},
        {"size": 4, "groups": 3, "dynamic_scope": True},
    ],
}  # fmt: skip
SIDES = (4, 5, 3)


def of_rank(value, rank):
    """Return an argument for a rank: tuples have a number per axis."""
    return (*value, 2)[:rank] if isinstance(value, tuple) else value


CASES = [
    pytest.param(
        layer,
        rank,
        {name: of_rank(value, rank) for name, value in arguments.items()},
        id=f"{layer.__name__}-{i}",
    )
    for kind, configurations in CONFIGURATIONS.items()
    for rank, layer in kind.ours.items()
    for i, arguments in enumerate(configurations)
]


def shape_of(rank, arguments, sides=SIDES, batch=2):
    first = arguments.get("data_format") == "channels_first"
    return (batch, 3, *sides[:rank]) if first else (batch, *sides[:rank], 3)


def test_every_layer_that_takes_one_input_is_tested():
    kinds_tested = {*CONFIGURATIONS, kinds.CONCATENATED, kinds.UPSAMPLING_LIKE, kinds.GUIDED}
    assert kinds_tested == {kind for kind in kinds.KINDS if kind.ours}


@pytest.mark.parametrize(("layer", "rank", "arguments"), CASES)
@pytest.mark.grid(4)
def test_the_layer_keeps_keras_contract(layer, rank, arguments):
    shape = shape_of(rank, arguments)
    assert_layer_contract(lambda **kwargs: layer(**arguments, **kwargs), shape)


@pytest.mark.parametrize(("layer", "rank", "arguments"), CASES)
@pytest.mark.grid(8)
def test_one_model_takes_inputs_of_two_sizes(layer, rank, arguments):
    layer = layer(**arguments)
    unknown = shape_of(rank, arguments, (None,) * rank)[1:]
    model = keras.Sequential([keras.Input(unknown), layer])
    for sides in (SIDES, (7, 3, 4)):
        x = np.ones(shape_of(rank, arguments, sides, 1), "float32")
        y = model.predict(x, verbose=0)
        assert y.shape == tuple(layer.compute_output_shape(x.shape))


@pytest.mark.parametrize("kind", CONFIGURATIONS, ids=lambda kind: kind.operator)
def test_another_rank_is_refused_in_one_sentence(kind):
    """A volume to a 2-D layer, sizes for another number of axes, interpolations of another rank."""
    for rank, layer in kind.ours.items():
        arguments = CONFIGURATIONS[kind][0]
        other = rank % 3 + 1
        with pytest.raises(ValueError, match=r"expected.*ndim|expects|rank"):
            layer(**arguments)(np.ones(shape_of(other, {}), "float32"))
        if kind.factor == "size":
            with pytest.raises(ValueError, match=r"`size` must be a .*Received: size="):
                layer(**arguments | {"size": (2,) * other})
        if kind in (kinds.UPSAMPLING, kinds.UPSAMPLED_CONVOLUTION):
            name = {1: "bilinear", 2: "trilinear", 3: "bilinear"}[rank]
            with pytest.raises(ValueError, match=rf"`interpolation` must be .*Received: '{name}'"):
                layer(**arguments | {"interpolation": name})


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
