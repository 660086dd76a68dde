"""Layers of signals and volumes compute what Keras' own, or those that they join, compute."""

import keras
import numpy as np
import pytest
from keras import ops

from polyphase import layers
from polyphase.layers import kinds
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy

SIDES = {1: (7,), 3: (3, 4, 2)}
RANKS = tuple(SIDES)
SHAPED = {"padding": "same", "activation": "tanh", "bias_initializer": "normal"}


def volume(rank, channels=3, factor=1):
    return coordinate_ramp((2, *(factor * side for side in SIDES[rank]), channels))


def with_weights_of(layer, other, x):
    layer.build(x.shape)
    layer.set_weights(other.get_weights())
    return to_numpy(layer(x))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("rank", RANKS)
def test_nearest_is_keras_bit_for_bit(rank, size):
    x = volume(rank)
    ours, theirs = (
        classes[rank](size) for classes in (kinds.UPSAMPLING.ours, kinds.UPSAMPLING.keras)
    )
    np.testing.assert_array_equal(to_numpy(ours(x)), to_numpy(theirs(x)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 3, "strides": 2, **SHAPED},
        {"kernel_size": 4, "strides": 2, "padding": "same"},
        {"kernel_size": 2, "strides": 3},
        {"kernel_size": 3, "strides": 2, "output_padding": 1},
        {"kernel_size": 3, "dilation_rate": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("rank", RANKS)
def test_transposed_convolutions_are_keras(rank, arguments, backend):
    if backend == "tensorflow" and "dilation_rate" in arguments:
        pytest.skip("Keras' dilated transposed convolutions have no CPU kernel in TensorFlow")
    x = volume(rank)
    theirs = kinds.TRANSPOSED.keras[rank](4, **arguments)
    expected = to_numpy(theirs(x))
    for lowering in ("auto", "phases", "reference"):
        ours = kinds.TRANSPOSED.ours[rank](4, **arguments, lowering=lowering)
        np.testing.assert_allclose(with_weights_of(ours, theirs, x), expected, atol=2e-6)


@pytest.mark.parametrize("kind", kinds.UPSAMPLED, ids=lambda kind: kind.operator)
@pytest.mark.parametrize("rank", RANKS)
def test_upsampled_convolutions_are_two_layers_of_keras(rank, kind):
    if rank not in kind.ours:
        pytest.skip("Keras has no such convolution")
    x = volume(rank)
    arguments = {"kernel_size": 3, **SHAPED}
    if kind is not kinds.UPSAMPLED_DEPTHWISE:
        arguments["filters"] = 4
    convolution = kind.convolution.keras[rank](**arguments)
    expected = to_numpy(convolution(kinds.UPSAMPLING.keras[rank](2)(x)))
    ours = kind.ours[rank](size=2, **arguments)
    np.testing.assert_allclose(with_weights_of(ours, convolution, x), expected, atol=2e-6)


@pytest.mark.parametrize("rank", RANKS)
def test_concatenation_is_keras(rank):
    x, skip = volume(rank), np.cos(3 * volume(rank, 2, factor=2))
    convolution = kinds.CONVOLUTION.keras[rank](4, 3, **SHAPED)
    whole = ops.concatenate([kinds.UPSAMPLING.keras[rank](2)(x), skip], axis=-1)
    expected = to_numpy(convolution(whole))
    ours = kinds.CONCATENATED.ours[rank](4, 3, size=(2, 1), **SHAPED)
    ours.build([x.shape, skip.shape])
    ours.set_weights(convolution.get_weights())
    np.testing.assert_allclose(to_numpy(ours([x, skip])), expected, atol=2e-6)
    inputs = [keras.Input((*[None] * rank, c)) for c in (3, 2)]
    model = keras.Model(inputs, ours(inputs))
    np.testing.assert_allclose(model.predict([x, skip], verbose=0), expected, atol=2e-6)
    with pytest.raises(ValueError, match=rf"list of tensors of rank {rank + 2}"):
        kinds.CONCATENATED.ours[rank](4, 3, size=(2, 1))([x[0], skip[0]])


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "lanczos3"])
@pytest.mark.parametrize("rank", RANKS)
def test_upsampling_to_the_sides_of_another(rank, interpolation):
    x, like = volume(rank), volume(rank, 1, factor=2)
    expected = to_numpy(kinds.UPSAMPLING.ours[rank](2, interpolation=interpolation)(x))
    layer = layers.UpSampleLike(interpolation)
    np.testing.assert_array_equal(to_numpy(layer([x, like])), expected)
    inputs = [keras.Input((*[None] * rank, c)) for c in (3, 1)]
    model = keras.Model(inputs, layer(inputs))
    found = model.predict([x, like[:, 1:]], verbose=0)
    assert found.shape == (2, like.shape[1] - 1, *like.shape[2:-1], 3)


@pytest.mark.parametrize("order", ["dcr", "crd"])
@pytest.mark.parametrize("rank", RANKS)
def test_channels_become_space_by_loops(rank, order):
    x, size, filters = volume(rank), (3, 2, 2)[:rank], 2
    layer = kinds.SUB_PIXEL.ours[rank](filters, 1, size, order=order, use_bias=False)
    found = to_numpy(layer(x))
    before = x.astype("float64") @ to_numpy(layer.kernel).reshape(3, -1).astype("float64")
    phases = list(np.ndindex(*size))
    for place in np.ndindex(*x.shape[1:-1]):
        for number, phase in enumerate(phases):
            for c in range(filters):
                channel = number * filters + c if order == "dcr" else c * len(phases) + number
                out = tuple(i * s + p for i, s, p in zip(place, size, phase, strict=True))
                np.testing.assert_allclose(
                    found[(slice(None), *out, c)],
                    before[(slice(None), *place, channel)],
                    atol=1e-5,
                )


GROUPS = [2, 4]
GROUPED = [
    {"kernel_size": 3, "strides": 2, "padding": "same"},
    {"kernel_size": 2, "strides": 3},
    {"kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1},
    {"kernel_size": 3, "strides": 1, "dilation_rate": 2},
]


@pytest.mark.parametrize("lowering", ["auto", "direct", "phases", "reference"])
@pytest.mark.parametrize("arguments", GROUPED, ids=str)
@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.grid(20)
def test_a_transposed_convolution_of_groups_is_one_per_group(rank, groups, arguments, lowering):
    """As many layers of one group, each on its channels: 4 into 8, in 2 groups or depthwise."""
    sides = (5, 4, 3)[:rank]
    x = coordinate_ramp((2, *sides, 4))
    layer = kinds.TRANSPOSED.ours[rank](8, groups=groups, lowering=lowering, **arguments)
    found = to_numpy(layer(x))
    kernel = to_numpy(layer.kernel)
    assert kernel.shape[-2:] == (8 // groups, 4)
    parts = []
    for one, weights in zip(np.split(x, groups, -1), np.split(kernel, groups, -1), strict=True):
        plain = kinds.TRANSPOSED.ours[rank](8 // groups, lowering="reference", **arguments)
        plain.build(one.shape)
        plain.set_weights([weights, np.zeros(8 // groups)])
        parts.append(to_numpy(plain(one)))
    np.testing.assert_allclose(found, np.concatenate(parts, -1), atol=3e-6)


def test_groups_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match=r"divides the filters, 3\. Received: groups=2"):
        layers.Conv2DTranspose(3, 3, groups=2)
    with pytest.raises(ValueError, match=r"divides the input channels, 3\. Received: groups=2"):
        layers.Conv1DTranspose(4, 3, groups=2).build((1, 5, 3))
    with pytest.raises(ValueError, match=r'lowering="patches" has one group'):
        layers.Conv1DTranspose(4, 3, groups=2, lowering="patches")(np.ones((1, 5, 4), "float32"))


@pytest.mark.parametrize("rank", RANKS)
def test_linear_upsampling_is_compiled(rank):
    """TensorFlow's XLA has no kernel of its own bicubic; of signals and volumes it needs none."""
    layer = kinds.UPSAMPLING.ours[rank](2, interpolation="linear")
    assert layer.supports_jit
    x = volume(rank)
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(3), layer])
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() != "torch")
    assert np.isfinite(model.train_on_batch(x, volume(rank, factor=2)))
