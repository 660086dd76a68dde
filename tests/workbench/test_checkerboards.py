"""What a model's upsampling leaves behind, against plain NumPy."""

import keras
import numpy as np
import pytest
from keras import layers

from polyphase.models import comparison_autoencoder
from polyphase.workbench.checkerboards import gains_of, measure


def images():
    return np.random.default_rng(0).random((3, 12, 12, 1)).astype("float32")


def test_a_board_in_the_errors_is_seen_in_all_measures():
    originals = images()
    rows, columns = np.indices((12, 12)) % 2
    board = (0.1 * rows + 0.04 * columns)[..., None]
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2DTranspose(1, 3, 2, kernel_initializer="ones", padding="same"),
        ]
    )
    found = measure(model, originals, (originals + board).astype("float32"))
    assert found.chi == pytest.approx(0.484, abs=1e-3)
    np.testing.assert_allclose(found.pattern, [[16 / 9, 8 / 9], [8 / 9, 4 / 9]], rtol=1e-6)
    np.testing.assert_allclose(found.mean_error, [[-0.07, -0.03], [0.03, 0.07]], atol=1e-6)
    assert found.bias == pytest.approx(np.sqrt(0.05**2 + 0.02**2), rel=1e-4)
    assert found.variance < 1e-6
    assert len(found.spectrum) == 7
    assert found.spectrum[-1] == pytest.approx((12 * 0.02) ** 2, rel=1e-4)
    assert found.spectrum[1:-1].max() < 1e-8


def test_the_last_layer_gives_the_period():
    originals = images()
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Conv2DTranspose(2, 4, 2), layers.UpSampling2D((3, 2))]
    )
    found = measure(model, originals, originals)
    assert found.mean_error.shape == found.pattern.shape == (3, 2)
    np.testing.assert_array_equal(found.pattern, 1)
    assert found.chi > 0.1
    assert found.bias == found.variance == 0


def test_upsampling_and_convolution_and_models_without_have_no_pattern():
    originals = images()
    for model in (
        comparison_autoencoder("bilinear", (12, 12, 1)),
        keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2DTranspose(1, 3)]),
    ):
        found = measure(model, originals, originals)
        assert found.chi == 0
        np.testing.assert_array_equal(found.pattern, np.ones((2, 2)))


def test_each_stage_has_its_period_in_pixels_of_the_output():
    model = comparison_autoencoder("transposed-3")
    originals = np.random.default_rng(0).random((4, 28, 28, 1)).astype("float32")
    found = measure(model, originals, originals, gains_of(comparison_autoencoder("transposed-3")))
    assert [(one.layer, one.period) for one in found.stages] == [
        ("up_1", (8, 8)), ("up_2", (4, 4)), ("up_3", (2, 2)),
    ]  # fmt: skip
    assert found.harmonics.shape == (8, 8)
    assert found.chi == max(one.chi for one in found.stages)
    for one in found.stages:
        assert one.untrained > 0.5
        assert one.untrained != one.chi
        assert one.errors.amplitude == 0
        assert not one.seen


def test_a_model_that_draws_a_pattern_is_read_back():
    """Constants through a layer of known phases: what the pattern is, is known by hand."""
    kernel = np.array([[1.06, 1.0], [1.0, 0.94]], "float32").reshape(2, 2, 1, 1)
    up = layers.Conv2DTranspose(1, 2, 2, use_bias=False)
    second = layers.Conv2DTranspose(1, 2, 2, use_bias=False)
    model = keras.Sequential([keras.Input((8, 8, 1)), up, second])
    up.set_weights([np.ones_like(kernel)])
    second.set_weights([kernel])
    values = np.random.default_rng(0).uniform(0.2, 0.8, (30, 1, 1, 1)).astype("float32")
    blurred = np.broadcast_to(values, (30, 8, 8, 1))
    made = keras.ops.convert_to_numpy(model(blurred))
    noise = np.random.default_rng(1).normal(0, 0.01, made.shape).astype("float32")
    first, last = measure(model, (values + noise), made).stages
    assert (first.period, first.chi, first.errors.low) == ((4, 4), 0, 0)
    assert last.period == (2, 2)
    assert last.chi == pytest.approx(np.sqrt(0.06**2 / 2), rel=1e-4)
    expected = np.sqrt((values**2).mean() * 0.06**2 / 2)
    assert last.errors.amplitude == pytest.approx(expected, rel=0.1)
    assert last.errors.low < expected < last.errors.high
    assert last.seen
    assert last.untrained is None


def test_a_pattern_that_the_originals_have_themselves_is_not_the_models():
    rng = np.random.default_rng(2)
    rows, columns = np.indices((32, 32))
    originals = 0.5 + rng.normal(0, 0.02, (30, 32, 32, 1)) + 0.1 * ((rows + columns) % 2)[..., None]
    model = comparison_autoencoder("transposed-3", (32, 32, 1))
    flat = np.full_like(originals, originals.mean())  # all detail is lost, the board too
    last = measure(model, originals, flat).stages[-1]
    assert last.errors.low > 0
    assert last.errors.ratio == pytest.approx(last.originals.ratio)
    assert not last.seen


def test_made_images_are_read_by_themselves_and_their_mean_beside_the_originals():
    """A planted board in noise, beside two sets of originals that it has nothing to do with."""
    draws = np.random.default_rng(1)
    board = 0.06 * (np.indices((28, 28)).sum(axis=0) % 2 - 0.5)[..., None]
    made = (draws.normal(0.5, 0.05, (400, 28, 28, 1)) + board).astype("float32")
    model = comparison_autoencoder("transposed-3")
    smooth = np.full(made.shape, 0.5, "float32")
    noisy = draws.random(made.shape, dtype="float32")
    one, two = (measure(model, originals, made, paired=False) for originals in (smooth, noisy))
    np.testing.assert_array_equal(one.spectrum, two.spectrum)
    power = (np.abs(np.fft.rfft(made.astype("float64"), axis=2)) ** 2).mean(axis=(0, 1, 3))
    np.testing.assert_allclose(one.spectrum, power, rtol=1e-9)
    np.testing.assert_array_equal(one.harmonics, two.harmonics)
    for found in (one, two):
        errors = found.stages[-1].errors
        assert errors.low < 0.03 < errors.high
        assert errors.amplitude == pytest.approx(0.03, rel=0.02)
        assert found.bias == pytest.approx(0.03, rel=0.05)
    assert one.stages[-1].errors == two.stages[-1].errors
    assert one.stages[-1].originals != two.stages[-1].originals
