import numpy as np
import pytest

from polyphase.algebra import differences

from . import oracles
from .oracles import assert_close, noise


def pixel(x, j):
    return x[j] if 0 <= j < len(x) else 0.0


def delta(x, j):
    return pixel(x, j) - pixel(x, j - 1)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_one_axis_is_the_formula_of_the_specification(padding):
    for k in range(1, 8):
        for s in range(1, 6):
            length = 7
            x, w = noise(length), noise(k, seed=1)
            front = (k - 1) // 2 if padding == "same" else 0
            tails = [sum(w[a:]) for a in range(k)]
            expected = [
                tails[0] * pixel(x, (n - front) // s)
                + sum(
                    tails[a] * delta(x, (n - front + a) // s)
                    for a in range(1, k)
                    if (n - front + a) % s == 0
                )
                for n in range(length * s - (0 if padding == "same" else k - 1))
            ]
            tables = differences.difference_tables(length, k, s, padding)
            y = sum(t * table.apply(x) for t, table in zip(tails, tables, strict=True))
            assert_close(y, np.array(expected))
            direct = oracles.upsample_conv(
                x[:, None, None], w[:, None, None, None], (s, 1), padding
            )
            assert_close(y, direct[:, 0, 0])


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("factor", range(1, 6))
@pytest.mark.parametrize("kernel_size", range(1, 8))
def test_the_difference_form_equals_nearest_upsampling_then_convolution_up_to_the_border(
    kernel_size, factor, padding
):
    x, w = noise(7, 8, 3), noise(kernel_size, kernel_size % 7 + 1, 3, 2)
    expected = oracles.upsample_conv(x, w, (factor, factor), padding)
    assert_close(differences.upsample_conv(x, w, factor, padding), expected)


def test_the_difference_form_is_exact_where_the_kernel_is_larger_than_the_image():
    x, w = noise(1, 2, 2), noise(7, 6, 2, 3)
    for factor in (1, 2, 5):
        expected = oracles.upsample_conv(x, w, (factor, factor), "same")
        assert_close(differences.upsample_conv(x, w, factor, "same"), expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_every_difference_occurs_in_exactly_one_phase(padding):
    for k in range(1, 8):
        for s in range(1, 6):
            front = (k - 1) // 2 if padding == "same" else 0
            tables = differences.difference_tables(9, k, s, padding)
            assert len(tables) == k
            for a, table in enumerate(tables[1:], start=1):
                rows = np.flatnonzero(table.dense().any(axis=1))
                assert set(rows % s) == {(front - a) % s}


@pytest.mark.parametrize(
    ("factor", "kernel_size", "products", "gain"),
    [(2, 3, 9, 4), (2, 5, 25, 4), (3, 3, 9, 9), (4, 3, 9, 16)],
)
def test_products_per_input_pixel_do_not_depend_on_the_factor(factor, kernel_size, products, gain):
    """Away from the border each input pixel meets each of the `k` tail sums once per axis."""
    tables = differences.difference_tables(12, kernel_size, factor, "same")
    rows = [np.unique(table.dense(), axis=0) for table in tables]
    inner = [sum(np.argmax(row != 0) == 5 for row in distinct) for distinct in rows]
    assert inner == [1] * kernel_size
    assert sum(inner) ** 2 == products
    assert (factor * kernel_size) ** 2 == gain * products


def test_tail_sums_add_the_kernel_from_each_tap_on():
    w = noise(3, 4, 2, 2)
    tails = differences.tail_sums(w)
    for a in range(3):
        for b in range(4):
            expected = sum(w[i, j] for i in range(a, 3) for j in range(b, 4))
            assert_close(tails[a, b], expected)
    assert_close(tails[0, 0], w.sum(axis=(0, 1)))


def test_tail_sums_have_their_adjoint():
    w, g = noise(3, 4, 2, 2), noise(3, 4, 2, 2, seed=1)
    inner = np.vdot(differences.tail_sums(w), g)
    assert_close(inner, np.vdot(w, differences.tail_sums_adjoint(g)))


def basis(shape):
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        yield unit


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_gradients_are_those_of_the_direct_form(padding):
    """The form is linear in `x` and in `w`: a gradient is the inner product with each unit."""
    for k_h, k_w, s in [(1, 1, 2), (3, 3, 2), (2, 5, 3), (4, 3, 1), (3, 2, 4)]:
        x, w = noise(4, 5, 2), noise(k_h, k_w, 2, 3)
        y = oracles.upsample_conv(x, w, (s, s), padding)
        g = noise(*y.shape, seed=1)
        x_gradient, w_gradient = differences.upsample_conv_adjoint(x, w, g, s, padding)
        assert x_gradient.shape == x.shape
        assert w_gradient.shape == w.shape
        expected = [
            np.vdot(oracles.upsample_conv(unit, w, (s, s), padding), g) for unit in basis(x.shape)
        ]
        assert_close(x_gradient.ravel(), expected)
        expected = [
            np.vdot(oracles.upsample_conv(x, unit, (s, s), padding), g) for unit in basis(w.shape)
        ]
        assert_close(w_gradient.ravel(), expected)


def test_a_1x1_kernel_moves_before_the_upsampling():
    x, w = noise(3, 4, 2), noise(1, 1, 2, 5)
    expected = oracles.repeat(x @ w[0, 0], (3, 3))
    assert_close(differences.upsample_conv(x, w, 3, "same"), expected)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"kernel of 5 taps .* into 4 pixels"):
        differences.upsample_conv(noise(2, 9, 1), noise(5, 3, 1, 1), 2, "valid")


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes(rank, padding):
    x, w = noise(*(4, 3, 2)[:rank], 2), noise(*(3, 2, 4)[:rank], 2, 3)
    expected = oracles.upsample_conv(x, w, (2,) * rank, padding)
    assert_close(differences.upsample_conv(x, w, 2, padding), expected)
    g = noise(*expected.shape)
    dx, dw = differences.upsample_conv_adjoint(x, w, g, 2, padding)
    assert np.vdot(expected, g) == pytest.approx(np.vdot(x, dx)) == pytest.approx(np.vdot(w, dw))
