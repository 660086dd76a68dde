"""What made images are held against: copies, new images, noise, a class alone."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from polyphase.datasets import Images, load
from polyphase.workbench import ConfigError
from polyphase.workbench.adversarial.classifier import SHIPPED
from polyphase.workbench.adversarial.judging import failed, judge_of, made_images
from polyphase.workbench.search import held_out

DIGITS = load("digits")


def judged(images):
    return judge_of(DIGITS).imitation(images, 8)


def test_new_images_are_as_near_as_they_are():
    """The validation images, as if they were made, are themselves: everything is known."""
    found, real = judged(DIGITS.validation.pixels), DIGITS.validation.pixels
    assert found.nearness == pytest.approx(1)
    assert (found.precision, found.recall, found.modes) == (1, 1, 10)
    assert found.fid == pytest.approx(0, abs=1e-6)
    assert found.spectral_distance == pytest.approx(0, abs=1e-9)
    assert found.neighbours.shape == (8, 28, 28, 1)
    for image, near in zip(real, found.neighbours, strict=False):
        distances = ((DIGITS.train.pixels - image) ** 2).sum(axis=(1, 2, 3))
        assert ((near - image) ** 2).sum() == pytest.approx(distances.min(), rel=1e-4)
    assert judge_of(DIGITS).kid(real) < 0.01


def test_copies_are_noticed():
    found = judged(DIGITS.train.pixels[:500])
    assert found.nearness == 0
    np.testing.assert_array_equal(found.neighbours, DIGITS.train.pixels[:8])
    assert found.reverse_kl < 0.01


def test_noise_is_far_from_everything():
    noise = np.random.default_rng(0).random((300, 28, 28, 1), dtype="float32")
    good, bad = judged(DIGITS.test.pixels), judged(noise)
    assert bad.precision < 0.2 < 0.5 < good.precision
    assert bad.nearness > 1.5 > good.nearness > 0.7
    assert bad.fid > 5 * good.fid
    assert bad.spectral_distance > 5 * good.spectral_distance
    assert judge_of(DIGITS).kid(noise) > 10 * abs(judge_of(DIGITS).kid(DIGITS.test.pixels))


def test_one_class_alone_is_one_mode():
    sevens = [index for index, label in enumerate(DIGITS.test.labels) if label == "7"]
    found = judged(DIGITS.test.pixels[sevens])
    assert found.modes <= 2
    assert found.reverse_kl > 0.8 * math.log(10)
    assert found.recall < 0.4


def test_stacked_digits_have_a_thousand_modes():
    judge = judge_of(load("stacked-digits"))
    assert judge.count == 26_000
    assert judge.classifier.name == SHIPPED
    found = judge.imitation(judge.dataset.test.pixels, 2)
    assert 900 < found.modes <= 1000


def test_images_without_labels_have_no_judge():
    def bare(images):
        return Images(images.pixels, ("",) * len(images))

    parts = ("train", "validation", "test")
    data = dataclasses.replace(DIGITS, **{name: bare(getattr(DIGITS, name)) for name in parts})
    data = dataclasses.replace(data, sha256="another")
    with pytest.raises(ConfigError, match="needs two or more labels to learn. Received: images"):
        judge_of(data)


def test_parts_of_one_data_set_have_judges_of_their_own():
    whole, part = judge_of(DIGITS), judge_of(held_out(DIGITS))
    assert len(part.dataset.train) < len(whole.dataset.train)
    assert judge_of(DIGITS).dataset is DIGITS


@pytest.mark.parametrize("count", [1, 256, 300])
def test_made_images_are_the_same_each_time(count):
    generator = keras.Sequential([keras.Input((5,)), keras.layers.Reshape((5, 1, 1))])
    images = made_images(generator, count)
    assert images.shape == (count, 5, 1, 1)
    assert images.min() == 0
    assert images.max() <= 1
    np.testing.assert_array_equal(images, made_images(generator, 400)[:count])


def test_of_a_failed_training_nothing_is_measured():
    found = failed((8, 28, 20, 1))
    assert found.neighbours.shape == (8, 28, 20, 1)
    assert found.spectrum.shape == (10,)
    assert math.isnan(found.fid)
    assert found.modes == 0
