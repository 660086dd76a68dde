"""Multiply-adds, counted by hand."""

import keras
import pytest

from polyphase import layers
from polyphase.inspection import multiply_adds


def _model(layer, shape=(5, 7, 3)):
    return keras.Sequential([keras.Input(shape), layer])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Conv2D(4, (3, 2), padding="same"), 5 * 7 * 3 * 4 * 6),
        (keras.layers.Conv2D(6, 3, groups=3, padding="same"), 5 * 7 * 1 * 6 * 9),
        (keras.layers.Dense(4), 5 * 7 * 3 * 4),
        (layers.Conv2DTranspose(4, 3, strides=2), 5 * 7 * 3 * 4 * 9),
        (layers.UpSampleConv2D(4, 3, size=(2, 3), padding="same"), 10 * 21 * 3 * 4 * 9),
        (layers.SubPixelConv2D(4, 3, size=(2, 3), padding="same"), 5 * 7 * 3 * 24 * 9),
        (layers.UpSampling2D(2), 0),
        (layers.UpSampling2D((2, 3), interpolation="bilinear"), 2 * 3 * (10 * 7 + 10 * 21)),
        (layers.UpSampling2D((9 / 5, 11 / 7), interpolation="bilinear"), 2 * 3 * 9 * (7 + 11)),
        (keras.layers.MaxPooling2D(), 0),
    ],
)
def test_a_layer_costs_its_products(layer, expected):
    assert multiply_adds(_model(layer)) == expected


def test_channels_first_costs_the_same():
    last = layers.UpSampleConv2D(4, 3, interpolation="bicubic")
    first = layers.UpSampleConv2D(4, 3, interpolation="bicubic", data_format="channels_first")
    assert multiply_adds(_model(last)) == multiply_adds(_model(first, (3, 5, 7)))


def test_nested_models_are_counted():
    inner = _model(keras.layers.Conv2D(4, 3, padding="same"))
    assert multiply_adds(_model(inner)) == multiply_adds(inner) > 0


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="image size that is not known"):
        multiply_adds(_model(keras.layers.Conv2D(4, 3), (None, None, 3)))
