import re
import shutil
import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from polyphase.datasets import DataError, checks, load


def picture(index, height=3, width=5):
    return (
        ((np.arange(height * width) * 11 + 40 * index) % 256)
        .astype(np.uint8)
        .reshape(height, width)
    )


def in_order(data, count):
    """Undo the drawing of the test set: pixels and labels in the order of the files."""
    order = np.random.default_rng(0).permutation(count)
    fifth = count // 5
    drawn = np.concatenate([data.test.pixels, data.train.pixels, data.validation.pixels])
    labels = data.test.labels + data.train.labels + data.validation.labels
    assert len(data.test) == fifth
    pixels, texts = np.empty_like(drawn), [""] * count
    for place, index in enumerate(order):
        pixels[index], texts[index] = drawn[place], labels[place]
    return pixels, texts


def write_grey(folder, count=12):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.fromarray(picture(index)).save(folder / f"{index:02}.png")
    return folder


def test_a_flat_folder_gives_grey_images_in_the_order_of_their_names(tmp_path):
    root = write_grey(tmp_path / "pictures")
    (root / "notes.txt").write_text("not an image")
    (root / ".00.png").write_text("hidden")
    (root / ".thumbnails").mkdir()
    (root / "empty folder").mkdir()
    data = load(root)
    assert (data.name, data.source, data.shape) == ("pictures", str(root), (3, 5, 1))
    pixels, labels = in_order(data, 12)
    expected = np.stack([picture(index) for index in range(12)]).astype(np.float32) / 255
    np.testing.assert_array_equal(pixels[..., 0], expected)
    assert labels == [""] * 12
    assert load(data.source).sha256 == data.sha256


def test_subfolders_are_classes(tmp_path):
    for name in ("dog", "cat"):
        write_grey(tmp_path / name, 7)
    pixels, labels = in_order(load(tmp_path), 14)
    assert labels == ["cat"] * 7 + ["dog"] * 7
    np.testing.assert_array_equal(pixels[:7], pixels[7:])


def test_one_coloured_image_makes_all_of_them_rgb(tmp_path):
    write_grey(tmp_path)
    colour = np.stack([picture(1), picture(2), picture(3)], axis=-1)
    Image.fromarray(colour).save(tmp_path / "05.png")
    Image.fromarray(picture(0).astype(np.uint16) * 257).save(tmp_path / "06.png")
    pixels, _ = in_order(load(tmp_path), 12)
    assert pixels.shape == (12, 3, 5, 3)
    np.testing.assert_array_equal(pixels[5], colour.astype(np.float32) / 255)
    for index, shown in [(0, 0), (6, 0), (11, 11)]:
        expected = np.repeat(picture(shown)[..., None], 3, -1).astype(np.float32) / 255
        np.testing.assert_allclose(pixels[index], expected, rtol=1e-7)


def test_sixteen_bit_and_one_bit_images_are_grey_and_not_clipped(tmp_path):
    write_grey(tmp_path)
    deep = (np.arange(15, dtype=np.uint16) * 4369).reshape(3, 5)
    Image.fromarray(deep).save(tmp_path / "00.png")
    Image.fromarray(deep).save(tmp_path / "01.tif")
    Image.fromarray(picture(3) > 99).save(tmp_path / "01.bmp")
    pixels, _ = in_order(load(tmp_path), 14)
    assert pixels.shape == (14, 3, 5, 1)
    np.testing.assert_array_equal(pixels[0, ..., 0], deep.astype(np.float32) / 65535)
    np.testing.assert_array_equal(pixels[1, ..., 0], picture(3) > 99)  # 01.bmp < 01.png < 01.tif
    np.testing.assert_array_equal(pixels[3, ..., 0], pixels[0, ..., 0])


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.bmp", "a.gif", "a.webp", "a.tiff"])
def test_every_accepted_format_is_read(tmp_path, name):
    write_grey(tmp_path, 10)
    Image.new("RGB", (5, 3), (200, 100, 50)).save(tmp_path / name)
    pixels, _ = in_order(load(tmp_path), 11)
    np.testing.assert_allclose(pixels[10] * 255, np.full((3, 5, 3), [200, 100, 50]), atol=4)


def test_another_size_is_refused_with_the_first_that_differs(tmp_path):
    write_grey(tmp_path)
    for name in ("03.png", "07.png"):
        Image.fromarray(picture(1, 4, 9)).save(tmp_path / name)
    message = r"03\.png with 9x4 pixels \(width x height\); .*00\.png has 5x3"
    with pytest.raises(DataError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("keep", [0, 4, 20, -30])
def test_a_broken_image_is_named(tmp_path, keep):
    write_grey(tmp_path)
    path = tmp_path / "04.png"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"04\.png cannot be read: [^\n]*\. Replace the file\.$"):
        load(tmp_path)


def test_other_formats_under_an_accepted_name_are_refused(tmp_path):
    """Encapsulated PostScript would start a program."""
    write_grey(tmp_path)
    Image.fromarray(picture(1)).save(tmp_path / "x.eps")
    (tmp_path / "x.eps").rename(tmp_path / "04.png")
    with pytest.raises(DataError, match=r"04\.png cannot be read: cannot identify image file"):
        load(tmp_path)


def write_png(path, header, data, *more):
    """Write a PNG of these chunks."""
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for part in (b"IHDR" + header, b"IDAT" + zlib.compress(data), *more, b"IEND"):
            file.write(
                struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
            )


def huge_png(path, width, height):
    """A PNG whose header declares a size; its data is missing."""
    write_png(path, struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"")


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_decompression_bombs_are_refused(tmp_path, side):
    """Of 100 million pixels Pillow only warns; of 400 million it raises."""
    write_grey(tmp_path)
    huge_png(tmp_path / "04.png", side, side)
    with pytest.raises(DataError, match=r"04\.png cannot be read: .*decompression bomb"):
        load(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DataError):
            load(tmp_path)
    assert not caught


def test_too_many_pixels_are_refused_by_the_headers(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "MAXIMUM_BYTES", 4 * 2**30)
    huge_png(tmp_path / "00.png", 8000, 8000)
    for index in range(1, 20):
        shutil.copy(tmp_path / "00.png", tmp_path / f"{index:02}.png")
    message = f"{tmp_path} would need 4.8 GiB. At most 4 GiB"
    with pytest.raises(DataError, match=re.escape(message)):
        load(tmp_path)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_unknown_range_are_refused(tmp_path, mode):
    write_grey(tmp_path)
    Image.new(mode, (5, 3)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif has 32-bit pixels"):
        load(tmp_path)


def test_a_folder_without_images_is_refused_with_the_accepted_extensions(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    with pytest.raises(DataError, match=r"no images in .*\.png, \.jpg, .*\.tiff, in the folder"):
        load(tmp_path)


def test_too_few_images_are_refused(tmp_path):
    write_grey(tmp_path, 9)
    with pytest.raises(DataError, match=r"At least 10 images .* Received: 9 in"):
        load(tmp_path)


def test_images_both_outside_and_inside_of_subfolders_are_refused(tmp_path):
    write_grey(tmp_path)
    write_grey(tmp_path / "cat")
    with pytest.raises(DataError, match=r"not both. Received: 00\.png and cat.00\.png"):
        load(tmp_path)


def test_folders_a_level_deeper_are_refused(tmp_path):
    write_grey(tmp_path / "train" / "cat")
    with pytest.raises(DataError, match=r"train.cat, one level deeper. Pass .*train, or move"):
        load(tmp_path)


def test_a_missing_pillow_says_how_to_install_it(tmp_path, monkeypatch):
    write_grey(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"needs Pillow. Run: pip install 'polyphase\[workbench"):
        load(tmp_path)
