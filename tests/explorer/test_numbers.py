"""Every number of the page is the package's, and that of plain loops."""

import json
import math

import numpy as np
import pytest

from polyphase.algebra import checkerboard, equivalence, phases
from polyphase.algebra.blur import blur, border
from polyphase.algebra.geometry import conv_axis, conv_transpose_crop, padding_amounts
from polyphase.algebra.resampling import phase_taps, resampling_matrix
from tests.explorer import oracle
from tests.explorer.cases import cases

CASES = list(cases())
EXACT = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture(scope="module")
def computed(browser, address):
    """Return what the page computes of every case, in one call."""
    opened = browser.new_page()
    opened.goto(address)
    script = "all => JSON.stringify(all.map(one => explorer.compute(explorer.fromHash(one))))"
    found = opened.evaluate(script, [case[0] for case in CASES])
    opened.close()
    return json.loads(found)


def each(computed, *kinds, rank=None):
    """Yield `(address, layer, x, rank, found)` of the cases of some kinds."""
    for (address, layer, x, axes), found in zip(CASES, computed, strict=True):
        if (not kinds or layer["kind"] in kinds) and rank in (None, axes):
            yield address, layer, np.array(x), axes, found


def channelled(kernel, rank):
    """Return a kernel as the package has it: of `rank` axes, one channel in and one out."""
    kernel = np.array(kernel)
    return (kernel if rank == 2 else kernel[0])[..., None, None]


def plain(kernel):
    """Return a kernel of the package as the page has it."""
    return np.atleast_2d(kernel[..., 0, 0])


def crop_of(layer):
    return conv_transpose_crop(layer["k"], layer["s"], layer["padding"], layer["op"])


def test_the_grid_has_every_kind_padding_stride_and_side():
    assert len(CASES) > 1400
    assert {rank for *_, rank in CASES} == {1, 2}


def test_outputs_are_those_of_plain_loops(computed):
    for address, layer, x, rank, found in each(computed):
        expected = oracle.output(layer, x, np.array(found["kernel"]), rank)
        assert np.shape(found["output"]) == expected.shape, address
        np.testing.assert_allclose(found["output"], expected, **EXACT, err_msg=address)


def test_interpolations_are_the_packages_tables(computed):
    for address, layer, x, rank, found in each(computed, "interpolate"):
        for axis in (0, 1)[2 - rank :]:
            sides = x.shape[axis], layer["s"] * x.shape[axis]
            x = resampling_matrix(*sides, layer["interpolation"]).apply(x, axis)
        np.testing.assert_allclose(found["output"], x, **EXACT, err_msg=address)


def test_phases_have_the_packages_taps(computed):
    for address, layer, _, rank, found in each(computed, "interpolate_conv", "conv_transpose"):
        if layer["kind"] == "conv_transpose":
            bank = phases.conv_transpose_phases(layer["k"], layer["s"], crop_of(layer))
        elif layer["interpolation"] == "nearest":
            before, _ = padding_amounts(layer["k"], layer["padding"])
            bank = phases.upsample_conv_phases(layer["k"], layer["s"], before)
        else:
            continue
        split = phases.split(channelled(found["kernel"], rank), *[bank] * rank)
        split = split if rank == 2 else [split]
        for one in found["phases"]:
            p, q = one["phase"]
            expected = plain(split[p][q])
            assert one["gain"] == pytest.approx(expected.sum(), abs=1e-9), address
            if not expected.size:
                assert one["taps"] == [], address
                continue
            assert one["first"] == [bank[p].first if rank == 2 else 0, bank[q].first], address
            np.testing.assert_allclose(one["taps"], expected, **EXACT, err_msg=address)


def test_phases_of_an_interpolation_are_its_rows(computed):
    for address, layer, _, _, found in each(computed, "interpolate", rank=1):
        taps = phase_taps(layer["s"], layer["interpolation"])
        for p, one in enumerate(found["phases"]):
            row = np.zeros(40)
            start = 20 + one["first"][1]
            row[start : start + len(one["taps"][0])] = one["taps"][0]
            expected = np.zeros(40)
            start = 20 + taps.first[p]
            expected[start : start + taps.weights.shape[1]] = taps.weights[p]
            np.testing.assert_allclose(row, expected, **EXACT, err_msg=address)


def gains_of(layer, kernel, rank):
    """Return the package's gains as a table of two axes."""
    strides = (layer["s"],) * rank
    if layer["kind"] == "conv_transpose":
        crop = (crop_of(layer),) * rank
        gains = checkerboard.conv_transpose_gains(channelled(kernel, rank), strides, crop)
    else:
        gains = checkerboard.sub_pixel_gains(sub_pixel_kernel(layer, kernel, rank), strides)
    return gains


def sub_pixel_kernel(layer, kernel, rank):
    """Return blocks of phases as the package has them, the phase in the last axis."""
    s, k = layer["s"], layer["k"]
    kernel = np.array(kernel)
    if rank == 1:
        return kernel.reshape(s, k).T.reshape(k, 1, s)
    return kernel.reshape(s, k, s, k).transpose(1, 3, 0, 2).reshape(k, k, 1, s * s)


def test_gains_chi_and_pattern_are_the_packages(computed):
    for address, layer, _, rank, found in each(computed, "conv_transpose", "sub_pixel"):
        gains, constant = gains_of(layer, found["kernel"], rank), found["constant"]
        np.testing.assert_allclose(constant["gains"], plain(gains), **EXACT, err_msg=address)
        mean = plain(gains).mean()
        assert constant["mean"] == pytest.approx(mean, abs=1e-12), address
        if abs(mean) < 1e-9:
            continue
        chi = checkerboard.checkerboard_gain(gains)
        assert constant["chi"] == pytest.approx(chi, rel=1e-9, abs=1e-12), address
        pattern = np.atleast_2d(checkerboard.pattern(gains))
        np.testing.assert_allclose(constant["pattern"], pattern, 1e-6, 1e-6, err_msg=address)


def test_interpolations_and_what_follows_them_have_no_checkerboard(computed):
    for address, _, _, _, found in each(computed, "interpolate", "interpolate_conv"):
        gains = np.array(found["constant"]["gains"])
        np.testing.assert_allclose(
            gains, np.full_like(gains, gains.mean()), **EXACT, err_msg=address
        )


def test_every_output_gets_as_many_taps_as_the_package_counts(computed):
    for address, layer, _, rank, found in each(computed, "conv_transpose"):
        sizes, strides = (layer["k"],) * rank, (layer["s"],) * rank
        counts = checkerboard.overlap_counts(sizes, strides, (crop_of(layer),) * rank)
        counts, here = np.atleast_2d(counts), np.array(found["overlaps"]["counts"])
        rows, columns = np.indices(here.shape)
        tiled = counts[rows % len(counts), columns % layer["s"]]
        outside = np.array(found["overlaps"]["border"])
        np.testing.assert_array_equal(here[~outside], tiled[~outside], err_msg=address)
        assert (here[outside] < tiled[outside]).all(), address


def test_counts_are_what_ones_make_of_ones(computed):
    for address, layer, x, rank, found in each(computed, "conv_transpose", "sub_pixel"):
        ones = np.ones_like(np.array(found["kernel"]))
        expected = oracle.output(layer, np.ones_like(x), ones, rank)
        np.testing.assert_allclose(found["overlaps"]["counts"], expected, err_msg=address)


def test_spectra_are_numpys_transform(computed):
    for address, _, _, _, found in each(computed):
        output = np.array(found["output"])
        magnitudes = np.abs(np.fft.fft2(output))
        np.testing.assert_allclose(found["spectrum"], magnitudes, 1e-9, 1e-8, err_msg=address)
        rows, columns = np.indices(output.shape)
        for one in found["harmonics"]:
            phase = one["frequency"][0] * rows + one["frequency"][1] * columns
            expected = abs((output * np.exp(-2j * np.pi * phase)).sum())
            assert one["magnitude"] == pytest.approx(expected, abs=1e-8), address


def test_upsampling_and_convolving_is_the_packages_transposed_convolution(computed):
    for address, layer, _, rank, found in each(computed, "interpolate_conv"):
        if layer["interpolation"] != "nearest":
            continue
        kernel = channelled(found["kernel"], rank)
        wide = equivalence.upsample_conv_to_conv_transpose(kernel, (layer["s"],) * rank)
        np.testing.assert_allclose(found["equal"]["kernel"], plain(wide), **EXACT, err_msg=address)
        assert found["equal"]["difference"] < 1e-9, address


def test_the_nearest_upsampling_of_a_transposed_convolution_is_the_packages(computed):
    for address, layer, _, rank, found in each(computed, "conv_transpose"):
        assert found["equal"]["phases"]["difference"] < 1e-9, address
        if layer["k"] < layer["s"]:
            assert found["equal"]["kernel"] is None, address
            continue
        small, residual = equivalence.conv_transpose_to_upsample_conv(
            channelled(found["kernel"], rank), (layer["s"],) * rank
        )
        np.testing.assert_allclose(found["equal"]["kernel"], plain(small), **EXACT, err_msg=address)
        assert found["equal"]["residual"] == pytest.approx(residual, abs=1e-9), address


def test_what_is_left_over_is_what_both_outputs_differ_by(computed):
    for address, layer, x, rank, found in each(computed, "conv_transpose"):
        if layer["k"] < layer["s"]:
            continue
        wide = equivalence.upsample_conv_to_conv_transpose(
            channelled(found["equal"]["kernel"], rank), (layer["s"],) * rank
        )
        other = oracle.output(layer, x, plain(np.swapaxes(wide, -1, -2)), rank)
        np.testing.assert_allclose(found["equal"]["output"], other, **EXACT, err_msg=address)
        greatest = np.abs(np.array(found["output"]) - other).max()
        assert found["equal"]["difference"] == pytest.approx(greatest, abs=1e-9), address


def test_a_sub_pixel_convolution_is_the_packages_transposed_convolution(computed):
    for address, layer, _, rank, found in each(computed, "sub_pixel"):
        kernel = sub_pixel_kernel(layer, found["kernel"], rank)
        wide = equivalence.sub_pixel_to_conv_transpose(kernel, (layer["s"],) * rank)
        np.testing.assert_allclose(found["equal"]["kernel"], plain(wide), **EXACT, err_msg=address)
        assert found["equal"]["difference"] < 1e-9, address


def test_other_interpolations_are_nearest_and_the_packages_blur(computed):
    within = 0
    for address, layer, _, rank, found in each(computed, "interpolate", "interpolate_conv"):
        equal = found["equal"]
        if equal["kind"] != "blurred":
            continue
        q = blur(layer["s"], layer["interpolation"])
        np.testing.assert_allclose(equal["q"], q, **EXACT, err_msg=address)
        axis = conv_axis(layer.get("k", 1), layer.get("padding", "same"))
        before, after = border(axis, q)
        inner = np.array(equal["inner"])
        expected = np.zeros_like(inner)
        rows = slice(before, inner.shape[0] - after) if rank == 2 else slice(None)
        if inner.shape[1] > before + after and (rank == 1 or inner.shape[0] > before + after):
            expected[rows, before : inner.shape[1] - after] = True
        np.testing.assert_array_equal(inner, expected, err_msg=address)
        assert equal["difference"] < 1e-9, address
        within += equal["within"]
    assert within > 100


def test_random_weights_are_keras_first_ones_and_differ_by_seed(computed):
    seen = set()
    for address, layer, _, rank, found in each(computed, "conv_transpose"):
        kernel = np.array(found["kernel"])
        limit = math.sqrt(6 / (2 * layer["k"] ** rank))
        assert np.abs(kernel).max() <= limit + 0.005, address
        seen.add(kernel.tobytes())
    assert len(seen) > 100
