"""Classes of layers of keras-hub, folded by what they do: an image-VAE's decoder, and others."""

import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import polyphase
from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import fold

vae_layers = pytest.importorskip("keras_hub.src.models.vae.vae_layers", reason="needs keras-hub")

PAGE = Path(__file__).parents[2] / "docs" / "folding.md"


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


def joined(layer):
    return sum(isinstance(one, UpSampleConv2D) for one in layer._flatten_layers())


def test_the_decoder_is_folded_as_the_page_says():
    class Backbone:
        """What of a text-to-image model the page names."""

        class vae:  # noqa: N801
            decoder = decoder()

    (block,) = re.findall(r"```\n(decoder = backbone.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names = {"backbone": Backbone, "pp": polyphase}
    exec(block, names)
    layer, folded, report = names["decoder"], names["fast"], names["report"]
    assert isinstance(folded, vae_layers.VAEDecoder)
    assert [one.what for one in report.findings] == [
        f"absorbed by 'upsample_{number}_conv'" for number in range(3)
    ]
    assert joined(folded) == 3
    assert len(folded.trainable_weights) == len(layer.trainable_weights)
    equal(layer, folded)


def test_the_model_that_the_page_names_exists():
    keras_hub = pytest.importorskip("keras_hub")
    (name,) = re.findall(r"`(keras_hub\.[\w.]+)`'s `vae`", PAGE.read_text())
    backbone = getattr(keras_hub.models, name.rpartition(".")[-1])
    assert "vae" in inspect.signature(backbone).parameters


def test_a_model_with_the_decoder_inside_is_saved_and_loaded_folded(tmp_path):
    inputs = keras.Input((4, 6, 8))
    model = keras.Model(inputs, decoder()(inputs))
    folded = fold(model)
    folded.save(tmp_path / "folded.keras")
    loaded = keras.models.load_model(tmp_path / "folded.keras")
    assert joined(loaded) == joined(folded) == 3
    equal(model, loaded)


def test_attention_whose_layers_are_made_by_its_first_call(tmp_path):
    attention = pytest.importorskip("keras_hub.src.models.mobilenetv5.mobilenetv5_attention")
    layer = attention.MobileAttention(
        16, num_heads=2, key_dim=8, value_dim=8, query_strides=(2, 2), use_multi_query=True,
        channel_axis=-1, data_format="channels_last", name="attention",
    )  # fmt: skip
    inputs = keras.Input((8, 8, 16))
    folded, report = fold(keras.Model(inputs, layer(inputs)), return_report=True)
    assert [one.what for one in report.findings] == ["absorbed by 'output_proj'"]
    folded.save(tmp_path / "folded.keras")
    assert joined(keras.models.load_model(tmp_path / "folded.keras")) == 1


def test_a_feature_pyramid_adds_what_it_upsamples():
    pyramid = pytest.importorskip("keras_hub.src.models.retinanet.feature_pyramid")
    inputs = {f"P{level}": keras.Input((2 ** (8 - level),) * 2 + (4,), name=f"P{level}")
              for level in (3, 4, 5)}  # fmt: skip
    layer = pyramid.FeaturePyramid(3, 5, True, num_filters=4, name="pyramid")
    report = fold(keras.Model(inputs, layer(inputs)), return_report=True)[1]
    assert [(one.layer, one.what) for one in report.findings] == [
        ("pyramid/upsampling", "computed before 'merge_op'")
    ]
