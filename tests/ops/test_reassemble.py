"""Reassembly is the formula's, by loops, on every backend, in every layout; gradients too."""

import itertools

import keras
import numpy as np
import pytest

import polyphase as pp
from tests.gradients import second, to_numpy, vjp
from tests.ops import cases

LOWERINGS = ("reference", "phases", "bands", "auto")


def loops(x, kernels, size, groups):
    """Return the reassembled image, in float64."""
    rank = x.ndim - 2
    k = round((kernels.shape[-1] // groups) ** (1 / rank))
    y = np.zeros((x.shape[0], *kernels.shape[1:-1], x.shape[-1]))
    taps = list(itertools.product(range(k), repeat=rank))
    for n, *place in itertools.product(*map(range, y.shape[:-1])):
        for c in range(x.shape[-1]):
            group = c // (x.shape[-1] // groups)
            for t, tap in enumerate(taps):
                pixel = [
                    min(max(m // s + a - k // 2, 0), side - 1)
                    for m, s, a, side in zip(place, size, tap, x.shape[1:-1], strict=True)
                ]
                weight = kernels[(n, *place, group * k**rank + t)]
                y[(n, *place, c)] += weight * x[(n, *pixel, c)]
    return y


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


CASES = {
    "image": ((3, 4), (2, 2), 3, 1),
    "factors apart": ((2, 3), (3, 2), 3, 1),
    "factor 4": ((2, 3), (4, 4), 5, 1),
    "groups": ((3, 2), (2, 2), 3, 2),
    "one pixel": ((1, 1), (2, 3), 5, 1),
    "one tap": ((2, 3), (2, 2), 1, 4),
    "strips": ((2, 17), (2, 2), 3, 1),
    "a kernel wider than a strip": ((2, 5), (1, 2), 11, 2),
    "size 1": ((3, 4), (1, 1), 3, 1),
    "signal": ((5,), (3,), 3, 2),
    "volume": ((2, 3, 2), (2, 1, 2), 3, 1),
}


@pytest.mark.grid(29)
@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_sum_of_the_neighbours_and_so_are_its_gradients(name, lowering, data_format):
    sides, size, k, groups = CASES[name]
    x = random(2, *sides, 4)
    large = [n * s for n, s in zip(sides, size, strict=True)]
    kernels = random(2, *large, groups * k ** len(sides), seed=1)
    upstream = random(2, *large, 4, seed=2)

    def compute(x, kernels):
        return pp.ops.reassemble(x, kernels, size, groups, data_format, lowering)

    arrays = [cases.to_format(one, data_format) for one in (x, kernels)]
    y, (to_x, to_kernels), _ = vjp(compute, arrays, cases.to_format(upstream, data_format))
    expected = loops(x, kernels, size, groups)
    np.testing.assert_allclose(cases.from_format(y, data_format), expected, rtol=0, atol=2e-5)
    # Linear in each => its gradient times anything is the result for that.
    for gradient, at in ((to_x, 0), (to_kernels, 1)):
        other = [x, kernels]
        other[at] = random(*other[at].shape, seed=3)
        inner = np.sum(cases.from_format(gradient, data_format) * other[at])
        assert inner == pytest.approx(np.sum(loops(*other, size, groups) * upstream), abs=1e-3)


@pytest.mark.parametrize("name", ["image", "groups", "signal", "volume"])
def test_gradients_of_products_have_gradients(name):
    """As a gradient penalty asks for: those of the loop, which are the backend's own."""
    sides, size, k, groups = CASES[name]
    large = [n * s for n, s in zip(sides, size, strict=True)]
    arrays = [random(2, *sides, 4), random(2, *large, groups * k ** len(sides), seed=1)]
    found = {}
    for lowering in ("phases", "bands"):

        def compute(x, kernels, lowering=lowering):
            y = pp.ops.reassemble(x, kernels, size, groups, "channels_last", lowering)
            return keras.ops.sum(y**3)

        found[lowering] = second(compute, arrays)
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(one).max())


def test_kernels_that_sum_to_one_keep_a_constant():
    kernels = np.abs(random(2, 6, 8, 18))
    kernels /= kernels.reshape(2, 6, 8, 2, 9).sum(axis=-1).repeat(9, axis=-1)
    y = pp.ops.reassemble(np.full((2, 3, 4, 4), 3.0, "float32"), kernels, 2, 2)
    np.testing.assert_allclose(to_numpy(y), 3.0, rtol=1e-6)


def test_kernels_of_the_middle_are_nearest_upsampling():
    x = random(1, 3, 4, 2).astype("float32")
    middle = np.zeros((1, 6, 12, 25), "float32")
    middle[..., 12] = 1
    expected = pp.ops.upsample(x, (2, 3))
    np.testing.assert_array_equal(
        to_numpy(pp.ops.reassemble(x, middle, (2, 3))), to_numpy(expected)
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_float32(dtype):
    x, kernels = np.full((1, 1, 1, 1), 1.0), np.full((1, 1, 1, 49 * 49), 2.0**-9)
    y = pp.ops.reassemble(*(keras.ops.cast(one, dtype) for one in (x, kernels)), 1)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    assert float(to_numpy(y).item()) == pytest.approx(49 * 49 * 2.0**-9, rel=1e-2)


@pytest.mark.parametrize(
    ("kernels", "groups", "words"),
    [
        ((2, 6, 8, 16), 1, "an odd number of taps"),
        ((2, 6, 8, 10), 1, "an odd number of taps"),
        ((2, 6, 8, 9), 2, "for each of 2 groups"),
        ((2, 6, 9, 9), 1, r"of batch and sides \(2, 6, 8\)"),
        ((1, 6, 8, 9), 1, "of batch and sides"),
        ((2, 6, 9), 1, "of batch and sides"),
        ((2, 6, 8, 27), 3, "`groups` must be a positive integer that divides the channels, 4"),
    ],
)
def test_kernels_that_do_not_fit_are_said_in_a_sentence(kernels, groups, words):
    with pytest.raises(ValueError, match=words):
        pp.ops.reassemble(np.ones((2, 3, 4, 4)), np.ones(kernels), 2, groups)
