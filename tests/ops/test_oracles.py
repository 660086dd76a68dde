"""The oracles themselves: against numbers by hand, loops over every index, and their adjoints."""

import numpy as np
import pytest

from tests.ops import oracles


def noise(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape)


def test_bilinear_by_two_by_hand():
    expected = [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    np.testing.assert_allclose(oracles.resize_matrix(2, 2, "bilinear"), expected)


def test_nearest_by_one_and_a_half_by_hand():
    rows = oracles.resize_matrix(4, 1.5, "nearest").argmax(axis=1)
    assert rows.tolist() == [0, 1, 1, 2, 3, 3]


def test_convolution_with_one_loop_per_index():
    x, w = noise(1, 3, 4, 2), noise(2, 3, 2, 3)
    big = x.repeat(2, axis=1).repeat(3, axis=2)
    padded = np.pad(big, ((0, 0), (0, 1), (1, 1), (0, 0)))
    y = np.zeros((1, 6, 12, 3))
    for h, v, o, a, b, c in np.ndindex(6, 12, 3, 2, 3, 2):
        y[0, h, v, o] += padded[0, h + a, v + b, c] * w[a, b, c, o]
    (actual,) = oracles.upsample_conv(x, w, (2, 3), "nearest", "same")
    np.testing.assert_allclose(actual, y, atol=1e-12)


def test_transposed_convolution_with_one_loop_per_index():
    x, w = noise(1, 3, 4, 2), noise(4, 3, 3, 2)
    full = np.zeros((1, 8, 12, 3))
    for i, j, o, a, b, c in np.ndindex(3, 4, 3, 4, 3, 2):
        full[0, 2 * i + a, 3 * j + b, o] += x[0, i, j, c] * w[a, b, o, c]
    (valid,) = oracles.conv_transpose(x, w, (2, 3), "valid")
    np.testing.assert_allclose(valid, full, atol=1e-12)
    (same,) = oracles.conv_transpose(x, w, (2, 3), "same")
    np.testing.assert_allclose(same, full[:, 1:7], atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_are_the_adjoints(groups):
    x, w = noise(2, 3, 4, 2), noise(2, 3, 2 // groups, 4)
    run = lambda x, w, g=None: oracles.upsample_conv(x, w, (2, 1.5), "bicubic", "same", g=g)  # noqa: E731
    g = noise(*run(x, w)[0].shape)
    y, dx, dw = run(x, w, g)
    assert np.sum(y * g) == pytest.approx(np.sum(dx * x)) == pytest.approx(np.sum(dw * w))
    run = lambda x, w, g=None: oracles.conv_transpose(x, w, (2, 3), "same", g=g)  # noqa: E731
    w = noise(2, 3, 4, 2)
    g = noise(*run(x, w)[0].shape)
    y, dx, dw = run(x, w, g)
    assert np.sum(y * g) == pytest.approx(np.sum(dx * x)) == pytest.approx(np.sum(dw * w))
