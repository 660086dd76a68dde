import math

import numpy as np
import pytest

from polyphase.algebra import equivalence
from polyphase.algebra.geometry import conv_transpose_crop, conv_transpose_length

from . import oracles
from .oracles import assert_close, noise


def crops(sizes, padding):
    """Return the crops `(in front, behind)` per axis: `k-1-pl` and `pl`; `k-1` for valid."""
    if padding == "valid":
        return [(k - 1, k - 1) for k in sizes]
    return [(k - 1 - (k - 1) // 2, (k - 1) // 2) for k in sizes]


def cropped(z, amounts):
    (top, bottom), (left, right) = amounts
    return z[top : z.shape[0] - bottom, left : z.shape[1] - right]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("factor", range(1, 6))
@pytest.mark.parametrize("kernel_size", range(1, 8))
def test_nearest_upsampling_then_convolution_is_a_transposed_convolution(
    kernel_size, factor, padding
):
    sizes, factors = (kernel_size, kernel_size % 7 + 1), (factor, factor % 5 + 1)
    x, w = noise(7, 8, 3), noise(*sizes, 3, 2)
    kernel = equivalence.upsample_conv_to_conv_transpose(w, factors)
    assert kernel.shape == (sizes[0] + factors[0] - 1, sizes[1] + factors[1] - 1, 2, 3)
    y = cropped(oracles.scatter(x, kernel, factors), crops(sizes, padding))
    assert_close(y, oracles.upsample_conv(x, w, factors, padding))


def test_the_crop_is_the_stated_one():
    for k in range(1, 8):
        for padding in ("same", "valid"):
            assert [equivalence.upsample_conv_crop(k, padding)] == crops([k], padding)


def test_for_odd_kernels_keras_same_crops_exactly_so_and_for_even_ones_a_sample_less():
    for k in range(1, 8):
        for s in range(1, 6):
            front, _ = equivalence.upsample_conv_crop(k, "same")
            keras = conv_transpose_crop(k + s - 1, s, "same")
            assert keras == front - (k % 2 == 0)
            assert conv_transpose_length(9, k + s - 1, s, "same") == 9 * s


def test_nearest_x2_and_3x3_is_a_4x4_transposed_convolution():
    kernel = equivalence.upsample_conv_to_conv_transpose(np.ones((3, 3, 1, 1)), (2, 2))
    line = [1, 2, 2, 1]
    np.testing.assert_array_equal(kernel[:, :, 0, 0], np.outer(line, line))


def test_the_map_of_one_axis_is_the_stated_sum():
    """`W[m] = sum_r w[pl + r - m]`, `m = -(k-1-pl) .. pl + s - 1`, for `same` and for `valid`."""
    for k in range(1, 8):
        for s in range(1, 6):
            w = noise(k)
            for front in ((k - 1) // 2, 0):
                expected = [
                    sum(w[front + r - m] for r in range(s) if 0 <= front + r - m < k)
                    for m in range(-(k - 1 - front), front + s)
                ]
                assert_close(equivalence.transposed_taps(k, s) @ w, np.array(expected))


def dense_map(sizes, factor):
    """Return the map `w -> W` of one channel pair, column by column, by the stated sum."""
    shape = [k + s - 1 for k, s in zip(sizes, factor, strict=True)]
    columns = []
    for a, b in np.ndindex(*sizes):
        image = np.zeros(shape)
        for r, q in np.ndindex(*factor):
            image[sizes[0] - 1 + r - a, sizes[1] - 1 + q - b] += 1
        columns.append(image.ravel())
    return np.array(columns).T


def test_in_the_image_the_kernel_comes_back_exactly():
    for k in range(1, 8):
        for s in range(1, 6):
            sizes, factor = (k, k % 4 + 1), (s, s % 3 + 1)
            w = noise(*sizes, 3, 2)
            image = equivalence.upsample_conv_to_conv_transpose(w, factor)
            expected = np.einsum("pa,aio->poi", dense_map(sizes, factor), w.reshape(-1, 3, 2))
            assert_close(image.reshape(expected.shape), expected)
            back, residual = equivalence.conv_transpose_to_upsample_conv(image, factor)
            assert back.shape == w.shape
            assert_close(back, w)
            assert residual < 1e-13


@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (2, 3), (3, 1)])
def test_an_arbitrary_kernel_gives_the_least_squares_solution_and_its_residual(factor):
    for sizes in [(3, 3), (4, 5), (6, 3)]:
        kernel = noise(*sizes, 2, 3)
        fitted = [size - s + 1 for size, s in zip(sizes, factor, strict=True)]
        matrix = dense_map(fitted, factor)
        target = kernel.reshape(-1, 6)
        solution = np.linalg.lstsq(matrix, target, rcond=None)[0]
        w, residual = equivalence.conv_transpose_to_upsample_conv(kernel, factor)
        assert_close(w, solution.reshape(*fitted, 2, 3).swapaxes(2, 3))
        error = np.sqrt(((target - matrix @ solution) ** 2).sum() / (target**2).sum())
        assert_close(residual, error)
        assert (residual > 1e-3) == (factor != (1, 1))


def test_a_zero_kernel_has_residual_0():
    w, residual = equivalence.conv_transpose_to_upsample_conv(np.zeros((4, 4, 1, 1)), (2, 2))
    assert residual == 0
    assert not w.any()


def test_a_kernel_of_the_strides_size_becomes_1x1():
    w, _ = equivalence.conv_transpose_to_upsample_conv(noise(2, 3, 2, 2), (2, 3))
    assert_close(w[0, 0], noise(2, 3, 2, 2).mean(axis=(0, 1)).T)


@pytest.mark.parametrize(("sizes", "factor"), [((2, 4), (3, 3)), ((4, 1), (2, 2))])
def test_a_kernel_smaller_than_its_stride_is_refused(sizes, factor):
    expected = rf"kernel size \({sizes[0]}, {sizes[1]}\), strides \({factor[0]}, {factor[1]}\)\."
    with pytest.raises(ValueError, match=expected):
        equivalence.conv_transpose_to_upsample_conv(np.ones((*sizes, 1, 1)), factor)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (3, 2), (2, 4)])
def test_a_sub_pixel_convolution_is_a_transposed_convolution_s_times_as_large(factor, padding):
    """The crops are `s (k-1-pl)` in front and `s pl` behind."""
    for sizes in [(1, 1), (3, 3), (2, 3), (5, 4)]:
        x, w = noise(5, 6, 2), noise(*sizes, 2, factor[0] * factor[1] * 3)
        expected = oracles.depth_to_space(oracles.convolve(x, w, padding), factor)
        kernel = equivalence.sub_pixel_to_conv_transpose(w, factor)
        assert kernel.shape == (factor[0] * sizes[0], factor[1] * sizes[1], 3, 2)
        amounts = [
            (s * front, s * behind)
            for s, (front, behind) in zip(factor, crops(sizes, padding), strict=True)
        ]
        assert_close(cropped(oracles.scatter(x, kernel, factor), amounts), expected)
        np.testing.assert_array_equal(np.sort(kernel.ravel()), np.sort(w.ravel()))


@pytest.mark.parametrize("rank", [1, 3])
def test_all_three_forms_of_signals_and_volumes(rank):
    taps, factor, space = ((3, 2, 4)[:rank], (2, 3, 1)[:rank], (4, 2, 3)[:rank])
    x, w = noise(*space, 2), noise(*taps, 2, 3)
    transposed = equivalence.upsample_conv_to_conv_transpose(w, factor)
    crop = [equivalence.upsample_conv_crop(k, "same")[0] for k in taps]
    shape = [n * s for n, s in zip(space, factor, strict=True)]
    y = oracles.window(oracles.scatter(x, transposed, factor), crop, shape)
    assert_close(y, oracles.upsample_conv(x, w, factor, "same"))
    back, residual = equivalence.conv_transpose_to_upsample_conv(transposed, factor)
    assert_close(back, w)
    assert residual < 1e-12
    w = noise(*taps, 2, 3 * math.prod(factor))
    moved = equivalence.sub_pixel_to_conv_transpose(w, factor)
    crop = [s * (k - 1 - (k - 1) // 2) for s, k in zip(factor, taps, strict=True)]
    y = oracles.window(oracles.scatter(x, moved, factor), crop, shape)
    assert_close(y, oracles.depth_to_space(oracles.convolve(x, w, "same"), factor))
