import numpy as np
import pytest

from polyphase.algebra.geometry import conv_transpose_crop, conv_transpose_length
from polyphase.algebra.phases import conv_transpose_phases, join, split, upsample_conv_phases
from polyphase.algebra.resampling import resampling_matrix

from . import oracles
from .oracles import assert_close, noise


def before(kernel_size, padding, dilation=1):
    return (kernel_size - 1) * dilation // 2 if padding == "same" else 0


def phase_form(x, w, factor, padding, dilation=1):
    rows, columns = (
        upsample_conv_phases(k, s, before(k, padding, dilation), dilation)
        for k, s in zip(w.shape, factor, strict=False)
    )
    shape = [
        n * s - (0 if padding == "same" else (k - 1) * dilation)
        for n, s, k in zip(x.shape, factor, w.shape, strict=False)
    ]
    firsts = [[phase.first for phase in phases] for phases in (rows, columns)]
    return oracles.filter_bank(x, split(w, rows, columns), firsts, shape)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("factor", range(1, 6))
@pytest.mark.parametrize("kernel_size", range(1, 8))
def test_phases_equal_nearest_upsampling_then_convolution_up_to_the_border(
    kernel_size, factor, padding
):
    sizes, factors = (kernel_size, kernel_size % 7 + 1), (factor, factor % 5 + 1)
    x, w = noise(7, 8, 3), noise(*sizes, 3, 2)
    expected = oracles.upsample_conv(x, w, factors, padding)
    assert_close(phase_form(x, w, factors, padding), expected)


def test_phases_are_exact_where_the_kernel_is_larger_than_the_image():
    x = noise(1, 2, 2)
    for kernel_size, factor in [(7, 2), (6, 3), (5, 1), (4, 4)]:
        w = noise(kernel_size, kernel_size, 2, 3)
        expected = oracles.upsample_conv(x, w, (factor, factor), "same")
        assert_close(phase_form(x, w, (factor, factor), "same"), expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dilation", [2, 3])
def test_phases_of_a_dilated_convolution(dilation, padding):
    for kernel_size, factor in [(2, 2), (3, 2), (3, 3), (4, 1), (3, 4)]:
        x, w = noise(10, 9, 2), noise(kernel_size, 2, 2, 3)
        expected = oracles.upsample_conv(x, w, (factor, 2), padding, dilation)
        assert_close(phase_form(x, w, (factor, 2), padding, dilation), expected)


def test_zero_padding_commutes_with_nearest_upsampling():
    x = noise(3, 4, 2)
    rim = ((2, 1), (1, 3), (0, 0))
    small = oracles.repeat(np.pad(x, rim), (3, 2))
    large = np.pad(oracles.repeat(x, (3, 2)), ((6, 3), (2, 6), (0, 0)))
    np.testing.assert_array_equal(small, large)


def test_all_phases_together_have_s_plus_k_minus_1_taps():
    for kernel_size in range(1, 8):
        for factor in range(1, 6):
            for padding in ("same", "valid"):
                front = before(kernel_size, padding)
                phases = upsample_conv_phases(kernel_size, factor, front)
                for p, phase in enumerate(phases):
                    steps = [(p + a - front) % factor == 0 for a in range(1, kernel_size)]
                    assert phase.taps == 1 + sum(steps)
                assert sum(phase.taps for phase in phases) == factor + kernel_size - 1


@pytest.mark.parametrize(
    ("factor", "kernel_size", "direct", "phases"),
    [(2, 3, 36, 16), (2, 5, 100, 36), (3, 3, 81, 25), (4, 3, 144, 36)],
)
def test_products_per_input_pixel(factor, kernel_size, direct, phases):
    banks = upsample_conv_phases(kernel_size, factor, before(kernel_size, "same"))
    kernels = split(noise(kernel_size, kernel_size), banks, banks)
    assert sum(kernel.size for line in kernels for kernel in line) == phases
    assert (factor * kernel_size) ** 2 == direct


def test_every_tap_of_an_upsample_convolution_is_in_every_phase_once():
    for phase in upsample_conv_phases(5, 3, 2):
        np.testing.assert_array_equal(phase.fold.sum(axis=0), np.ones(5))


def test_nearest_x2_then_121_is_bilinear_x2_away_from_the_edges():
    x = noise(9, 6, 2)
    w = np.einsum("a,b,io->abio", [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], np.eye(2))
    rows, columns = (resampling_matrix(n, 2 * n, "bilinear") for n in (9, 6))
    bilinear = columns.apply(rows.apply(x, axis=0), axis=1)
    inside = (slice(1, -1), slice(1, -1))
    assert_close(phase_form(x, w, (2, 2), "same")[inside], bilinear[inside])


def test_bilinear_x2_then_3_taps_has_3_taps_in_each_phase():
    """No fewer products than the direct way: the claim of the specification, section 3."""
    bilinear = resampling_matrix(8, 16, "bilinear").dense()[:, :, None]
    w = noise(3, 1, 1, 1)
    operator = oracles.convolve(bilinear, w, "same")[:, :, 0]
    for n in range(4, 12):
        assert np.flatnonzero(operator[n]).tolist() == [n // 2 - 1, n // 2, n // 2 + 1]


def transposed(x, w, strides, padding, output_padding=None, dilation=1):
    """Return the output by phases and by scattering."""
    per_axis = list(zip(x.shape, w.shape, strides, strict=False))
    crops = [conv_transpose_crop(k, s, padding, output_padding, dilation) for _, k, s in per_axis]
    shape = [
        conv_transpose_length(n, k, s, padding, output_padding, dilation) for n, k, s in per_axis
    ]
    rows, columns = (
        conv_transpose_phases(k, s, crop, dilation)
        for (_, k, s), crop in zip(per_axis, crops, strict=True)
    )
    kernels = [[k.swapaxes(2, 3) for k in line] for line in split(w, rows, columns)]
    firsts = [[phase.first for phase in phases] for phases in (rows, columns)]
    full = oracles.scatter(x, w, strides, dilation)
    return oracles.filter_bank(x, kernels, firsts, shape), oracles.window(full, crops, shape)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", range(1, 5))
@pytest.mark.parametrize("kernel_size", range(1, 7))
def test_phases_equal_a_transposed_convolution_with_keras_crop_and_length(
    kernel_size, stride, padding
):
    sizes, strides = (kernel_size, kernel_size % 6 + 1), (stride, stride % 4 + 1)
    x, w = noise(3, 4, 2), noise(*sizes, 3, 2)
    for output_padding in (None, *range(min(strides))):
        by_phases, expected = transposed(x, w, strides, padding, output_padding)
        assert_close(by_phases, expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_phases_equal_a_dilated_transposed_convolution(padding):
    for kernel_size, stride, dilation in [(3, 1, 2), (3, 2, 2), (2, 3, 2), (4, 2, 3), (3, 4, 6)]:
        x, w = noise(3, 4, 2), noise(kernel_size, 2, 3, 2)
        assert_close(*transposed(x, w, (stride, 2), padding, dilation=dilation))


def test_any_crop_shifts_the_full_output():
    x, w = noise(4, 1, 2), noise(5, 1, 3, 2)
    full = oracles.scatter(x, w, (3, 1))
    columns = conv_transpose_phases(1, 1)
    for crop in range(8):
        rows = conv_transpose_phases(5, 3, crop)
        kernels = [[k.swapaxes(2, 3) for k in line] for line in split(w, rows, columns)]
        firsts = [phase.first for phase in rows]
        y = oracles.filter_bank(x, kernels, [firsts, [0]], (len(full) - crop, 1))
        assert_close(y, full[crop:])


def test_a_phase_of_a_transposed_convolution_has_every_s_th_tap():
    w = np.arange(7.0)
    for stride in range(1, 5):
        for p, phase in enumerate(conv_transpose_phases(7, stride)):
            assert phase.taps == -(-(7 - p) // stride)
            np.testing.assert_array_equal((phase.fold @ w)[::-1], w[p::stride])


def test_a_stride_larger_than_the_kernel_leaves_phases_without_taps():
    assert [phase.taps for phase in conv_transpose_phases(2, 4)] == [1, 1, 0, 0]
    assert [phase.taps for phase in conv_transpose_phases(2, 4, crop=1)] == [1, 0, 0, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_join_puts_a_transposed_kernel_back_bit_for_bit(dtype):
    for kernel_size in range(1, 7):
        for stride in range(1, 5):
            for crop in (0, 1, 2):
                w = noise(kernel_size, 3, 2, 4).astype(dtype)
                rows = conv_transpose_phases(kernel_size, stride, crop)
                columns = conv_transpose_phases(3, 2, 1)
                back = join(split(w, rows, columns), rows, columns)
                np.testing.assert_array_equal(back, w)


def test_join_is_the_adjoint_of_split():
    rows, columns = upsample_conv_phases(4, 3, 1), upsample_conv_phases(3, 2, 1)
    w = noise(4, 3, 2, 2)
    parts = split(w, rows, columns)
    other = [
        [noise(*k.shape, seed=1 + 10 * p + q) for q, k in enumerate(line)]
        for p, line in enumerate(parts)
    ]
    inner = sum(
        np.vdot(a, b)
        for line, other_line in zip(parts, other, strict=True)
        for a, b in zip(line, other_line, strict=True)
    )
    assert_close(inner, np.vdot(w, join(other, rows, columns)))


def test_folds_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        upsample_conv_phases(3, 2, 1)[0].fold[0] = 9


@pytest.mark.parametrize("rank", [1, 3])
def test_the_phases_of_signals_and_volumes(rank):
    w = noise(*(3, 4, 2)[:rank], 2, 3)
    banks = [conv_transpose_phases(k, s) for k, s in zip(w.shape[:rank], (2, 3, 1), strict=False)]
    kernels = split(w, *banks)
    np.testing.assert_array_equal(join(kernels, *banks), w)
    for phase in np.ndindex(*(2, 3, 1)[:rank]):
        kernel = kernels
        for p in phase:
            kernel = kernel[p]
        taps = tuple(slice(p, None, s) for p, s in zip(phase, (2, 3, 1), strict=False))
        np.testing.assert_array_equal(kernel, np.flip(w[taps], tuple(range(rank))))
