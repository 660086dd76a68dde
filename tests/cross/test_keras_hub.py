"""The image-VAE decoder of keras-hub, a class of layers, folded by naming its pairs."""

import keras
import numpy as np
import pytest

from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import fold

vae_layers = pytest.importorskip("keras_hub.src.models.vae.vae_layers", reason="needs keras-hub")

PAIRS = [(f"upsample_{i}", f"upsample_{i}_conv") for i in range(3)]


def decoder(dtype="float32"):
    keras.utils.set_random_seed(0)
    layer = vae_layers.VAEDecoder([64, 64, 32, 32], [1, 1, 1, 1], dtype=dtype, name="decoder")
    layer(np.zeros((1, 4, 6, 8), "float32"))
    return layer


def equal(one, other):
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 8), dtype="float32")
    for training in (False, True):
        expected, actual = (
            keras.ops.convert_to_numpy(model(x, training=training)) for model in (one, other)
        )
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_decoder_is_folded_by_its_pairs():
    layer = decoder()
    folded, report = fold(layer, pairs=PAIRS, return_report=True)
    assert isinstance(folded, vae_layers.VAEDecoder)
    assert [one.folded for one in report.findings] == [True] * 3
    joined = [one for one in folded._flatten_layers() if isinstance(one, UpSampleConv2D)]
    assert len(joined) == 3
    assert len(folded.trainable_weights) == len(layer.trainable_weights)
    equal(layer, folded)


def test_a_model_with_the_decoder_inside_is_folded_too():
    inputs = keras.Input((4, 6, 8))
    model = keras.Model(inputs, decoder()(inputs))
    equal(model, fold(model, pairs=PAIRS))
