"""Grids show every value where it is, and as it is."""

import numpy as np
import pytest

from polyphase.report import grids, png
from polyphase.report.grids import written


def values(axes):
    return {
        (int(text.get_position()[1]), int(text.get_position()[0])): text.get_text()
        for text in axes.texts
    }


def test_values_stand_in_their_pixels_and_pixels_are_equally_large():
    small, large = np.array([[1.0, 2.5]]), np.arange(6.0).reshape(2, 3, 1)
    figure = grids({"small": small, "large": large}, "both")
    first, second = figure.axes
    assert values(first) == {(0, 0): "1", (0, 1): "2.5"}
    assert values(second)[1, 2] == "5"
    width, height = figure.get_size_inches()
    cells = [
        (axes.get_position().width * width / columns, axes.get_position().height * height / rows)
        for axes, rows, columns in ((first, 1, 2), (second, 2, 3))
    ]
    assert np.ptp(cells) < 1e-9


def test_one_grey_scale_holds_for_all_and_empty_cells_are_empty():
    first, second = grids({"a": np.array([[0.0, np.nan]]), "b": np.array([[8.0]])}).axes
    assert first.images[0].get_clim() == second.images[0].get_clim() == (-2.0, 8.0)
    assert values(first) == {(0, 0): "0"}


def test_phases_are_framed_where_there_is_a_whole_period():
    small, large = grids({"a": np.ones((1, 2)), "b": np.ones((4, 4))}, period=(2, 2)).axes
    assert not small.patches
    colours = [patch.get_edgecolor() for patch in large.patches]
    assert len(set(colours)) == 4
    assert colours[0] == colours[2] == colours[8] != colours[1]


def test_large_images_are_drawn_as_high_as_small_ones_without_values():
    figure = grids({"a": np.ones((2, 2)), "b": np.ones((64, 64))})
    first, second = figure.axes
    assert (len(first.texts), len(second.texts)) == (4, 0)
    assert first.get_position().height == pytest.approx(second.get_position().height)


def test_a_constant_can_be_drawn_and_what_is_no_image_is_refused():
    assert png(grids({"a": np.zeros((2, 2))}))
    with pytest.raises(ValueError, match=r"Received: 'a' of shape \(1, 2, 2, 1\)"):
        grids({"a": np.zeros((1, 2, 2, 1))})
    with pytest.raises(ValueError, match="at least one"):
        grids({})


def test_numbers_have_three_digits():
    assert [written(one) for one in (0.12345, -2.0, 1e-9, 1234.0)] == [
        "0.123",
        "-2",
        "0",
        "1234",
    ]
