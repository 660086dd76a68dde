"""Pixels are the right ones far from the corner too: by every factor, of long sides."""

import keras
import numpy as np
import pytest

from polyphase.ops import upsample
from polyphase.ops.plans import Upsampling
from tests.gradients import to_numpy, vjp
from tests.ops import cases, oracles

BACKEND = keras.backend.backend()
# JAX compiles every shape, and knows the table only: some factors, those among them at which
# PyTorch's "nearest" fails (41, 47, ...).
FACTORS = {
    "jax": [1, 2, 3, 41, 47, 97, 255, 256, 511, 512],
    "tensorflow": [*range(1, 64), *range(64, 513, 7), 511, 512],
    "torch": range(1, 513),
}[BACKEND]
LOWERINGS = ["auto"] if BACKEND == "jax" else ["auto", "native"]


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("axis", [1, 2])
def test_nearest_copies_by_every_factor(lowering, axis):
    """The image holds its own coordinates; long sides have all coordinates of short ones."""
    wrong = []
    for factor in FACTORS:
        length = 600 if factor < 128 else 150
        shape = [1, 1, 1, 1]
        shape[axis] = length
        x = np.arange(length, dtype="float32").reshape(shape)
        size = (factor, 1) if axis == 1 else (1, factor)
        y = keras.ops.convert_to_numpy(upsample(x, size, "nearest", "channels_last", lowering))
        if not np.array_equal(y.ravel(), np.repeat(np.arange(length), factor)):
            wrong.append(factor)
    assert wrong == []


@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", *LOWERINGS])
@pytest.mark.parametrize("size", [(41, 3), (2, 47), (61, 55)])
@pytest.mark.grid(4)
def test_nearest_copies_by_unequal_factors_in_every_lowering(lowering, size):
    x = np.arange(60 * 21 * 2, dtype="float32").reshape(1, 60, 21, 2)
    expected = x.repeat(size[0], axis=1).repeat(size[1], axis=2)
    for data_format in cases.FORMATS:
        image = cases.to_format(x, data_format)
        y = keras.ops.convert_to_numpy(upsample(image, size, "nearest", data_format, lowering))
        np.testing.assert_array_equal(cases.from_format(y, data_format), expected)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_the_gradient_of_nearest_adds_up_the_copies(lowering):
    """Small integers, whose sums are exact."""
    x, factor = np.zeros((1, 250, 1, 1)), 41
    g = (np.arange(250 * factor) % 7.0).reshape(1, -1, 1, 1)
    _, (dx,), _ = vjp(lambda x: upsample(x, (factor, 1), lowering=lowering), [x], g)
    np.testing.assert_array_equal(dx.ravel(), g.reshape(250, factor).sum(axis=1))


OFFERED = {
    "jax": [],
    "tensorflow": ["bilinear", "bicubic", "mitchell", "lanczos3", "lanczos5"],
    "torch": ["bilinear", "bicubic"],
}[BACKEND]


@pytest.mark.parametrize("interpolation", OFFERED)
@pytest.mark.parametrize(("length", "size"), [(1601, 512), (30_001, 32), (500_001, 2)])
def test_powers_of_two_are_exact_to_the_end_of_a_long_side(interpolation, length, size):
    """The last pixels depend on those near them only: the oracle sees the last 24."""
    x = cases.noise(1, 1, length, 1, 1).astype("float32")
    y = keras.ops.convert_to_numpy(upsample(x, (size, 1), interpolation, lowering="native"))
    (expected,) = oracles.upsample(x[:, -24:].astype("float64"), (size, 1), interpolation)
    tail = size * 12
    assert np.abs(y[:, -tail:] - expected[:, -tail:]).max() < 2e-6 * np.abs(x).max()


@pytest.mark.parametrize("interpolation", OFFERED)
@pytest.mark.parametrize("size", [(512, 1), (1, 256), (64, 2), (4, 128), (16, 16)])
def test_unequal_powers_of_two_are_the_formula(interpolation, size):
    x = cases.noise(2, 1, 9, 13, 1).astype("float32")
    y = to_numpy(upsample(x, size, interpolation, lowering="native"))
    (expected,) = oracles.upsample(x.astype("float64"), size, interpolation)
    assert np.abs(y - expected).max() < 2e-6 * np.abs(x).max()


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no resize that computes in float32")
def test_sides_beyond_what_float32_counts_are_computed_otherwise():
    length = 2**22 + 3
    x = (np.arange(length) % 251).astype("float32").reshape(1, length, 1, 1)
    with pytest.raises(ValueError, match=r"2\^22 pixels a side"):
        upsample(x, 1, lowering="native")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(upsample(x, 1)), x)
    shape = keras.KerasTensor((1, 2**21 + 1, 1, 1))
    for size, fits in ((1, True), (2, False)):
        assert Upsampling((size, 1), "bilinear").fits_float32(shape) == fits
