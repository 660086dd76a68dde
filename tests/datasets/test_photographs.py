"""Patches of scikit-learn's photographs: whole, in their place, and in one set only."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from polyphase.datasets import load


def parts(data):
    return data.train, data.validation, data.test


@pytest.fixture
def numbered(monkeypatch):
    """Photographs whose every pixel says in its three bytes which one it is, of both."""
    import sklearn.datasets

    numbers = np.arange(2 * 427 * 640).reshape(2, 427, 640, 1)
    images = [*(numbers >> [0, 8, 16] & 255).astype(np.uint8)]
    names = ["/somewhere/china.jpg", "/somewhere/flower.jpg"]
    found = SimpleNamespace(images=images, filenames=names)
    monkeypatch.setattr(sklearn.datasets, "load_sample_images", lambda: found)
    return load("photographs")


def numbers(images):
    """Return `(n, 32, 32)`: which pixel of both photographs each pixel is."""
    return np.round(images.pixels * 255).astype(int) @ [1, 256, 65536]


def test_no_pixel_is_in_two_sets_nor_in_two_images_to_judge_by(numbered):
    train, validation, test = (numbers(part) for part in parts(numbered))
    assert not np.intersect1d(train, validation).size
    assert not np.intersect1d(train, test).size
    judged = np.concatenate([validation, test])
    assert np.unique(judged).size == judged.size
    assert len(np.unique(train[:, 0, 0])) == len(train)


def test_every_image_is_one_piece_of_the_photograph_that_its_label_names(numbered):
    within = np.arange(32)[:, None] * 640 + np.arange(32)
    for part in parts(numbered):
        found = numbers(part)
        first = found[:, :1, :1]
        np.testing.assert_array_equal(found - first, np.broadcast_to(within, found.shape))
        photograph, place = np.divmod(first.ravel(), 427 * 640)
        assert (place % 640 <= 640 - 32).all()
        assert part.labels == tuple(np.array(["china", "flower"])[photograph])


def test_whatever_lies_16_pixels_apart_and_is_not_held_back_is_trained_on(numbered):
    train, validation, test = (numbers(part) for part in parts(numbered))
    held = {*validation.ravel().tolist(), *test.ravel().tolist()}
    expected = [
        start
        for photograph in (0, 427 * 640)
        for top in range(0, 427 - 31, 16)
        for left in range(0, 640 - 31, 16)
        if (start := photograph + top * 640 + left) is not None
        and not any(start + y * 640 + x in held for y in (0, 15, 16, 31) for x in (0, 15, 16, 31))
    ]
    assert train[:, 0, 0].tolist() == expected


def test_the_real_photographs_have_these_sets_and_the_pixels_of_their_files():
    from sklearn.datasets import load_sample_image

    data = load("photographs")
    assert (data.name, data.source, data.shape) == ("photographs", "photographs", (32, 32, 3))
    assert [len(part) for part in parts(data)] == [785, 84, 104]
    for part in parts(data):
        assert part.pixels.dtype == np.float32
        for name in ("china", "flower"):
            count = part.labels.count(name)
            assert 0.4 < count / len(part) < 0.6
            photograph = load_sample_image(f"{name}.jpg").astype(np.float32) / 255
            windows = np.lib.stride_tricks.sliding_window_view(photograph, (32, 32), (0, 1))
            cut = np.moveaxis(windows[::16, ::16], 2, -1).reshape(-1, 32, 32, 3)
            mine = part.pixels[[label == name for label in part.labels]]
            assert {one.tobytes() for one in mine} <= {one.tobytes() for one in cut}


def test_the_pixels_are_the_same_wherever_libjpeg_turbo_decodes_them():
    """Runs remember the digest; another one means that Pillow's decoder rounds in another way."""
    digest = "e43078d3eb1b4107c6b751362e7a2ec9c4ad5946fa3b46db040b4695cbe75470"
    assert load("photographs").sha256 == digest


@pytest.mark.parametrize(
    ("module", "package"), [("sklearn.datasets", "scikit-learn"), ("PIL.Image", "Pillow")]
)
def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"photographs dataset needs {package}\. Run: pip install 'polyphase\[wo"
    with pytest.raises(ImportError, match=message):
        load("photographs")
