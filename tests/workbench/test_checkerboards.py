"""What a model's upsampling leaves behind, against plain NumPy."""

import keras
import numpy as np
import pytest
from keras import layers

from polyphase.models import comparison_autoencoder
from polyphase.workbench.checkerboards import measure


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
