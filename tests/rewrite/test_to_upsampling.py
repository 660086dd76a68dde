"""The way back: transposed convolutions whose kernel is one become upsampling and convolution."""

import keras
import numpy as np
import pytest
from keras import layers

from polyphase.layers import Conv2DTranspose
from polyphase.rewrite import to_upsampling
from tests.rewrite.helpers import assert_equal_outputs, layers_of


def summed(w, strides):
    """Return the transposed kernel of nearest upsampling and `w (k, k, c_in, c_out)`, by loops."""
    (rows, columns), (s_h, s_w) = w.shape[:2], strides
    kernel = np.zeros((rows + s_h - 1, columns + s_w - 1, w.shape[3], w.shape[2]))
    for a, b, p, q in np.ndindex(rows, columns, s_h, s_w):
        kernel[rows - 1 - a + p, columns - 1 - b + q] += w[a, b].T
    return kernel


def transposed(kind=layers.Conv2DTranspose, kernel=(3, 3), strides=(2, 2), **arguments):
    generator = np.random.default_rng(0)
    w = generator.standard_normal((*kernel, 3, 4))
    size = tuple(k + s - 1 for k, s in zip(kernel, strides, strict=True))
    layer = kind(4, size, strides=strides, name="up", **arguments)
    layer.build((None, 5, 6, 3))
    layer.set_weights([summed(w, strides), generator.standard_normal(4)])
    return layer, w


@pytest.mark.parametrize("kind", [layers.Conv2DTranspose, Conv2DTranspose])
@pytest.mark.parametrize(
    "arguments",
    [
        {"padding": "same"},
        {"padding": "valid", "activation": "tanh"},
        {"kernel": (2, 4), "padding": "same"},
        {"kernel": (1, 5), "strides": (3, 2), "padding": "same"},
        {"kernel": (4, 2), "strides": (2, 3), "output_padding": 1},
        {"kernel": (3, 2), "strides": (1, 4)},
    ],
    ids=str,
)
@pytest.mark.grid(4)
def test_a_layer_becomes_upsampling_and_the_convolution_that_it_was(kind, arguments):
    layer, w = transposed(kind, **arguments)
    steps = to_upsampling(layer)
    model = keras.Sequential([keras.Input((5, 6, 3)), layer])
    assert_equal_outputs(model, steps)
    assert not [one for one in steps.layers if type(one).__module__.startswith("polyphase")]
    (convolution,) = layers_of(steps, layers.Conv2D)
    np.testing.assert_allclose(convolution.get_weights()[0], w, atol=1e-5)


def test_the_padding_is_the_convolutions_own_where_it_can_be():
    kinds = [type(one).__name__ for one in to_upsampling(transposed(padding="same")[0]).layers]
    assert kinds == ["UpSampling2D", "Conv2D"]


def test_a_model_has_all_its_transposed_convolutions_turned():
    layer, _ = transposed(padding="same")
    inner = keras.Sequential(
        [
            keras.Input((10, 12, 4)),
            layers.Conv2D(3, 3),
        ]
    )
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, inner(layers.BatchNormalization()(layer(inputs))))
    turned = to_upsampling(model)
    assert not layers_of(turned, layers.Conv2DTranspose)
    assert layers_of(turned, layers.UpSampling2D)
    assert_equal_outputs(model, turned)


def test_what_is_no_upsampling_is_refused_with_the_residual():
    layer = layers.Conv2DTranspose(4, 4, strides=2, padding="same", name="up")
    layer.build((None, 5, 6, 3))
    with pytest.raises(
        ValueError, match=r"The kernel of 'up' cannot .* differs by 0\.\d+ of its norm"
    ):
        to_upsampling(layer)
    small = layers.Conv2DTranspose(4, 2, strides=3, name="up")
    small.build((None, 5, 6, 3))
    with pytest.raises(ValueError, match="smaller than its stride"):
        to_upsampling(small)
    with pytest.raises(ValueError, match="'up' is not built"):
        to_upsampling(layers.Conv2DTranspose(4, 4, strides=2, name="up"))
    with pytest.raises(ValueError, match="stride of at least 2, no dilation"):
        flat = layers.Conv2DTranspose(4, 3, name="up")
        flat.build((None, 5, 6, 3))
        to_upsampling(flat)
    with pytest.raises(TypeError, match="takes a Keras model. Received: int"):
        to_upsampling(3)
