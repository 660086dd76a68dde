import re

import numpy as np
import pytest

from polyphase.datasets import DataError, storage
from polyphase.datasets.checks import as_labels, as_pixels


def test_every_byte_becomes_its_float32_quotient():
    bytes_ = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    pixels = as_pixels(bytes_, "x")
    assert pixels.dtype == np.float32
    assert pixels.shape == (4, 8, 8, 1)
    np.testing.assert_array_equal(pixels[..., 0], bytes_.astype(np.float32) / 255)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_sixteen_bits_become_their_float32_quotient_whatever_their_greatest(dtype, channels):
    for greatest in (255, 65535):
        x = np.linspace(0, greatest, 4 * 8 * 8 * 3).astype(dtype).reshape(-1, 8, 8, *channels)
        pixels = as_pixels(x, "x")
        assert pixels.dtype == np.float32
        expected = (x.astype(np.float64) / 65535).reshape(*x.shape[:3], *(channels or (1,)))
        np.testing.assert_allclose(pixels, expected, rtol=2e-7)


@pytest.mark.parametrize("place", [0, 5, 11])
@pytest.mark.parametrize("bad", [-0.25, 1.5, np.nan])
def test_every_slice_of_a_large_array_is_checked(monkeypatch, place, bad):
    monkeypatch.setattr(storage, "_PART", 4 * 5 * 6 * 4)  # three slices of four images
    x = np.full((12, 5, 6), 0.5, np.float32)
    x[place, 2, 3] = bad
    message = f"first in image {place}" if np.isnan(bad) else f"values in .*{bad:g}"
    with pytest.raises(DataError, match=message):
        as_pixels(x, "x")


def test_the_axes_of_colour_images_are_kept():
    x = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    np.testing.assert_array_equal(as_pixels(x, "x"), x.astype(np.float32) / 255)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", ">f8", "bool"])
def test_floats_and_bools_keep_their_values(dtype):
    x = (np.arange(24).reshape(2, 3, 4) % 2).astype(dtype)
    pixels = as_pixels(x, "x")
    assert pixels.dtype == np.dtype(np.float32)
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels[..., 0], x.astype(float))


def test_the_input_is_not_written_to():
    x = np.full((2, 3, 4), 200, np.uint8)
    as_pixels(x, "x")
    assert (x == 200).all()


@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 6, 4), (12, 5, 6, 2), (12, 5, 6, 3, 1), ()])
def test_other_axes_are_refused(shape):
    with pytest.raises(DataError, match=re.escape(f"Received: shape {shape}") + ".*moveaxis"):
        as_pixels(np.zeros(shape, np.uint8), "x")


@pytest.mark.parametrize("shape", [(0, 28, 28), (12, 0, 28), (12, 28, 0, 3)])
def test_empty_arrays_are_refused(shape):
    with pytest.raises(DataError, match="x is empty"):
        as_pixels(np.zeros(shape, np.uint8), "x")


@pytest.mark.parametrize(
    "dtype", ["int64", "int16", "uint32", "int8", "complex64", "U3", "S3", "M8[s]"]
)
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(DataError, match=r"uint8, uint16, bool, or floats in 0\.\.1. Received: "):
        as_pixels(np.zeros((12, 5, 6), dtype), "x")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_the_first_bad_image(bad):
    x = np.zeros((12, 5, 6))
    x[[7, 9], 2, 3] = bad
    with pytest.raises(DataError, match="NaN or infinity, first in image 7"):
        as_pixels(x, "x")


@pytest.mark.parametrize(
    ("value", "found"), [(1.5, "0..1.5"), (-0.25, "-0.25..0"), (255, "0..255")]
)
def test_floats_outside_the_unit_interval_are_refused_with_their_range(value, found):
    x = np.zeros((12, 5, 6), np.float32)
    x[4, 2, 3] = value
    with pytest.raises(DataError, match=re.escape(f"values in {found}. Rescale")):
        as_pixels(x, "x")


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (np.array([3, -1], np.int8), ("3", "-1")),
        (np.array([[3], [1]], np.uint64), ("3", "1")),
        (np.array(["cat", "dög"]), ("cat", "dög")),
        (None, ("", "")),
    ],
)
def test_integers_and_texts_become_plain_texts(labels, texts):
    assert as_labels(labels, 2, "y") == texts
    assert {type(label) for label in as_labels(labels, 2, "y")} == {str}


@pytest.mark.parametrize("dtype", ["float32", "bool", "S1"])
def test_other_labels_are_refused(dtype):
    with pytest.raises(DataError, match=r"y must be integers or texts. Received: "):
        as_labels(np.zeros(2, dtype), 2, "y")


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 2), (1, 2), ()])
def test_another_number_of_labels_is_refused(shape):
    message = re.escape(f"each of the 2 images. Received: shape {shape}")
    with pytest.raises(DataError, match=message):
        as_labels(np.zeros(shape, int), 2, "y")
