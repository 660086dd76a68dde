"""Grids against the centroids of windows that are laid out one by one."""

from fractions import Fraction

import numpy as np
import pytest

from polyphase.algebra.alignment import Grid
from polyphase.algebra.geometry import strided_padding


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_window_lies_at_its_centroid(kernel_size, stride, dilation):
    for before in range(4):
        grid = Grid().windowed(kernel_size, stride, before, dilation)
        for start in range(-before, 40, stride):
            taps = start + dilation * np.arange(kernel_size)
            assert float(grid.offset + grid.step * ((start + before) // stride)) == taps.mean()


@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_a_transposed_window_is_the_adjoint(kernel_size, stride, dilation):
    """Every input sample lies at the centroid of the outputs that it is added to."""
    for crop in range(3):
        grid = Grid().transposed(kernel_size, stride, crop, dilation)
        for sample in range(10):
            outputs = sample * stride - crop + dilation * np.arange(kernel_size)
            places = [grid.offset + grid.step * int(output) for output in outputs]
            assert sum(places) / len(places) == sample


@pytest.mark.parametrize("size", [1, 2, 3, 7, Fraction(3, 2), Fraction(15, 11), Fraction(1, 2)])
def test_upsampling_keeps_the_ends_of_the_axis(size):
    """Half-pixel centres: the first sample begins, and the last ends, where they did."""
    before = 22
    after = int(before * size)
    grid = Grid().upsampled(size)
    first, last = grid.offset, grid.offset + grid.step * (after - 1)
    assert first - grid.step / 2 == Fraction(-1, 2)
    assert last + grid.step / 2 == before - Fraction(1, 2)


def test_cropping_and_padding_are_opposite():
    grid = Grid().windowed(3, 2, 1)
    assert grid.cropped(3).cropped(-3) == grid
    assert grid.cropped(1).offset == grid.offset + grid.step


def test_the_encoder_and_the_decoders_of_the_tutorials():
    """Five windows of 2 that look ahead, three halvings; three ways back."""
    code = Grid().windowed(2).windowed(2, 2).windowed(2).windowed(2, 2).windowed(2, 2).windowed(2)
    assert (code.offset, code.step) == (9, 8)

    def thrice(move):
        grid = code
        for _ in range(3):
            grid = move(grid)
        return grid

    assert thrice(lambda grid: grid.upsampled(2)) == Grid(Fraction(11, 2))
    assert thrice(lambda grid: grid.transposed(3, 2)) == Grid(Fraction(2))
    assert thrice(lambda grid: grid.transposed(3, 2, 1)) == Grid(Fraction(9))


@pytest.mark.parametrize("length", [5, 6, 7, 8, 9, None])
def test_zeros_in_front_are_half_of_what_the_windows_need(length):
    for kernel_size in range(1, 7):
        for stride in range(1, 5):
            for dilation in (1, 2):
                side = length or 12 * stride
                outputs = -(-side // stride)
                need = (outputs - 1) * stride + (kernel_size - 1) * dilation + 1 - side
                found = strided_padding(length, kernel_size, stride, dilation)
                assert found == max(need, 0) // 2
