"""What a file declares decides: grey or colour, how many bits, which side is up."""

import struct

import numpy as np
import pytest
from PIL import Image

from polyphase.datasets import DataError, load
from tests.datasets.test_folder import in_order, picture, write_grey, write_png


def deep():
    return (np.arange(15, dtype=np.uint16) * 4369 + 7).reshape(3, 5)


RAMP = [value for grey in range(256) for value in (grey, grey, grey)]


def palette(mode, colours):
    """An image of `picture(3)`'s indices in a palette."""
    image = Image.fromarray(picture(3), "L").convert("P")
    image.putpalette(colours)
    if mode == "P":
        return image
    pixels = np.stack([picture(3), picture(4)], axis=-1)
    image = Image.frombytes("PA", (5, 3), pixels.tobytes())
    image.putpalette(colours)
    return image


def with_alpha(mode):
    """`picture(3)` in grey or three of them in colour, and an alpha that must not matter."""
    channels = {"LA": (3,), "RGBA": (3, 4, 5)}[mode]
    return Image.merge(mode, [Image.fromarray(picture(c)) for c in (*channels, 9)])


GREYS = {
    "1": ("png bmp tif gif", lambda: Image.fromarray(picture(3) > 99), picture(3) > 99),
    "L": ("png bmp tif gif", lambda: Image.fromarray(picture(3)), picture(3) / 255),
    "LA": ("png tif", lambda: with_alpha("LA"), picture(3) / 255),
    "P of greys": ("png bmp tif gif", lambda: palette("P", RAMP), picture(3) / 255),
    "P of greys, reversed": (
        "png bmp tif gif", lambda: palette("P", RAMP[::-1]), (255 - picture(3)) / 255,
    ),
    "P of three greys": (
        "png bmp tif gif",
        lambda: Image.fromarray((picture(3) // 100).astype(np.uint8)).convert("L").quantize(3),
        None,
    ),
    "PA of greys": ("tif", lambda: palette("PA", RAMP[::-1]), (255 - picture(3)) / 255),
    "I;16": ("png tif", lambda: Image.fromarray(deep()), deep() / 65535),
    "I;16B": ("tif", lambda: Image.frombytes("I;16B", (5, 3), deep().astype(">u2").tobytes()),
              deep() / 65535),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "suffix"), [(name, suffix) for name in GREYS for suffix in GREYS[name][0].split()]
)
def test_what_is_declared_as_grey_has_one_channel(tmp_path, name, suffix):
    _, make, expected = GREYS[name]
    write_grey(tmp_path, 10)
    image = make()
    image.save(tmp_path / f"a.{suffix}")
    pixels, _ = in_order(load(tmp_path), 11)
    assert pixels.shape == (11, 3, 5, 1)
    if expected is None:
        expected = np.asarray(image.convert("RGB"))[..., 1] / 255
    np.testing.assert_allclose(pixels[10, ..., 0], expected, rtol=1e-6)


COLOURS = {
    "RGB": ("png bmp tif webp", lambda: with_alpha("RGBA").convert("RGB")),
    "RGBA": ("png tif webp", lambda: with_alpha("RGBA")),
    "RGBX": ("tif", lambda: with_alpha("RGBA").convert("RGB").convert("RGBX")),
    "CMYK": ("tif", lambda: with_alpha("RGBA").convert("RGB").convert("CMYK")),
    "YCbCr": ("tif", lambda: with_alpha("RGBA").convert("RGB").convert("YCbCr")),
    "P": ("png bmp tif gif", lambda: palette("P", [*RAMP[:393], 200, 100, 50, *RAMP[396:]])),
    "P, its last unused": ("png tif", lambda: palette("P", [*RAMP[:-3], 1, 2, 3])),
    "PA": ("tif", lambda: palette("PA", [*RAMP[:393], 200, 100, 50, *RAMP[396:]])),
}


@pytest.mark.parametrize(
    ("name", "suffix"), [(name, suffix) for name in COLOURS for suffix in COLOURS[name][0].split()]
)
def test_what_is_declared_as_colour_makes_all_rgb_without_alpha(tmp_path, name, suffix):
    write_grey(tmp_path, 10)
    image = COLOURS[name][1]()
    image.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    pixels, _ = in_order(load(tmp_path), 11)
    expected = np.asarray(image.convert("RGBA" if "A" in image.mode else "RGB"))[..., :3] / 255
    np.testing.assert_allclose(pixels[10], expected, atol=1e-6 if "Y" not in name else 0.02)


@pytest.mark.parametrize("grey", [True, False])
@pytest.mark.parametrize("form", ["bytes", "index"])
def test_transparency_of_a_palette_is_ignored_without_a_warning(tmp_path, grey, form):
    write_grey(tmp_path, 10)
    image = palette("P", RAMP if grey else [200, 100, 50, *RAMP[3:]])
    transparency = bytes(range(256)) if form == "bytes" else 117
    image.save(tmp_path / "a.png", transparency=transparency)
    pixels, _ = in_order(load(tmp_path), 11)
    expected = np.asarray(image.convert("RGB"))[..., : 1 if grey else 3] / 255
    np.testing.assert_allclose(pixels[10], expected, rtol=1e-6)


def test_sixteen_bit_grey_with_alpha_is_grey(tmp_path):
    """Pillow cannot write it, and opens it as RGBA."""
    write_grey(tmp_path, 10)
    rows = np.stack([picture(3).astype(">u2") * 257, np.full((3, 5), 5, ">u2")], axis=-1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    write_png(tmp_path / "a.png", struct.pack(">IIBBBBB", 5, 3, 16, 4, 0, 0, 0), data)
    pixels, _ = in_order(load(tmp_path), 11)
    assert pixels.shape == (11, 3, 5, 1)
    np.testing.assert_allclose(pixels[10, ..., 0], picture(3) / 255, rtol=1e-6)


def tiff(path, bits, photometric, data, order="<"):
    """Write a grey TIFF of one strip, as Pillow does not."""
    tags = [
        (256, 5), (257, 3), (258, bits), (259, 1), (262, photometric),
        (273, 8), (277, 1), (278, 3), (279, len(data)),
    ]  # fmt: skip
    entries = b"".join(struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    path.write_bytes(head + data + struct.pack(order + "H", len(tags)) + entries + bytes(4))


def test_twelve_bits_and_white_as_zero_are_scaled_as_they_mean(tmp_path):
    write_grey(tmp_path, 10)
    tiff(tmp_path / "a.tif", 16, 0, deep().astype("<u2").tobytes())
    rows = [[4095, 0, 100, 2000, 1], [2, 3, 4, 5, 6], [7, 8, 9, 10, 4094]]
    bits = ["".join(f"{value:012b}" for value in row).ljust(64, "0") for row in rows]
    packed = b"".join(int(row, 2).to_bytes(8, "big") for row in bits)
    tiff(tmp_path / "b.tif", 12, 1, packed)
    pixels, _ = in_order(load(tmp_path), 12)
    np.testing.assert_allclose(pixels[10, ..., 0], (65535 - deep()) / 65535, rtol=1e-6)
    np.testing.assert_allclose(pixels[11, ..., 0], np.array(rows) / 4095, rtol=1e-6)


UPRIGHT = {  # EXIF 2.3, tag 274: where the stored first row and first column belong
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.T,
    6: lambda x: x[::-1].T,
    7: lambda x: x[::-1, ::-1].T,
    8: lambda x: x.T[::-1],
}
ORIENTED = {
    "L": (lambda x: Image.fromarray(x.astype(np.uint8)), 255, "png tif jpg webp"),
    "I;16": (lambda x: Image.fromarray(x.astype(np.uint16) * 257), 255, "png tif"),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("mode", "suffix"), [(mode, one) for mode in ORIENTED for one in ORIENTED[mode][2].split()]
)
def test_exif_orientation_is_applied(tmp_path, mode, suffix, orientation):
    make, scale, _ = ORIENTED[mode]
    stored = np.repeat(np.repeat(picture(1, 3, 5) // 2 + 60, 8, 0), 8, 1)  # blocks, as JPEG has
    exif = Image.Exif()
    exif[274] = orientation
    for index in range(10):
        image = make(stored)
        image.save(tmp_path / f"{index}.{suffix}", exif=exif)
    data = load(tmp_path)
    expected = UPRIGHT[orientation](stored) / scale
    assert data.shape[:2] == expected.shape
    tolerance = 0.03 if suffix in ("jpg", "webp") else 1e-6
    np.testing.assert_allclose(data.train.pixels[0].mean(-1), expected, atol=tolerance)


def test_sizes_are_compared_after_orientation(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    write_grey(tmp_path, 10)
    Image.fromarray(picture(1, 5, 3)).save(tmp_path / "a.png", exif=exif)
    pixels, _ = in_order(load(tmp_path), 11)
    np.testing.assert_allclose(pixels[10, ..., 0], UPRIGHT[6](picture(1, 5, 3)) / 255, rtol=1e-6)
    Image.fromarray(picture(1, 3, 5)).save(tmp_path / "b.png", exif=exif)
    with pytest.raises(DataError, match=r"b\.png with 3x5 pixels .* has 5x3"):
        load(tmp_path)


def test_an_orientation_behind_the_pixels_is_applied_or_said(tmp_path):
    exif = Image.Exif()
    write_grey(tmp_path, 10)
    header = struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 0)
    data = b"".join(b"\0" + row.tobytes() for row in picture(3))
    exif[274] = 3
    write_png(tmp_path / "a.png", header, data, b"eXIf" + exif.tobytes()[6:])
    pixels, _ = in_order(load(tmp_path), 11)
    np.testing.assert_allclose(pixels[10, ..., 0], picture(3)[::-1, ::-1] / 255, rtol=1e-6)
    exif[274] = 6
    write_png(tmp_path / "a.png", header, data, b"eXIf" + exif.tobytes()[6:])
    with pytest.raises(DataError, match=r"a\.png declares its orientation only after its pixels"):
        load(tmp_path)


def test_a_damaged_exif_does_not_spoil_the_pixels(tmp_path):
    write_grey(tmp_path, 10)
    Image.fromarray(picture(3)).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense")
    pixels, _ = in_order(load(tmp_path), 11)
    np.testing.assert_allclose(pixels[10, ..., 0], picture(3) / 255, rtol=1e-6)


def test_colours_that_are_not_converted_are_refused(tmp_path):
    write_grey(tmp_path, 10)
    Image.new("LAB", (5, 3), (100, 20, 30)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif has the colours of CIELAB\. Save it as RGB"):
        load(tmp_path)
