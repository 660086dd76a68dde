"""ICNR and Bilinear start upsampling layers with equal phases."""

import keras
import numpy as np
import pytest

from polyphase.algebra.checkerboard import checkerboard_gain, conv_transpose_gains
from polyphase.algebra.resampling import resampling_matrix
from polyphase.initializers import ICNR, Bilinear
from tests.gradients import to_numpy


@pytest.mark.parametrize("size", [1, 2, (2, 3)])
def test_all_phases_are_the_same_random_kernel(size):
    s_h, s_w = size if isinstance(size, tuple) else (size, size)
    kernel = to_numpy(ICNR(size, "random_normal")((3, 2, 4, s_h * s_w * 5)))
    phases = kernel.reshape(3, 2, 4, s_h * s_w, 5)
    for p in range(s_h * s_w):
        np.testing.assert_array_equal(phases[..., p, :], phases[..., 0, :])
    assert len(np.unique(phases[..., 0, :])) == 3 * 2 * 4 * 5


def test_the_fan_is_that_of_one_phase():
    """Glorot's limit counts the channels that one output pixel has."""
    kernel = to_numpy(ICNR(4)((3, 3, 8, 16 * 2)))
    limit = np.sqrt(6 / (9 * (8 + 2)))
    assert 0.9 * limit < np.abs(kernel).max() <= limit


def test_the_dtype_is_the_one_asked_for():
    kernel = ICNR(2)((1, 1, 2, 4), dtype="float16")
    assert keras.backend.standardize_dtype(kernel.dtype) == "float16"


def test_configuration_goes_round():
    first = ICNR((2, 3), keras.initializers.RandomNormal(seed=3))
    again = keras.initializers.deserialize(keras.initializers.serialize(first))
    assert isinstance(again, ICNR)
    assert tuple(again.size) == (2, 3)
    shape = (3, 3, 2, 12)
    np.testing.assert_array_equal(to_numpy(first(shape)), to_numpy(again(shape)))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"divisible by 4.*\(3, 3, 2, 6\)"):
        ICNR(2)((3, 3, 2, 6))
    with pytest.raises(ValueError, match=r"`size` must be a positive integer.*size=0"):
        ICNR(0)
    with pytest.raises(ValueError, match="nonsense"):
        ICNR(2, "nonsense")


@pytest.mark.parametrize(
    ("kernel_size", "strides"),
    [((3, 3), 2), ((4, 4), 2), ((5, 6), 3), ((2, 2), 2), ((3, 5), (2, 3)), ((7, 4), (2, 4))],
)
def test_a_bilinear_start_has_no_checkerboard(kernel_size, strides):
    kernel = to_numpy(Bilinear(strides, "random_normal")((*kernel_size, 3, 2)))
    pair = strides if isinstance(strides, tuple) else (strides, strides)
    assert checkerboard_gain(conv_transpose_gains(kernel, pair)) < 1e-6
    assert len(np.unique(kernel[kernel_size[0] // 2, kernel_size[1] // 2])) == 6


@pytest.mark.parametrize("stride", [2, 4])  # 2s taps of an odd stride lie between the pixels
def test_a_bilinear_start_is_bilinear_upsampling(stride):
    """Of the whole triangle, in the interior, at half-pixel centres: what our table says."""
    side = 6
    layer = keras.layers.Conv2DTranspose(
        2,
        2 * stride,
        stride,
        padding="same",
        kernel_initializer=Bilinear(stride, "identity"),
        data_format="channels_last",
    )
    x = np.random.default_rng(0).standard_normal((2, side, side, 2)).astype("float32")
    table = resampling_matrix(side, side * stride, "bilinear").dense()
    expected = np.einsum("ph,qw,nhwc->npqc", table, table, x)
    inner = slice(stride, -stride)
    np.testing.assert_allclose(
        to_numpy(layer(x))[:, inner, inner], expected[:, inner, inner], atol=1e-5
    )


def test_a_bilinear_start_goes_round_and_names_wrong_arguments():
    first = Bilinear((2, 3), keras.initializers.RandomNormal(seed=3))
    again = keras.initializers.deserialize(keras.initializers.serialize(first))
    shape = (4, 3, 2, 5)
    np.testing.assert_array_equal(to_numpy(first(shape)), to_numpy(again(shape)))
    assert keras.backend.standardize_dtype(Bilinear(2)(shape, dtype="float16").dtype) == "float16"
    with pytest.raises(ValueError, match=r"at least as large.*\(2, 2, 1, 1\)"):
        Bilinear(3)((2, 2, 1, 1))
