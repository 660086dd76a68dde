import itertools
import math

import numpy as np
import pytest

from polyphase.algebra.checkerboard import (
    checkerboard_gain,
    conv_transpose_gains,
    overlap_counts,
    pattern,
    repair,
    repair_sub_pixel,
    sub_pixel_gains,
)
from polyphase.algebra.equivalence import (
    sub_pixel_to_conv_transpose,
    upsample_conv_to_conv_transpose,
)
from polyphase.algebra.resampling import resampling_matrix

from . import oracles
from .oracles import assert_close, noise

CASES = [
    (sizes, strides)
    for sizes in [(2, 2), (3, 3), (4, 4), (5, 4), (6, 3)]
    for strides in [(1, 1), (2, 2), (2, 1), (2, 3), (3, 3)]
    if sizes[0] >= strides[0] and sizes[1] >= strides[1]
]
DIVISIBLE = [case for case in CASES if all(k % s == 0 for k, s in zip(*case, strict=True))]


def chi(kernel, strides):
    return checkerboard_gain(conv_transpose_gains(kernel, strides))


def responses(kernel, strides):
    """Return one period `(s_h, s_w, c_in, c_out)` of the outputs of constant inputs.

    One constant image for each input channel, scattered, read where every tap has an input.
    """
    starts = [-(-k // s) * s for k, s in zip(kernel.shape, strides, strict=False)]
    sides = [start // s + 2 for start, s in zip(starts, strides, strict=True)]
    period = tuple(slice(start, start + s) for start, s in zip(starts, strides, strict=True))
    images = np.eye(kernel.shape[3])[:, None, None, :] * np.ones((1, *sides, 1))
    outputs = [oracles.scatter(image, kernel, strides)[period] for image in images]
    return np.stack(outputs, axis=2)


@pytest.mark.parametrize(("sizes", "strides"), CASES)
def test_the_gains_are_the_responses_to_constant_inputs(sizes, strides):
    kernel = noise(*sizes, 3, 2)
    assert_close(conv_transpose_gains(kernel, strides), responses(kernel, strides))


@pytest.mark.parametrize(("sizes", "strides"), CASES)
def test_constant_in_is_constant_out_if_and_only_if_chi_is_0(sizes, strides):
    kernel = noise(*sizes, 3, 2)
    for candidate in (kernel, repair(kernel, strides)):
        spread = np.ptp(responses(candidate, strides), axis=(0, 1)).max()
        assert (spread < 1e-12) == (chi(candidate, strides) < 1e-12)
    assert (chi(kernel, strides) < 1e-12) == (strides == (1, 1))


def test_chi_is_the_stated_ratio():
    gains = noise(2, 3, 4, 2)
    pairs = list(itertools.product(range(2), range(3)))
    mean = sum(gains[p] for p in pairs) / 6
    spread = sum(np.linalg.norm(gains[p] - mean) ** 2 for p in pairs) / 6
    assert_close(checkerboard_gain(gains), np.sqrt(spread) / np.linalg.norm(mean))


def test_chi_does_not_depend_on_the_kernels_scale():
    kernel = noise(3, 3, 2, 2)
    assert_close(chi(1000 * kernel, (2, 2)), chi(kernel, (2, 2)))


def test_chi_is_0_without_signal_and_infinite_where_there_is_nothing_but_pattern():
    assert checkerboard_gain(np.zeros((2, 2, 1, 1))) == 0
    assert checkerboard_gain(np.array([1.0, -1.0]).reshape(1, 2, 1, 1)) == np.inf


def test_overlap_counts_count_the_taps_that_reach_each_phase():
    for k_h, k_w, s_h, s_w in itertools.product(range(1, 7), (1, 4), range(1, 5), (2, 3)):
        counts = overlap_counts((k_h, k_w), (s_h, s_w))
        expected = np.zeros((s_h, s_w))
        for a, b in itertools.product(range(k_h), range(k_w)):
            expected[a % s_h, b % s_w] += 1
        np.testing.assert_array_equal(counts, expected)


def test_uneven_overlap_makes_even_a_constant_kernel_checker():
    for k, s in itertools.product(range(1, 9), range(1, 5)):
        assert (chi(np.ones((k, k, 2, 3)), (s, s)) > 1e-3) == (k % s != 0)


def test_a_phase_without_a_tap_has_gain_0():
    gains = conv_transpose_gains(noise(1, 2, 3, 2), (2, 2))
    assert gains.shape == (2, 2, 2, 3)
    assert gains[0].all()
    assert not gains[1].any()


@pytest.mark.parametrize(("sizes", "strides"), CASES)
def test_repair_makes_chi_0_keeps_the_mean_gain_and_is_idempotent(sizes, strides):
    kernel = noise(*sizes, 3, 2)
    before = kernel.copy()
    calm = repair(kernel, strides)
    np.testing.assert_array_equal(kernel, before)
    assert chi(calm, strides) < 1e-14
    mean = responses(kernel, strides).mean(axis=(0, 1))
    assert_close(responses(calm, strides).mean(axis=(0, 1)), mean)
    np.testing.assert_allclose(repair(calm, strides), calm, rtol=0, atol=1e-14)


def phase_sums(sizes, strides):
    """Return the matrix that sums the taps of every phase pair of a flattened kernel."""
    matrix = np.zeros((strides[0] * strides[1], sizes[0] * sizes[1]))
    for a, b in itertools.product(range(sizes[0]), range(sizes[1])):
        matrix[(a % strides[0]) * strides[1] + b % strides[1], a * sizes[1] + b] = 1
    return matrix


@pytest.mark.parametrize(("sizes", "strides"), CASES)
def test_repair_is_the_least_change_that_gives_every_phase_the_mean_gain(sizes, strides):
    kernel = noise(*sizes, 3, 2)
    flat = kernel.reshape(-1, 6)
    sums = phase_sums(sizes, strides)
    wanted = (sums @ flat).mean(axis=0) - sums @ flat
    change = np.linalg.lstsq(sums, wanted, rcond=None)[0]  # of least norm
    assert_close(repair(kernel, strides).reshape(flat.shape), flat + change)


@pytest.mark.parametrize(("sizes", "strides"), CASES)
def test_repair_is_the_projection_onto_chi_0_if_and_only_if_the_overlap_is_even(sizes, strides):
    """With uneven overlap the projection would shift the mean gain, and is not wanted."""
    kernel = noise(*sizes, 3, 2)
    flat = kernel.reshape(-1, 6)
    sums = phase_sums(sizes, strides)
    differences = sums - sums.mean(axis=0)
    projected = flat - np.linalg.pinv(differences) @ differences @ flat
    assert chi(projected.reshape(kernel.shape), strides) < 1e-13
    distance = np.abs(repair(kernel, strides).reshape(flat.shape) - projected).max()
    assert (distance < 1e-12) == ((sizes, strides) in DIVISIBLE)


@pytest.mark.parametrize(("sizes", "strides"), [((1, 3), (2, 2)), ((4, 2), (2, 3))])
def test_a_phase_without_a_tap_cannot_be_repaired(sizes, strides):
    expected = rf"kernel size \({sizes[0]}, {sizes[1]}\), strides \({strides[0]}, {strides[1]}\)\."
    with pytest.raises(ValueError, match=expected):
        repair(np.ones((*sizes, 1, 1)), strides)


@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (3, 2)])
def test_sub_pixel_gains_are_the_responses_to_constant_inputs(factor):
    w = noise(3, 4, 2, factor[0] * factor[1] * 3)
    gains = sub_pixel_gains(w, factor)
    assert gains.shape == (*factor, 2, 3)
    for channel in range(2):
        x = np.zeros((5, 6, 2))
        x[:, :, channel] = 1
        y = oracles.depth_to_space(oracles.convolve(x, w, "valid"), factor)
        assert_close(gains[:, :, channel], y[: factor[0], : factor[1]])
    assert_close(gains, conv_transpose_gains(sub_pixel_to_conv_transpose(w, factor), factor))


def test_equal_sub_pixel_phases_are_free_of_checkerboards_and_others_are_not():
    """The ICNR start: the same filter in all phases is nearest upsampling after a convolution."""
    w = noise(3, 3, 2, 3)
    equal = np.concatenate([w] * 6, axis=3)
    assert checkerboard_gain(sub_pixel_gains(equal, (2, 3))) < 1e-14
    x = noise(4, 5, 2)
    y = oracles.depth_to_space(oracles.convolve(x, equal, "same"), (2, 3))
    np.testing.assert_array_equal(y, oracles.repeat(oracles.convolve(x, w, "same"), (2, 3)))
    assert checkerboard_gain(sub_pixel_gains(noise(3, 3, 2, 18), (2, 3))) > 0.1


def test_upsampling_then_convolution_never_checkers():
    for k, s in itertools.product(range(1, 8), range(1, 6)):
        kernel = upsample_conv_to_conv_transpose(noise(k, k % 3 + 1, 3, 2), (s, s % 3 + 1))
        assert chi(kernel, (s, s % 3 + 1)) < 1e-13


@pytest.mark.parametrize("name", sorted(oracles.PHI))
def test_constants_stay_constant_through_any_interpolation_and_kernel(name):
    w = noise(3, 4, 2, 3)
    for scale in (2, 3, 1.5):
        table = resampling_matrix(6, int(6 * scale), name)
        up = table.apply(table.apply(np.ones((6, 6, 2)) * [2.0, -3.0], axis=0), axis=1)
        y = oracles.convolve(up, w, "valid")
        assert_close(y, np.broadcast_to(y[0, 0], y.shape))


def test_gains_and_repairs_of_a_float32_kernel_are_float64():
    kernel = noise(3, 3, 2, 2).astype(np.float32)
    assert conv_transpose_gains(kernel, (2, 2)).dtype == np.float64
    assert repair(kernel, (2, 2)).dtype == np.float64


@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (3, 2)])
def test_sub_pixel_repair_is_that_of_the_transposed_convolution_it_equals(factor):
    w = noise(3, 4, 2, factor[0] * factor[1] * 3)
    calm = repair_sub_pixel(w, factor)
    assert checkerboard_gain(sub_pixel_gains(calm, factor)) < 1e-14
    assert_close(repair_sub_pixel(calm, factor), calm)
    as_transposed = sub_pixel_to_conv_transpose(w, factor)
    assert_close(sub_pixel_to_conv_transpose(calm, factor), repair(as_transposed, factor))


@pytest.mark.parametrize("strides", [(2, 2), (3, 2), (1, 4)])
def test_the_pattern_of_one_channel_is_its_response_to_a_constant(strides):
    for seed in range(5):
        gains = np.random.default_rng(seed).standard_normal((*strides, 1, 1)) + 0.5
        assert_close(pattern(gains), gains[:, :, 0, 0] / gains.mean())


def test_the_pattern_is_the_strongest_component_over_the_phases():
    generator = np.random.default_rng(1)
    board = np.array([[1.0, -1.0], [-1.0, 1.0]])
    mean = generator.standard_normal((3, 4))
    gains = mean + board[:, :, None, None] * 0.2 * mean
    gains += 0.01 * generator.standard_normal(gains.shape)
    found = pattern(gains)
    np.testing.assert_allclose(found, 1 + 0.2 * board, atol=0.02)
    assert np.mean((found - 1) ** 2) <= checkerboard_gain(gains) ** 2


def test_the_pattern_of_even_gains_is_flat():
    np.testing.assert_array_equal(pattern(np.ones((2, 3, 2, 2))), np.ones((2, 3)))


@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (3, 2)])
def test_the_order_of_a_sub_pixel_convolutions_channels_only_names_them(factor):
    """Of "crd" channel `(k*s_h + p)*s_w + q` is what `(p*s_w + q)*c + k` is of "dcr"."""
    w = noise(3, 4, 2, factor[0] * factor[1] * 3)
    crd = np.empty_like(w)
    for p, q, k in np.ndindex(*factor, 3):
        crd[..., (k * factor[0] + p) * factor[1] + q] = w[..., (p * factor[1] + q) * 3 + k]
    np.testing.assert_array_equal(sub_pixel_gains(crd, factor, "crd"), sub_pixel_gains(w, factor))
    np.testing.assert_array_equal(
        sub_pixel_to_conv_transpose(crd, factor, "crd"), sub_pixel_to_conv_transpose(w, factor)
    )
    calm = repair_sub_pixel(crd, factor, "crd")
    assert_close(
        sub_pixel_gains(calm, factor, "crd"), sub_pixel_gains(repair_sub_pixel(w, factor), factor)
    )
    assert checkerboard_gain(sub_pixel_gains(calm, factor, "crd")) < 1e-14
    with pytest.raises(ValueError, match="`order` must be one of dcr, crd"):
        sub_pixel_gains(w, factor, "cdr")


@pytest.mark.parametrize("crop", [(0, 0), (1, 2), (4, 3)])
def test_cropping_rolls_the_phases_of_a_transposed_convolution(crop):
    kernel, strides = noise(4, 5, 2, 3), (2, 3)
    for read in (
        lambda crop: conv_transpose_gains(kernel, strides, crop),
        lambda crop: overlap_counts((4, 5), strides, crop),
    ):
        rolled = np.roll(read((0, 0)), (-crop[0], -crop[1]), axis=(0, 1))
        np.testing.assert_array_equal(read(crop), rolled)


@pytest.mark.parametrize("rank", [1, 3])
def test_gains_and_repair_of_signals_and_volumes(rank):
    taps, strides, crop = ((3, 4, 3)[:rank], (2, 3, 1)[:rank], (1, 2, 0)[:rank])
    kernel, ones = noise(*taps, 3, 2), np.ones((*taps, 1, 1))
    inner = tuple(slice(s * 2 + c, s * 3 + c) for s, c in zip(strides, crop, strict=True))
    for channel in range(2):
        x = np.zeros((*(6,) * rank, 2))
        x[..., channel] = 1
        period = oracles.scatter(x, kernel, strides)[inner]
        gains = conv_transpose_gains(kernel, strides, crop)
        assert_close(gains[..., channel, :], period)
    counts = oracles.scatter(np.ones((*(6,) * rank, 1)), ones, strides)[inner][..., 0]
    np.testing.assert_array_equal(overlap_counts(taps, strides, crop), counts)
    assert checkerboard_gain(gains) > 0.1
    calm = conv_transpose_gains(repair(kernel, strides), strides)
    assert checkerboard_gain(calm) < 1e-12
    assert_close(calm, np.broadcast_to(gains.mean(axis=tuple(range(rank))), calm.shape))
    assert pattern(gains).shape == strides
    sub_pixel = noise(*taps, 2, 3 * math.prod(strides))
    x = np.ones((*(6,) * rank, 2))
    y = oracles.depth_to_space(oracles.convolve(x, sub_pixel, "valid"), strides)
    period = y[tuple(slice(s) for s in strides)]
    assert_close(sub_pixel_gains(sub_pixel, strides).sum(axis=-2), period)
    assert checkerboard_gain(sub_pixel_gains(repair_sub_pixel(sub_pixel, strides), strides)) < 1e-12
