import numpy as np
import pytest

from polyphase.algebra.kernels import get
from polyphase.algebra.resampling import (
    ResamplingMatrix,
    phase_taps,
    resampling_matrix,
    resampling_table,
)

from . import oracles
from .oracles import assert_close, noise

NAMES = sorted(oracles.PHI)
FACTORS = (1, 2, 3, 4)
# Sides 1, odd and even; integer factors 1-4 and scales such as 5/3 and 9/8.
SIDES = sorted(
    {(n, s * n) for n in (1, 2, 3, 5, 8, 13) for s in FACTORS}
    | {(1, 5), (2, 3), (2, 7), (3, 5), (4, 6), (5, 7), (5, 12), (8, 9), (7, 20), (12, 13)}
)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_applies_the_formula(name):
    for length, out_length in SIDES:
        x = noise(length)
        expected = oracles.resample(list(x), out_length, oracles.PHI[name])
        assert_close(resampling_matrix(length, out_length, name).apply(x), expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_matrix_is_the_zero_padded_filter_divided_by_its_row_sums(name):
    for length, out_length in SIDES:
        padded = oracles.zero_padded_filter(length, out_length, oracles.PHI[name])
        expected = np.diag(1 / (padded @ np.ones(length))) @ padded
        assert_close(resampling_matrix(length, out_length, name).dense(), expected)


@pytest.mark.parametrize("name", NAMES)
def test_rows_sum_to_1_within_an_ulp_per_tap_and_constants_stay(name):
    for length, out_length in SIDES:
        table = resampling_matrix(length, out_length, name)
        bound = get(name).diameter * np.finfo(np.float64).eps
        np.testing.assert_allclose(table.weights.sum(axis=1), 1, rtol=0, atol=bound)
        np.testing.assert_allclose(table.dense().sum(axis=1), 1, rtol=0, atol=bound)
        assert_close(table.apply(np.full(length, -7.25)), np.full(out_length, -7.25))


@pytest.mark.parametrize("name", NAMES)
def test_weights_outside_the_image_are_0_and_rows_are_as_wide_as_the_kernel(name):
    for length, out_length in SIDES:
        table = resampling_matrix(length, out_length, name)
        assert table.weights.shape == (out_length, get(name).diameter)
        assert table.first.shape == (out_length,)
        column = table.first[:, None] + np.arange(get(name).diameter)
        assert not table.weights[(column < 0) | (column >= length)].any()


@pytest.mark.parametrize("name", NAMES)
def test_dense_apply_and_adjoint_are_one_matrix(name):
    for length, out_length in SIDES:
        table = resampling_matrix(length, out_length, name)
        x, y = noise(length, 3), noise(out_length, 3, seed=1)
        assert_close(table.apply(x), table.dense() @ x)
        assert_close(table.adjoint(y), table.dense().T @ y)
        assert_close(np.vdot(table.apply(x), y), np.vdot(x, table.adjoint(y)))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_apply_and_adjoint_work_along_any_axis(axis):
    x = noise(3, 4, 5)
    table = resampling_matrix(x.shape[axis], 9, "bicubic")
    y = table.apply(x, axis=axis)
    assert_close(y, np.moveaxis(np.tensordot(table.dense(), x, (1, axis)), 0, axis))
    back = np.moveaxis(np.tensordot(table.dense().T, y, (1, axis)), 0, axis)
    assert_close(table.adjoint(y, axis=axis), back)


def test_taps_outside_the_image_may_overhang_at_both_ends():
    """A table with repeated and overhanging columns keeps dense, apply and adjoint alike."""
    table = ResamplingMatrix(np.array([-3, -1, 1]), np.array([[0, 0], [0, 2], [3, 0.0]]), 2)
    expected = np.array([[0, 0], [2, 0], [0, 3]])
    np.testing.assert_array_equal(table.dense(), expected)
    np.testing.assert_array_equal(table.apply(np.array([5, 7])), [0, 10, 21])
    np.testing.assert_array_equal(table.adjoint(np.array([1, 10, 100])), [20, 300])


def test_nearest_repeats_pixels_bit_for_bit():
    for length in (1, 2, 3, 8, 13):
        for factor in FACTORS:
            x = noise(length)
            expected = np.array([x[n // factor] for n in range(factor * length)])
            table = resampling_matrix(length, factor * length, "nearest")
            np.testing.assert_array_equal(table.apply(x), expected)


def test_nearest_takes_the_later_pixel_where_two_are_equally_near():
    assert resampling_matrix(2, 3, "nearest").first.tolist() == [0, 1, 1]
    assert resampling_matrix(3, 5, "nearest").first.tolist() == [0, 0, 1, 2, 2]


def test_bilinear_renormalised_is_bilinear_clamped_at_the_edge():
    for length, out_length in SIDES:
        x = noise(length)
        expected = []
        for n in range(out_length):
            c = min(max(oracles.centre(n, length, out_length), 0), length - 1)
            left = int(c)
            right = min(left + 1, length - 1)
            expected.append(float(left + 1 - c) * x[left] + float(c - left) * x[right])
        table = resampling_matrix(length, out_length, "bilinear")
        assert_close(table.apply(x), np.array(expected))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mitchell"])
def test_scale_1_is_the_identity(name):
    for length in (1, 2, 7):
        assert_close(resampling_matrix(length, length, name).dense(), np.eye(length))


@pytest.mark.parametrize("name", NAMES)
def test_mirroring_the_input_mirrors_the_output(name):
    for length, factor in [(1, 3), (2, 2), (5, 3), (8, 4)]:
        dense = resampling_matrix(length, factor * length, name).dense()
        assert_close(dense, dense[::-1, ::-1])


@pytest.mark.parametrize(("name", "degree"), [("bilinear", 1), ("mitchell", 1), ("bicubic", 2)])
def test_polynomials_are_reproduced_away_from_the_edges(name, degree):
    for factor in (2, 3, 4):
        c = (np.arange(12 * factor) + 0.5) / factor - 0.5
        y = resampling_matrix(12, 12 * factor, name).apply(np.arange(12.0) ** degree)
        inside = (c > 2) & (c < 9)
        assert_close(y[inside], c[inside] ** degree)


@pytest.mark.parametrize("name", NAMES)
def test_away_from_the_edges_every_position_has_the_same_phase_taps(name):
    x = noise(16)
    for factor in FACTORS:
        phases = phase_taps(factor, name)
        assert len(phases.first) == len(phases.weights) == factor
        np.testing.assert_allclose(phases.weights.sum(axis=1), 1, rtol=0, atol=1e-14)
        dense = resampling_matrix(16, 16 * factor, name).dense()
        expected = oracles.resample(list(x), 16 * factor, oracles.PHI[name])
        for i in range(5, 11):
            for p, first in enumerate(phases.first):
                taps = {i + first + t: w for t, w in enumerate(phases.weights[p])}
                row = np.array([taps.get(j, 0.0) for j in range(16)])
                assert_close(dense[factor * i + p], row)
                assert_close(sum(w * x[j] for j, w in taps.items()), expected[factor * i + p])


def test_known_phase_taps_of_bilinear():
    phases = phase_taps(3, "bilinear")
    assert phases.first == (-1, 0, 0)
    assert_close(phases.weights, np.array([[1, 2], [3, 0], [2, 1]]) / 3)


def test_the_table_made_from_array_scalars_is_the_cached_one():
    table = resampling_matrix(5, 8, "lanczos3")
    first, weights = resampling_table(get("lanczos3"), np.int64(5), np.int64(8))
    np.testing.assert_array_equal(first, table.first)
    np.testing.assert_array_equal(weights, table.weights)


def test_cached_tables_cannot_be_written():
    for array in (
        resampling_matrix(3, 6, "bilinear").first,
        resampling_matrix(3, 6, "bilinear").weights,
        phase_taps(2, "bilinear").weights,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


@pytest.mark.parametrize(("length", "out_length"), [(0, 4), (4, 3), (-1, 2)])
def test_impossible_sides_are_refused(length, out_length):
    expected = rf"Received: input side {length}, output side {out_length}\."
    with pytest.raises(ValueError, match=expected):
        resampling_matrix(length, out_length, "bilinear")


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation='spline'"):
        resampling_matrix(2, 4, "spline")


def test_nearest_copies_every_pixel_by_every_factor_to_512():
    for factor in range(1, 513):
        for length in (1, 3, 64, 600 if factor % 16 == 0 else 41):
            first = resampling_matrix(length, factor * length, "nearest").first
            np.testing.assert_array_equal(first, np.repeat(np.arange(length), factor))
        resampling_matrix.cache_clear()
