"""Images of any size and colour become those of one size, or grey."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from polyphase.datasets import DataError, load, size_of, storage
from polyphase.datasets.fitting import fit
from tests.datasets.test_folder import in_order


def random(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def floats(*shape):
    return random(*shape).astype(np.float32) / 255


def lanczos(x):
    """Three lobes, from the definition."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def table(old, new):
    """Weights of `new` samples from `old` ones: the kernel is as wide as the reduction."""
    scale = max(old / new, 1)
    centres = (np.arange(new) + 0.5) * old / new
    weights = lanczos((np.arange(old) + 0.5 - centres[:, None]) / scale)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ((40, 61), (8, 8), np.s_[:, 10:50]),  # wide: columns go
        ((61, 40), (8, 8), np.s_[10:50]),  # high: rows go
        ((40, 61), (7, 14), np.s_[5:35]),  # round(61 / 2) = 30 rows
        ((9, 12), (18, 24), np.s_[:]),  # enlarged
        ((1, 50), (3, 3), np.s_[:, 24:25]),
    ],
)
def test_the_middle_is_resized_by_lanczos(old, new, part):
    image = floats(*old, 3)
    middle = image[part].astype(np.float64)
    rows, columns = (table(*sides) for sides in zip(middle.shape[:2], new, strict=True))
    expected = np.clip(np.einsum("yi,xj,ijc->yxc", rows, columns, middle), 0, 1)
    found = fit(image, new, grey=False)
    assert (found.shape, found.dtype) == ((*new, 3), np.float32)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_a_crop_alone_keeps_every_value():
    image = floats(5, 9, 3)
    np.testing.assert_array_equal(fit(image, (5, 5), grey=False), image[:, 2:7])
    np.testing.assert_array_equal(fit(image, (5, 9), grey=False), image)


def test_detail_too_fine_for_the_new_size_is_averaged():
    stripes = np.tile(np.float32([0, 1]), 35)[None, :, None].repeat(70, 0)
    np.testing.assert_allclose(fit(stripes, (28, 28), grey=False)[:, 3:-3], 0.5, atol=0.02)


def test_overshoot_is_clipped():
    edge = np.repeat(np.float32([0, 1]), 8)[None, :, None].repeat(16, 0)
    found = fit(edge, (40, 40), grey=False)
    assert (found.min(), found.max()) == (0, 1)


def test_grey_is_pillows_luma_before_it_is_rounded():
    colours = random(16, 16, 3)
    expected = np.asarray(Image.fromarray(colours).convert("L")) / 255
    found = fit(colours.astype(np.float32) / 255, None, grey=True)
    assert found.shape == (16, 16, 1)
    np.testing.assert_allclose(found[..., 0], expected, atol=0.51 / 255)
    white = fit(np.ones((1, 1, 3), np.float32), None, grey=True)
    assert white.item() == 1


def write(folder, *images):
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:02}.png")
    return folder


def test_a_folder_and_an_array_of_the_same_images_give_the_same_pixels(tmp_path):
    x = random(12, 20, 31, 3)
    np.save(tmp_path / "a.npy", x)
    write(tmp_path / "a", *x)
    one, other = (load(tmp_path / name, 8, grey=True) for name in ("a.npy", "a"))
    assert one.shape == (8, 8, 1)
    assert (one.size, one.grey) == ("8x8", True)
    assert one.sha256 == other.sha256 != load(tmp_path / "a", 8).sha256


def test_a_folder_may_have_different_sizes_and_colours_if_a_size_is_given(tmp_path):
    images = [random(9 + i, 20 - i, *[(3,), ()][i % 2]) for i in range(10)]
    images[3] = (images[3].astype(np.uint16) * 257)[..., :7]
    root = write(tmp_path / "a", *images)
    with pytest.raises(DataError, match=r"01\.png with 19x10 .* Give a size for all \(--size"):
        load(root)
    pixels, _ = in_order(load(root, (8, 6)), 10)
    assert pixels.shape == (10, 8, 6, 3)
    for index, image in enumerate(images):
        whole = image / (65535 if image.dtype == np.uint16 else 255)
        whole = whole.astype(np.float32).reshape(*image.shape[:2], -1)
        expected = np.broadcast_to(fit(whole, (8, 6), grey=False), (8, 6, 3))
        np.testing.assert_allclose(pixels[index], expected, atol=1e-6)
    assert load(root, (8, 6), grey=True).shape == (8, 6, 1)


def test_a_turned_photograph_is_cropped_as_it_is_seen(tmp_path):
    root = write(tmp_path / "a", *random(10, 8, 8))
    lying = random(8, 24)  # seen upright: 24 rows, 8 columns
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(lying).save(root / "10.png", exif=exif)
    pixels, _ = in_order(load(root, 8), 11)
    expected = np.rot90(lying, -1)[8:16] / np.float32(255)
    np.testing.assert_array_equal(pixels[10, ..., 0], expected.astype(np.float32))


@pytest.mark.parametrize("source", ["digits", "photographs"])
def test_the_tutorials_size_and_colour_come_from_any_source(source):
    data = load(source, "28", grey=True)
    assert data.shape == (28, 28, 1)
    whole = load(source)
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(data, part), getattr(whole, part)
        assert ours.labels == theirs.labels
        np.testing.assert_array_equal(ours.pixels[5], fit(theirs.pixels[5], (28, 28), grey=True))
    assert (data.sha256 == whole.sha256) == (source == "digits")


def test_what_has_the_size_already_needs_no_pillow(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", random(12, 4, 6))
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert load(tmp_path / "a.npy", "4x6", grey=True).size == "4x6"
    with pytest.raises(ImportError, match=r"Resizing needs Pillow\. Run: pip install"):
        load(tmp_path / "a.npy", 4)


def test_fitted_images_on_disk_are_those_in_memory(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", random(30, 9, 7, 3))
    expected = load(tmp_path / "a.npy", 5, grey=True)
    monkeypatch.setattr(storage, "IN_MEMORY", 0)
    data = load(tmp_path / "a.npy", 5, grey=True)
    assert not data.train.pixels.flags.writeable
    assert data.sha256 == expected.sha256


@pytest.mark.parametrize("name", ["a.npy", "a"])
def test_too_many_pixels_are_refused_before_any_is_made(tmp_path, name):
    x = random(12, 5, 5, 3)
    np.save(tmp_path / "a.npy", x)
    write(tmp_path / "a", *x)
    message = rf"{re.escape(str(tmp_path / name))} would need 1341\.\d GiB. At most 64 GiB"
    with pytest.raises(DataError, match=message):
        load(tmp_path / name, 99_999)


@pytest.mark.parametrize(
    ("size", "text"),
    [(28, "28x28"), ("28", "28x28"), ("28x40", "28x40"), ((28, 40), "28x40"), (None, None),
     (np.int64(8), "8x8")],
)  # fmt: skip
def test_a_size_has_one_text(size, text):
    assert size_of(size) == text


@pytest.mark.parametrize(
    "size",
    [0, -8, 28.5, "", "28x", "x28", "28x0", "8x8x3", "28X28", (8,) * 3, 100_000, True],
)
def test_other_sizes_are_refused(size):
    with pytest.raises(DataError, match=r"HEIGHTxWIDTH, such as 28 or 28x40; .* Received: '"):
        load("digits", size)
