"""A repair is advised where images show a pattern: planted ones of known size, and none."""

import json

import keras
import numpy as np
import pytest
from keras.layers import AveragePooling2D, Conv2D, Conv2DTranspose, Input, UpSampling2D

import polyphase as pp
from polyphase.datasets import load


@pytest.fixture(scope="module")
def images():
    return load("photographs", grey=True).train.pixels[:400]


def autoencoder(strength, layout="channels_last"):
    """Halve images and repeat their pixels, two of four by `strength` too bright, two too dark."""
    shape = (32, 32, 1) if layout == "channels_last" else (1, 32, 32)
    up = Conv2DTranspose(1, 2, 2, use_bias=False, name="up", data_format=layout)
    model = keras.Sequential([Input(shape), AveragePooling2D(2, data_format=layout), up])
    board = np.array([[1 + strength, 1 - strength], [1 - strength, 1 + strength]])
    up.set_weights([board[:, :, None, None]])
    return model


def root_mean_square(images):
    halved = images.reshape(len(images), 16, 2, 16, 2).mean(axis=(2, 4))
    return 255 * np.sqrt(np.mean(halved**2)) / np.ptp(images)


@pytest.mark.parametrize("strength", [0.03, 0.1])
def test_a_pattern_of_known_size_is_measured_and_repair_advised(images, strength):
    (stage,) = pp.inspect(autoencoder(strength), images).stages
    found = stage.in_images
    assert found.period == (2, 2)
    assert found.levels == pytest.approx(strength * root_mean_square(images), rel=0.1)
    assert found.low <= strength * root_mean_square(images) <= found.high
    assert found.seen
    assert "The images show it" in stage.verdict
    assert "polyphase.repair(model)" in stage.remedy


def test_without_a_pattern_nothing_is_advised(images):
    (stage,) = pp.inspect(autoencoder(0.001), images).stages
    assert stage.chi == pytest.approx(0.001, rel=1e-3)
    assert not stage.in_images.seen
    assert "The images do not show it" in stage.verdict
    assert stage.remedy == "Nothing needs to be done for such images."


def test_without_images_the_question_is_asked():
    (stage,) = pp.inspect(autoencoder(0.1)).stages
    assert stage.in_images is None
    assert stage.remedy == (
        "To see whether your images show it: `polyphase.inspect(model, images=x)`."
    )


def test_what_is_no_autoencoder_is_judged_by_its_output():
    """Of a decoder there are no originals; smooth codes have no pattern themselves."""
    generator = np.random.default_rng(0)
    grid = np.linspace(0, np.pi, 16)
    waves = [np.cos(k * grid) for k in range(3)]
    basis = np.array([np.outer(one, two) for one in waves for two in waves])
    codes = 5 + (generator.standard_normal((60, 9)) @ basis.reshape(9, -1)).reshape(60, 16, 16, 1)
    up = Conv2DTranspose(1, 2, 2, use_bias=False, name="up")
    model = keras.Sequential([Input((16, 16, 1)), up, UpSampling2D()])
    up.set_weights([np.array([[1.2, 0.8], [0.8, 1.2]])[:, :, None, None]])
    found = pp.inspect(model, codes).stages[0].in_images
    size = 0.2 * np.sqrt(np.mean(codes**2))
    expected = 255 * size / np.ptp(model.predict(codes, verbose=0))
    assert found.period == (4, 4)
    assert found.levels == pytest.approx(expected, rel=0.1)
    assert found.seen
    up.set_weights([np.ones((2, 2, 1, 1))])
    assert not pp.inspect(model, codes).stages[0].chi


def test_channels_first_batches_of_one_and_json(images):
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow does not pool channels first on a CPU")
    first = np.moveaxis(images, -1, 1)
    one = pp.inspect(autoencoder(0.1, "channels_first"), first).stages[0].in_images
    other = pp.inspect(autoencoder(0.1), images).stages[0].in_images
    assert one.levels == pytest.approx(other.levels, rel=1e-4)
    alone = pp.inspect(autoencoder(0.1), images[:1])
    assert alone.stages[0].in_images.high == np.inf
    written = json.loads(json.dumps(alone.to_dict()))
    assert written["stages"][0]["in_images"]["high"] is None


def test_small_images_and_outputs_that_are_none_say_so():
    up = Conv2DTranspose(1, 3, 2, name="up")
    small = keras.Sequential([Input((2, 2, 1)), up])
    assert "too small" in pp.inspect(small, np.ones((3, 2, 2, 1))).stages[0].verdict
    pooled = [Conv2DTranspose(1, 3, 2, name="up"), keras.layers.GlobalAveragePooling2D()]
    classes = keras.Sequential([Input((8, 8, 1)), Conv2D(2, 1), *pooled])
    assert pp.inspect(classes, np.ones((3, 8, 8, 1))).stages[0].in_images is None
