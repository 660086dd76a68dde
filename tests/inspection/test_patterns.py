"""Patterns are those of the layer's output, pixel by pixel: a constant is sent through it."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.inspection import readings_of
from polyphase.report import patterns
from polyphase.workbench.checkerboards import measure
from tests.gradients import to_numpy, vjp

SIDE = 12  # input pixels, so that the middle is far from every border
PAIRS = [(None, None), *itertools.product(range(3), range(2))]


def transposed():
    """Every kernel size from 1 to 7 by both strides, both paddings, all output paddings."""
    for k, padding, more in itertools.product(range(1, 8), ("same", "valid"), PAIRS):
        yield {
            "kernel_size": (k, 8 - k),
            "strides": (3, 2),
            "padding": padding,
            "output_padding": None if more == (None, None) else more,
        }


def middle(image, strides):
    """Return one period of an image, from an output index that is a multiple of the stride on."""
    top, left = ((side // 2) // s * s for side, s in zip(image.shape, strides, strict=True))
    return image[top : top + strides[0], left : left + strides[1]]


def constant_through(layer):
    """Return what a constant comes out as; None where Keras on TensorFlow refuses to compute."""
    try:
        return to_numpy(layer(np.ones((1, SIDE, SIDE, 1), "float32")))[0, :, :, 0]
    except Exception:
        if keras.backend.backend() == "tensorflow" and type(layer) is layers.Conv2DTranspose:
            return None
        raise


@pytest.mark.parametrize("kind", [layers.Conv2DTranspose, pp.layers.Conv2DTranspose])
@pytest.mark.grid(1)
def test_transposed_convolutions_are_read_in_the_order_of_their_output(kind):
    cases = list(transposed())
    if keras.backend.backend() == "jax":  # each is compiled
        cases = cases[:: len(PAIRS) - 2]
    seen = 0
    for case in cases:
        layer = kind(1, **case, kernel_initializer="random_normal")
        image = constant_through(layer)
        if image is None:
            continue
        counts = constant_through(kind(1, **case, kernel_initializer="ones"))
        (reading,) = readings_of(keras.Sequential([keras.Input((SIDE, SIDE, 1)), layer]))
        period, label = middle(image, (3, 2)), str(case)
        np.testing.assert_allclose(reading.gains[:, :, 0, 0], period, atol=1e-5, err_msg=label)
        np.testing.assert_array_equal(reading.overlap, middle(counts, (3, 2)).round(), label)
        seen += 1
    assert seen > len(cases) / 2


def test_what_is_printed_drawn_and_stored_is_the_pattern_of_the_output():
    """The decoder "transposed-4" crops a pixel before its image."""
    layer = layers.Conv2DTranspose(1, 4, 2, "same", name="up")
    layer.build((None, SIDE, SIDE, 1))
    kernel = np.arange(1.0, 17.0).reshape(4, 4, 1, 1)
    layer.set_weights([kernel, np.zeros(1)])
    image = to_numpy(layer(np.ones((1, SIDE, SIDE, 1), "float32")))
    period = middle(image[0, :, :, 0], (2, 2))
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layer])
    shown = period / period.mean()
    written = " / ".join(" ".join(f"{value:.2f}" for value in row) for row in shown)
    inspection = pp.inspect(model)
    assert f"A constant becomes {written}." in " ".join(str(inspection).split())
    (said,) = inspection.to_dict()["stages"]
    np.testing.assert_allclose(said["pattern"], shown, rtol=1e-5)
    drawn = patterns(inspection).axes[1].images[0].get_array()
    np.testing.assert_allclose(drawn[:2, :2], shown, rtol=1e-5)
    images = np.random.default_rng(0).random((2, 2 * SIDE, 2 * SIDE, 1), dtype="float32")
    np.testing.assert_allclose(measure(model, images, images).pattern, shown, rtol=1e-5)


@pytest.mark.parametrize("side", [12, 13, 14])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_gradients_are_read_in_the_order_of_the_image(padding, side):
    cases = [
        (layers.Conv2D, (3, 4), (2, 3), 1),
        (layers.Conv2D, (5, 2), (3, 2), 1),
        (layers.DepthwiseConv2D, (4, 3), (2, 2), 1),
        (layers.DepthwiseConv2D, (3, 2), (2, 2), 2),
    ]
    for kind, kernel_size, strides, rate in cases:
        own = {"filters": 1} if kind is layers.Conv2D else {}
        layer = kind(
            kernel_size=kernel_size, strides=strides, padding=padding, dilation_rate=rate, **own
        )
        try:
            y = to_numpy(layer(np.ones((1, side, side, 1), "float32")))
        except Exception as error:  # a depthwise stride of two lengths, on TensorFlow
            pytest.skip(str(error)[:60])
        _, (gradient,), _ = vjp(layer, [np.ones((1, side, side, 1))], np.ones(y.shape), "float32")
        period = middle(gradient[0, :, :, 0], strides)
        model = keras.Sequential([keras.Input((side, side, 1)), layer])
        (reading,) = readings_of(model)
        label = f"{kind.__name__} {kernel_size} {strides} {rate}"
        np.testing.assert_allclose(reading.gains[:, :, 0, 0], period, atol=1e-5, err_msg=label)
        taps = [layer.kernel * 0 + 1, *layer.weights[1:]]
        layer.set_weights([to_numpy(one) for one in taps])
        _, (gradient,), _ = vjp(layer, [np.ones((1, side, side, 1))], np.ones(y.shape), "float32")
        counts = middle(gradient[0, :, :, 0], strides)
        np.testing.assert_array_equal(reading.overlap, counts.round(), err_msg=label)
