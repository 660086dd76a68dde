"""Sampling is linear interpolation between pixels, by loops, on every backend; gradients too."""

import itertools
import math

import keras
import numpy as np
import pytest

import polyphase as pp
from tests.gradients import precision, to_numpy, vjp
from tests.ops import cases


def loops(x, coordinates, groups):
    """Return the sampled image, in float64."""
    rank, sides = x.ndim - 2, x.shape[1:-1]
    y = np.zeros((*coordinates.shape[:-1], x.shape[-1]))
    for n, *place in itertools.product(*map(range, y.shape[:-1])):
        for c in range(x.shape[-1]):
            group = c // (x.shape[-1] // groups)
            where = coordinates[(n, *place)][group * rank : (group + 1) * rank]
            inside = [min(max(a, 0), side - 1) for a, side in zip(where, sides, strict=True)]
            for pixel in itertools.product(*map(range, sides)):
                pairs = zip(inside, pixel, strict=True)
                weight = math.prod(max(0.0, 1 - abs(a - b)) for a, b in pairs)
                y[(n, *place, c)] += weight * x[(n, *pixel, c)]
    return y


CASES = {
    "image": ((3, 4), (5, 2), 1),
    "groups": ((3, 4), (2, 3), 2),
    "one pixel": ((1, 1), (2, 2), 1),
    "one row": ((1, 4), (2, 2), 4),
    "signal": ((5,), (7,), 2),
    "volume": ((2, 3, 2), (2, 2, 3), 1),
}


def places(name, seed=1):
    """Return coordinates within and beyond the image, none whole: a kink has no gradient."""
    sides, out, groups = CASES[name]
    random = np.random.default_rng(seed)
    whole = [random.integers(-2, side + 1, (2, *out, groups)) for side in sides]
    parts = random.uniform(0.1, 0.9, (2, *out, groups * len(sides)))
    return np.stack(whole, axis=-1).reshape(parts.shape) + parts


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_linear_between_pixels_and_so_are_its_gradients(name, data_format):
    sides, out, groups = CASES[name]
    x, where = cases.noise(0, 2, *sides, 4), places(name)
    upstream = cases.noise(2, 2, *out, 4)
    arrays = [cases.to_format(one, data_format) for one in (x, where)]
    y, (to_x, to_where), _ = vjp(
        lambda x, where: pp.ops.sample(x, where, groups, data_format),
        arrays,
        cases.to_format(upstream, data_format),
    )
    np.testing.assert_allclose(
        cases.from_format(y, data_format), loops(x, where, groups), rtol=0, atol=2e-6
    )
    other = cases.noise(3, *x.shape)
    inner = np.sum(cases.from_format(to_x, data_format) * other)
    assert inner == pytest.approx(np.sum(loops(other, where, groups) * upstream), abs=1e-4)
    step = 1e-4
    moved = np.zeros_like(where)
    for at in itertools.product(*map(range, where.shape)):
        moved[at] = step
        slope = (loops(x, where + moved, groups) - loops(x, where - moved, groups)) / (2 * step)
        moved[at] = 0
        found = cases.from_format(to_where, data_format)[at]
        assert found == pytest.approx(np.sum(slope * upstream), abs=1e-4)


def test_whole_coordinates_are_the_pixels_themselves():
    x = cases.noise(0, 1, 3, 4, 2).astype("float32")
    where = np.stack(np.meshgrid(range(3), range(4), indexing="ij"), axis=-1)[None]
    np.testing.assert_array_equal(to_numpy(pp.ops.sample(x, where)), x)


def test_where_bilinear_upsampling_reads_is_bilinear_upsampling():
    x = cases.noise(0, 2, 3, 5, 2).astype("float32")
    rows, columns = ((np.arange(side * s) + 0.5) / s - 0.5 for side, s in ((3, 2), (5, 3)))
    where = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    where = np.tile(where[None], (2, 1, 1, 1)).astype("float32")
    expected = pp.ops.upsample(x, (2, 3), "bilinear")
    np.testing.assert_allclose(
        to_numpy(pp.ops.sample(x, where)), to_numpy(expected), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30])
def test_what_is_no_place_changes_no_other_pixel(wrong):
    x = cases.noise(0, 1, 3, 4, 2).astype("float32")
    where = places("image")[:1].astype("float32")
    y = to_numpy(pp.ops.sample(x, where))
    where[0, 2, 1, 0] = wrong
    z = to_numpy(pp.ops.sample(x, where))
    assert np.isnan(z[0, 2, 1]).all() == np.isnan(wrong)
    z[0, 2, 1] = y[0, 2, 1]
    np.testing.assert_array_equal(y, z)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int32"])
def test_an_image_keeps_its_float_dtype(dtype):
    with precision(dtype):
        x = keras.ops.cast(cases.noise(0, 1, 3, 4, 2) * 9, dtype)
        y = pp.ops.sample(x, places("image")[:1].astype("float32"))
    expected = "float32" if dtype == "int32" else dtype
    assert keras.backend.standardize_dtype(y.dtype) == expected


@pytest.mark.parametrize(
    ("coordinates", "groups", "words"),
    [
        ((2, 5, 6, 3), 1, "2 numbers per pixel"),
        ((3, 5, 6, 2), 1, "of the image's batch"),
        ((2, 5, 2), 1, "batch and rank"),
        ((2, 5, 6, 6), 3, "`groups` must be a positive integer that divides the channels, 4"),
    ],
)
def test_coordinates_that_do_not_fit_are_said_in_a_sentence(coordinates, groups, words):
    with pytest.raises(ValueError, match=words):
        pp.ops.sample(np.ones((2, 3, 4, 4)), np.ones(coordinates), groups)
