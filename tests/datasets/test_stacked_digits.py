"""Stacked digits: each channel is the digit that the label says, of its own set."""

from collections import Counter

import numpy as np
import pytest

from polyphase.datasets import load


@pytest.fixture(scope="module")
def stacked():
    return load("stacked-digits")


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def parts(data):
    return data.train, data.validation, data.test


def test_the_sets_and_their_shape(stacked):
    assert (stacked.name, stacked.source, stacked.shape) == (
        *("stacked-digits",) * 2,
        (28, 28, 3),
    )
    assert [len(part) for part in parts(stacked)] == [6000, 1000, 1000]
    for part in parts(stacked):
        assert part.pixels.dtype == np.float32
        assert (part.pixels.min(), part.pixels.max()) == (0, 1)


def test_each_channel_is_a_digit_of_the_same_set_and_of_its_place_in_the_label(stacked, digits):
    """No two digits are alike, so that this also says that no digit is in two sets."""
    for part, single in zip(parts(stacked), parts(digits), strict=True):
        labels = {
            image.tobytes(): label
            for image, label in zip(single.pixels[..., 0], single.labels, strict=True)
        }
        assert len(labels) == len(single)
        for image, label in zip(part.pixels, part.labels, strict=True):
            found = [labels[np.ascontiguousarray(image[..., i]).tobytes()] for i in range(3)]
            assert "".join(found) == label


def test_every_number_is_there_equally_often(stacked):
    for part, times in zip(parts(stacked), (6, 1, 1), strict=True):
        assert Counter(part.labels) == {f"{i:03}": times for i in range(1000)}
        assert list(part.labels) != sorted(part.labels)


def test_the_digits_of_a_class_are_drawn_evenly_and_independently(stacked, digits):
    """Nearly all are used, and an image has no digit because another one of it has."""
    labels = digits.train.labels
    places = {image.tobytes(): i for i, image in enumerate(digits.train.pixels[..., 0])}
    used = np.array(
        [
            [places[np.ascontiguousarray(image[..., i]).tobytes()] for i in range(3)]
            for image in stacked.train.pixels
        ]
    )
    counts = np.bincount(used.ravel(), minlength=len(labels))
    per_class = Counter(labels)
    expected = np.array([1800 / per_class[label] for label in labels])  # about 16
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert abs(statistic - 1140) < 4 * np.sqrt(2 * 1140)  # chi squared of 1150 - 10 degrees
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(used[:, first], used[:, second])[0, 1]) < 4 / np.sqrt(6000)


def test_loading_again_gives_the_same_bits(stacked):
    assert load("stacked-digits").sha256 == stacked.sha256
