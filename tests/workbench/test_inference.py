"""The decoder alone: the part of an autoencoder that is timed."""

import keras
import numpy as np
import pytest

from polyphase.models import DECODERS, comparison_autoencoder
from polyphase.workbench.inference import decoder_of, inference_seconds


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 20, 3)])
@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.grid(4)
def test_a_decoder_makes_of_the_code_what_the_autoencoder_makes_of_the_image(name, shape):
    autoencoder = comparison_autoencoder(name, shape)
    decoder = decoder_of(autoencoder)
    encoder = keras.Sequential([keras.Input(shape), *autoencoder.layers[: -len(decoder.layers)]])
    images = np.random.default_rng(0).random((2, *shape), np.float32)
    whole = autoencoder.predict_on_batch(images)
    parts = decoder.predict_on_batch(encoder.predict_on_batch(images))
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
    assert decoder.layers[0].name == "up_1"
    assert not any(layer.name.startswith("up_") for layer in encoder.layers)


def test_the_first_layer_that_enlarges_begins_the_decoder_whatever_its_name():
    layers = keras.layers
    autoencoder = keras.Sequential(
        [keras.Input((6, 8, 1)), layers.Conv2D(2, 3, padding="same", name="up_to_here"),
         layers.MaxPooling2D(2), layers.UpSampling2D(2, name="mine")]
    )  # fmt: skip
    assert [layer.name for layer in decoder_of(autoencoder).layers] == ["mine"]


def test_models_of_images_and_of_codes_are_timed_in_turns():
    autoencoder = comparison_autoencoder("nearest", (8, 10, 1))
    images = np.random.default_rng(0).random((3, 8, 10, 1), np.float32)
    times = inference_seconds([autoencoder, decoder_of(autoencoder)], images, rounds=2)
    assert len(times) == 2
    assert min(times) > 0
