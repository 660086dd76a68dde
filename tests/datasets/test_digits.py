import sys

import numpy as np
import pytest

from polyphase.datasets import load


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def original():
    """scikit-learn's images and labels in the order of train, validation, test."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    order = np.concatenate([order[359:], order[:359]])
    return raw.images[order], raw.target[order]


def joined(data):
    return np.concatenate([data.train.pixels, data.validation.pixels, data.test.pixels])


def test_there_are_1797_digits_of_28x28_grey_pixels(digits):
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1150, 288, 359)
    assert (digits.name, digits.source, digits.shape) == ("digits", "digits", (28, 28, 1))
    pixels = joined(digits)
    assert pixels.dtype == np.float32
    assert (pixels.min(), pixels.max()) == (0, 1)


def test_every_label_belongs_to_its_image(digits, original):
    labels = digits.train.labels + digits.validation.labels + digits.test.labels
    assert labels == tuple(str(label) for label in original[1])
    assert set(labels) == set("0123456789")


def test_pixels_equal_pillows_bicubic(digits, original):
    """Pillow's kernel is Keys' with a = -0.5, at half-pixel centres, divided by its sum too."""
    from PIL import Image

    def resize(image):
        float_image = Image.fromarray(image.astype(np.float32))
        return np.asarray(float_image.resize((28, 28), Image.Resampling.BICUBIC))

    expected = np.clip(np.stack([resize(image) for image in original[0]]) / 16, 0, 1)
    np.testing.assert_allclose(joined(digits)[..., 0], expected, rtol=0, atol=2e-6)


def keys(x):
    """Keys' kernel from its defining equation, a = -0.5."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def test_a_digit_equals_the_sum_over_all_its_pixels(digits, original):
    """Loops over the whole 8x8 image, for one image of each set."""
    weights = np.array([[keys((n + 0.5) * 8 / 28 - 0.5 - j) for j in range(8)] for n in range(28)])
    weights /= weights.sum(axis=1, keepdims=True)
    for index in (0, 1200, 1796):
        image, expected = original[0][index] / 16, np.zeros((28, 28))
        for y in range(28):
            for x in range(28):
                expected[y, x] = sum(
                    weights[y, i] * weights[x, j] * image[i, j] for i in range(8) for j in range(8)
                )
        found = joined(digits)[index, ..., 0]
        np.testing.assert_allclose(found, np.clip(expected, 0, 1), rtol=0, atol=1e-7)


def test_loading_again_gives_the_same_bits(digits):
    again = load("digits")
    assert again.sha256 == digits.sha256
    np.testing.assert_array_equal(joined(again), joined(digits))


def test_a_missing_scikit_learn_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn. Run: pip install 'polyphase\[wo"):
        load("digits")
