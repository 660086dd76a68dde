"""The figures of checkerboards: magnified patterns, spectra, and their scales."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.report import kernel_sizes, patterns, png
from polyphase.report.checkerboards import checkerboards
from tests.report.synthetic import comparison


def ones(k, s, name):
    return layers.Conv2DTranspose(1, k, s, kernel_initializer="ones", name=name)


def test_every_layer_with_a_pattern_has_a_row_with_its_image_and_spectrum():
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), ones(3, 2, "first"), layers.UpSampling2D(), ones(4, 3, "$second$")]
    )
    figure = patterns(pp.inspect(model))
    assert png(figure).startswith(b"\x89PNG")
    rows = np.array(figure.axes).reshape(2, 3)
    words = [row[0].texts[0].get_text() for row in rows]
    assert any("first" in one and "chi 0.484" in one for one in words)
    assert any("$second$" in one for one in words)
    (row,) = [row for row, one in zip(rows, words, strict=True) if "first" in one]
    shown = row[1].images[0].get_array()
    np.testing.assert_allclose(shown[:2, :2], [[16 / 9, 8 / 9], [8 / 9, 4 / 9]], rtol=1e-6)
    np.testing.assert_array_equal(shown[:2, :2], shown[2:4, 4:6])
    spectrum = row[2].images[0].get_array()  # of 1/3 cosines: 1, 1/3, 1/3, 1/9 without the first
    np.testing.assert_allclose(spectrum, [[1 / 9, 1 / 3], [1 / 3, 0]], atol=1e-6)
    assert [label.get_text() for label in row[2].get_xticklabels()] == ["1/2", "0"]


def test_without_a_pattern_there_is_no_figure():
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.UpSampling2D(), ones(2, 2, "even")])
    assert patterns(pp.inspect(model)) is None


def test_kernel_sizes_are_drawn_for_every_stride():
    figure = kernel_sizes()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [f"kernel {k}, stride {s}" for s in (2, 3) for k in (2, 3, 4, 5)]
    flat = [title for title, axes in zip(titles, figure.axes, strict=True)
            if np.ptp(axes.images[0].get_array()) < 1e-9]  # fmt: skip
    assert flat == ["kernel 2, stride 2", "kernel 4, stride 2", "kernel 3, stride 3"]
    for axes in figure.axes:
        assert axes.images[0].get_clim() == (0, 2)


@pytest.mark.parametrize("decoders", [(), ("nearest",)])
def test_a_comparisons_patterns_errors_and_spectra_are_drawn(decoders):
    found = comparison(decoders=decoders)
    figure = checkerboards(found)
    assert png(figure).startswith(b"\x89PNG")
    count = len(found.decoders)
    *tiles, spectra = figure.axes
    assert [axes.get_title() for axes in tiles[:count]] == list(found.decoders)
    limits = [axes.images[0].get_clim() for axes in tiles[::count]]
    assert limits == [(0, 2), (-4, 4), (0, 4)]  # grey levels, whatever the data
    for name, axes in zip(found.decoders, tiles[count:], strict=False):
        one = found.of(name)[0].checkerboard
        shown = axes.images[0].get_array()
        np.testing.assert_allclose(shown[:2, 2:4], 255 * one.mean_error)
        assert axes.get_xlabel() == f"largest {255 * one.mean_error.max():.1f}"
    for name, axes in zip(found.decoders, tiles[2 * count :], strict=True):
        one = found.of(name)[0].checkerboard
        assert axes.images[0].get_array()[4, 5] == pytest.approx(255 * one.harmonics[0, 1])
        assert axes.images[0].get_array()[0, 0] == pytest.approx(255 * one.harmonics[4, 4])
    curves = {line.get_label(): line for line in spectra.lines}
    for name in found.decoders:
        power = np.mean([trial.checkerboard.spectrum for trial in found.of(name)], axis=0)
        np.testing.assert_allclose(curves[name].get_ydata(), power)
        assert curves[name].get_xdata()[-1] == 0.5
