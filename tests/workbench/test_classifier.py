"""The classifier of digits that ships, and one that is trained on other images."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from polyphase.datasets import Images, load
from polyphase.workbench.adversarial import classifier
from polyphase.workbench.adversarial.classifier import SHIPPED, TRAINED, classifier_for, shipped
from polyphase.workbench.config import ConfigError

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "classifier.json"
# Of the first and the second test image of "digits", computed on TensorFlow.
FEATURES = {0: (1.978986, 1.677186), 2: (0.754088, 0.929992), 5: (1.951846, 1.909497)}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def with_parts(data, change):
    """Return the data set whose parts are what a function of pixels and labels returns."""
    names = ("train", "validation", "test")
    parts = {name: getattr(data, name) for name in names}
    changed = {name: Images(*change(one.pixels, one.labels)) for name, one in parts.items()}
    return dataclasses.replace(data, **changed)


def coloured(pixels, labels):
    """Return the upper part of every digit in orange, half as large."""
    small = pixels[:, :24:2, ::2] * np.array([1, 0.5, 0.2], "float32")
    return small, tuple(f"n{one}" for one in labels)


def test_the_embedded_digits_have_the_shipped_one_and_their_test_images_are_right(digits):
    found = classifier_for(digits)
    assert (found.name, found.labels) == (SHIPPED, tuple("0123456789"))
    assert found.accuracy > 0.98
    predicted = found.classes(digits.test.pixels)
    right = np.array(list("0123456789"))[predicted] == np.array(digits.test.labels)
    assert right.mean() > 0.98
    assert found.share_right(digits.test) == right.mean()


def test_the_weights_are_those_that_the_results_speak_of():
    results = json.loads(RESULTS.read_text())
    found = shipped()
    assert found.sha256 == results["sha256"]
    assert found.model.count_params() == results["parameters"]
    assert results["right"]["mnist"]["test"] > 0.99
    assert results["right"]["digits"]["test"] > 0.97
    assert classifier.WEIGHTS.stat().st_size < 300_000


def test_changed_weights_have_another_digest():
    found = shipped()
    weights = found.model.get_weights()
    weights[-1] = weights[-1] + np.float32(1e-6)
    found.model.set_weights(weights)
    assert found.sha256 != shipped().sha256


def test_features_are_the_same_on_every_backend(digits):
    features = shipped().features(digits.test.pixels[:2])
    assert features.shape == (2, 64)
    assert features.dtype == np.float32
    for index, values in FEATURES.items():
        np.testing.assert_allclose(features[:, index], values, atol=1e-4)


def test_features_are_what_the_scores_are_computed_of(digits):
    """In NumPy: the last layer's matrix, of which the highest number is the class."""
    found = shipped()
    images = digits.test.pixels[:50]
    weights, bias = found.model.get_weights()[-2:]
    scores = found.features(images) @ weights + bias
    assert scores.argmax(axis=1).tolist() == found.classes(images).tolist()


def test_many_images_are_computed_in_blocks(digits, monkeypatch):
    found, images = shipped(), digits.test.pixels[:25]
    expected = found.features(images)
    monkeypatch.setattr(classifier, "_BLOCK", 10)
    np.testing.assert_allclose(found.features(images), expected, atol=1e-4)


def test_stacked_digits_are_three_digits():
    data = load("stacked-digits")
    found, single = classifier_for(data), shipped()
    assert (found.name, found.stacked, len(found.labels)) == (SHIPPED, True, 1000)
    assert found.accuracy > 0.95
    assert found.labels[407] == "407"
    images = data.test.pixels[:40]
    digits = [single.classes(images[..., i : i + 1]) for i in range(3)]
    assert found.classes(images).tolist() == [
        100 * a + 10 * b + c for a, b, c in zip(*digits, strict=True)
    ]
    features = [single.features(images[..., i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(found.features(images), np.hstack(features), atol=1e-5)


@pytest.mark.parametrize(("label", "received"), [("", "images without labels"), ("a", "one label")])
def test_images_that_nothing_can_be_learned_from_are_refused(digits, label, received):
    useless = with_parts(digits, lambda pixels, labels: (pixels, (label,) * len(labels)))
    message = rf"labels to learn.* Received: {received}, 28x28 with 1 channels\. Give a folder"
    with pytest.raises(ConfigError, match=message):
        classifier_for(useless)


def test_a_classifier_is_trained_on_images_of_another_size_and_colour(digits, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 200)
    data = with_parts(digits, coloured)
    found = classifier_for(data)
    assert (found.name, found.labels) == (TRAINED, tuple(f"n{i}" for i in range(10)))
    assert found.accuracy > 0.9
    assert found.share_right(data.test) > 0.9
    assert found.features(data.test.pixels).shape == (359, 64)
    assert found.sha256 != shipped().sha256


def test_features_have_the_mean_square_1_and_scores_know_it(digits, monkeypatch):
    """The same network without it has the same scores."""
    images = digits.train.pixels[:100, ::4, ::4]
    targets = np.array(digits.train.labels[:100]).astype(int)
    scaled, other = (classifier.network((7, 7, 1), 10) for _ in range(2))
    classifier.learn(scaled, images, targets, 10)
    monkeypatch.setattr(classifier, "_normalise", lambda model, images: None)
    classifier.learn(other, images, targets, 10)
    (features, scores), (before, expected) = (
        one.predict_on_batch(images) for one in (scaled, other)
    )
    assert np.mean(features**2) == pytest.approx(1, rel=1e-5)
    assert np.mean(before**2) != pytest.approx(1, rel=0.01)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_black_images_have_features_too():
    model = classifier.network((8, 8, 1), 2)
    classifier.learn(model, np.zeros((10, 8, 8, 1), "float32"), np.arange(10) % 2, 2)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_labels_that_contradict_the_shipped_one_are_learned(digits, monkeypatch):
    """Digits of which only the parity counts; few steps are enough to see which one it is."""
    monkeypatch.setattr(classifier, "STEPS", 18)
    parity = with_parts(
        digits, lambda pixels, labels: (pixels, tuple(str(int(one) % 2) for one in labels))
    )
    found = classifier_for(parity)
    assert (found.name, found.labels) == (TRAINED, ("0", "1"))
    assert found.accuracy > 0.7


def test_a_training_is_the_same_again(digits, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 10)
    data = with_parts(digits, lambda pixels, labels: (pixels[:200, ::4, ::4], labels[:200]))
    first, second = classifier_for(data), classifier_for(data)
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_fewer_images_than_a_batch_are_enough(digits, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 3)
    data = with_parts(digits, lambda pixels, labels: (pixels[:20, ::4, ::4], labels[:20]))
    assert classifier_for(data).name == TRAINED


@pytest.mark.parametrize("shape", [(2, 28, 28, 3), (2, 28, 27, 1), (0, 28, 28, 1)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes images of shape \(28, 28, 1\), at least one"):
        shipped().features(np.zeros(shape, "float32"))
