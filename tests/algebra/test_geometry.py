import math
from fractions import Fraction

import numpy as np
import pytest

from polyphase.algebra import geometry

from . import oracles

# Keras 3.15.1, `keras.ops.conv_transpose` of an impulse, the same with JAX, TensorFlow and PyTorch:
# samples cropped in front with padding="same", by (kernel size, stride).
KERAS_SAME_CROP = {
    **{(1, 1): 0, (2, 1): 0, (3, 1): 1, (4, 1): 1, (5, 1): 2},
    **{(1, 2): 0, (2, 2): 0, (3, 2): 0, (4, 2): 1, (5, 2): 1},
    **{(1, 3): 0, (2, 3): 0, (3, 3): 0, (4, 3): 0, (5, 3): 1},
}
# The same by (kernel size, stride, output padding).
KERAS_OUTPUT_PADDING_CROP = {
    **{(1, 2, 0): 0, (1, 2, 1): 0, (1, 3, 0): 0, (1, 3, 1): 0, (1, 3, 2): 0},
    **{(2, 2, 0): 1, (2, 2, 1): 0, (2, 3, 0): 1, (2, 3, 1): 0, (2, 3, 2): 0},
    **{(3, 2, 0): 1, (3, 2, 1): 0, (3, 3, 0): 1, (3, 3, 1): 0, (3, 3, 2): 0},
    **{(4, 2, 0): 2, (4, 2, 1): 1, (4, 3, 0): 2, (4, 3, 1): 1, (4, 3, 2): 1},
}


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "expected"),
    [
        *[(1, 1, (0, 0)), (2, 1, (0, 1)), (3, 1, (1, 1)), (4, 1, (1, 2)), (7, 1, (3, 3))],
        *[(1, 3, (0, 0)), (2, 2, (1, 1)), (2, 3, (1, 2)), (3, 2, (2, 2)), (4, 3, (4, 5))],
    ],
)
def test_same_padding_puts_the_smaller_half_in_front(kernel_size, dilation, expected):
    assert geometry.same_padding(kernel_size, dilation) == expected
    assert geometry.padding_amounts(kernel_size, "same", dilation) == expected


def test_valid_padding_is_none():
    assert geometry.padding_amounts(5, "valid", 3) == (0, 0)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4])
def test_a_convolution_has_as_many_outputs_as_its_taps_have_places(kernel_size, dilation):
    for length in range((kernel_size - 1) * dilation + 1, 14):
        places = sum(n + (kernel_size - 1) * dilation < length for n in range(length))
        assert geometry.conv_length(length, kernel_size, "valid", dilation) == places
        assert geometry.conv_length(length, kernel_size, "same", dilation) == length


def test_a_kernel_longer_than_the_input_is_refused():
    with pytest.raises(ValueError, match=r"kernel of 3 taps \(dilation 2\) .* into 4 pixels"):
        geometry.conv_length(4, 3, "valid", dilation=2)


@pytest.mark.parametrize(
    ("length", "size", "expected"), [(5, 2, 10), (5, 1.5, 7), (1, 1, 1), (3, 4, 12), (7, 1.25, 8)]
)
def test_an_upsampled_side_is_rounded_down(length, size, expected):
    result = geometry.upsampled_length(length, size)
    assert result == expected
    assert isinstance(result, int)


@pytest.mark.parametrize("kernel_size", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 5))
def test_lengths_of_transposed_convolutions_are_those_of_keras(kernel_size, stride):
    for length in (1, 2, 5):
        args = (length, kernel_size, stride)
        image, kernel = np.ones((length, 1, 1)), np.ones((kernel_size, 1, 1, 1))
        scattered = len(oracles.scatter(image, kernel, (stride, 1)))
        out = geometry.conv_transpose_length(*args, "valid")
        assert out == (length - 1) * stride + max(kernel_size, stride)
        assert out == max(scattered, length * stride)
        assert geometry.conv_transpose_length(*args, "same") == length * stride
        for extra in range(stride):
            assert geometry.conv_transpose_length(*args, "valid", extra) == scattered + extra
            same = (length - 1) * stride + kernel_size % 2 + extra
            assert geometry.conv_transpose_length(*args, "same", extra) == same


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        *[((5, 3, 2, "valid"), 11), ((5, 3, 2, "same"), 10), ((5, 2, 3, "valid"), 15)],
        *[((5, 3, 2, "same", 0), 9), ((5, 3, 2, "same", 1), 10), ((5, 4, 2, "same", 1), 9)],
        *[((5, 3, 1, "valid", None, 2), 9), ((5, 3, 1, "same", None, 2), 5)],
        ((5, 2, 3, "valid", 1), 15),
    ],
)
def test_known_lengths_of_transposed_convolutions(arguments, expected):
    assert geometry.conv_transpose_length(*arguments) == expected


def test_same_crops_in_front_what_keras_crops():
    for (kernel_size, stride), crop in KERAS_SAME_CROP.items():
        assert geometry.conv_transpose_crop(kernel_size, stride, "same") == crop
    for (kernel_size, stride, extra), crop in KERAS_OUTPUT_PADDING_CROP.items():
        assert geometry.conv_transpose_crop(kernel_size, stride, "same", extra) == crop


def test_a_dilated_kernel_is_cropped_as_its_span():
    # Keras 3.15.1, all three backends: kernel size 2..5, stride 1, dilation 2.
    crops = [geometry.conv_transpose_crop(k, 1, "same", dilation=2) for k in (2, 3, 4, 5)]
    assert crops == [1, 2, 3, 4]


def test_valid_crops_nothing():
    assert geometry.conv_transpose_crop(5, 2, "valid") == 0
    assert geometry.conv_transpose_crop(5, 2, "valid", 1, 1) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: geometry.padding_amounts(3, "full"),
        lambda: geometry.conv_length(9, 3, "full"),
        lambda: geometry.conv_transpose_length(9, 3, 2, "full"),
        lambda: geometry.conv_transpose_crop(3, 2, "full"),
    ],
)
def test_an_unknown_padding_is_refused(call):
    with pytest.raises(ValueError, match=r'must be "valid" or "same"\. Received: padding=\'full\''):
        call()


def test_a_size_that_is_a_ratio_of_sides_gives_that_side():
    """All pairs up to 256 x 512: binary `floor(length * size)` is one short in 4,934 of them."""
    short = sum(
        geometry.upsampled_length(length, out / length) != out
        for length in range(1, 257)
        for out in range(length, 513)
    )
    assert short == 0


def test_any_other_size_gives_the_exact_floor():
    """Neighbours of ratios, decimals and noise, against exact rational arithmetic."""
    generator = np.random.default_rng(0)
    for length, out in generator.integers(1, 5000, (3000, 2)).tolist():
        out += length
        ratio = out / length
        below, above = math.nextafter(ratio, 0.0), math.nextafter(ratio, math.inf)
        assert geometry.upsampled_length(length, below) == math.floor(Fraction(below) * length)
        assert geometry.upsampled_length(length, above) == math.floor(Fraction(above) * length)
        assert geometry.upsampled_length(3 * length, ratio) == 3 * out
        size = generator.uniform(1, 9)
        assert geometry.upsampled_length(length, size) == math.floor(Fraction(size) * length)
        decimal = Fraction(int(generator.integers(100, 900)), 100)
        assert geometry.upsampled_length(length, float(decimal)) == math.floor(decimal * length)


@pytest.mark.parametrize(
    ("length", "size", "expected"),
    [(88, 120 / 88, 120), (5, 2.5, 12), (3, 2.5, 7), (100, 1.15, 115), (7, 3, 21), (0, 1.5, 0)],
)
def test_known_lengths_of_upsampling(length, size, expected):
    assert geometry.upsampled_length(length, size) == expected
