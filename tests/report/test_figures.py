import dataclasses
import io
import math

import matplotlib
import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.colors import to_hex
from PIL import Image

from polyphase.report import (
    error_maps,
    interactive,
    learning_curves,
    pairs,
    png,
    reconstructions,
    side_by_side,
)
from polyphase.report.curves import _apart
from polyphase.report.palette import colours
from tests.report.synthetic import FAIR, FLOOR, comparison, images


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_png_is_valid_without_background_and_the_same_twice():
    found = comparison(decoders=("nearest", "subpixel"))
    first, second = png(learning_curves(found)), png(learning_curves(found))
    assert first == second
    assert b"Software" not in first
    image = Image.open(io.BytesIO(first))
    image.load()
    assert image.format == "PNG"
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0


def test_drawing_changes_no_global_state():
    """Neither settings nor pyplot's list of open figures (which would keep them in memory)."""
    before = dict(matplotlib.rcParams)
    png(learning_curves(comparison()))
    assert dict(matplotlib.rcParams) == before
    assert Gcf.figs == {}


def test_curves_are_the_means_in_the_decoders_colours_with_the_floor():
    found = comparison(seeds=(0, 1))
    axes = learning_curves(found).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    for decoder in found.decoders:
        mean = np.mean(
            [[e.validation_loss for e in t.history] for t in found.trials if t.decoder == decoder],
            axis=0,
        )
        np.testing.assert_allclose(lines[decoder].get_ydata(), mean, rtol=1e-12)
        assert to_hex(lines[decoder].get_color()).upper() == colours(found.decoders)[decoder]
    assert texts(axes) == ["floor of the data: 0.0581"]
    assert axes.lines[-1].get_ydata()[0] == FLOOR
    assert len(axes.collections) == len(found.decoders)


def test_close_ends_are_enlarged_and_named_in_a_second_panel():
    whole, part = learning_curves(comparison(seeds=(0, 1), epochs=9)).axes
    assert whole.get_title("left") == "All epochs"
    assert part.get_title("left") == "The last 3 epochs, enlarged"
    assert texts(part) == list(FAIR)
    low, high = part.get_ylim()
    ends = [t.validation_loss for t in comparison(seeds=(0, 1), epochs=9).trials]
    assert low < min(ends) <= max(ends) < high


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_few_epochs_have_one_panel(epochs):
    figure = learning_curves(comparison(seeds=(0,), epochs=epochs))
    assert len(figure.axes) == 1
    assert len(figure.axes[0].collections) == 0
    png(figure)


def test_decoders_of_different_length_and_a_diverged_one_can_be_drawn():
    long, short = comparison((0,), epochs=6), comparison((1,), epochs=3, decoders=("nearest",))
    last = dataclasses.replace(long.trials[1].history[-1], validation_loss=math.nan)
    broken = dataclasses.replace(long.trials[1], history=(*long.trials[1].history[:-1], last))
    found = dataclasses.replace(long, trials=(*short.trials, broken))
    figure = learning_curves(found)
    assert len(figure.axes) == 1
    png(figure)


@pytest.mark.parametrize("channels", [1, 3])
def test_reconstructions_show_originals_then_a_row_per_decoder(channels):
    found = comparison(seeds=(0, 1), channels=channels, decoders=("nearest", "subpixel"))
    axes = reconstructions(found).axes
    assert len(axes) == 3 * 8
    assert [cell.get_title() for cell in axes[:8]] == list(found.labels)
    assert [texts(axes[8 * row])[0] for row in range(3)] == ["original", "nearest", "subpixel"]
    shown = np.asarray(axes[8 + 3].images[0].get_array())
    expected = found.trials[0].reconstructions[3]
    np.testing.assert_array_equal(shown, expected[..., 0] if channels == 1 else expected)
    assert axes[8].images[0].get_interpolation() == "nearest"
    assert channels == 3 or axes[8].images[0].get_clim() == (0, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_error_maps_are_signed_and_share_one_symmetric_scale(channels):
    found = comparison(seeds=(0,), channels=channels, decoders=("nearest", "transposed-3"))
    axes = error_maps(found).axes
    assert len(axes) == 3 * 8 + 1
    shown = np.asarray(axes[16 + 5].images[0].get_array())
    expected = found.trials[1].reconstructions[5] - found.originals[5]
    np.testing.assert_allclose(shown, expected.mean(axis=-1), atol=1e-6)
    scales = {cell.images[0].get_clim() for cell in axes[8:24]}
    assert len(scales) == 1
    low, high = scales.pop()
    assert low == -high < 0
    assert "reconstruction \N{MINUS SIGN} original" in axes[24].get_xlabel()


def test_error_maps_of_perfect_reconstructions_can_be_drawn():
    found = comparison(seeds=(0,), decoders=("nearest",))
    trial = dataclasses.replace(found.trials[0], reconstructions=found.originals)
    png(error_maps(dataclasses.replace(found, trials=(trial,))))


def test_pairs_are_titled_with_their_class():
    shown, labels = images(1)
    figure = pairs(shown, shown * 0.5, labels, "Digits")
    assert len(figure.axes) == 16
    assert [cell.get_title() for cell in figure.axes[:8]] == list(labels)
    assert [texts(figure.axes[row])[0] for row in (0, 8)] == ["original", "reconstruction"]
    assert figure.get_suptitle() == "Digits"


def test_labels_of_any_text_can_be_drawn():
    """Neither mathematics between dollars nor line breaks are interpreted; long ones are cut."""
    shown, _ = images(1)
    labels = ("$x", "a\nb", "", "tab\there", "a very long class name", "%s", "\\frac", "$\\bad$")
    figure = pairs(shown, shown, labels, "$1 & $2")
    png(figure)
    titles = [cell.get_title() for cell in figure.axes[:8]]
    assert titles[1] == "a b"
    assert len(titles[4]) == 12


def test_side_by_side_has_one_scale_and_smooths_nothing():
    left = np.array([[0.0, 0.5], [1.0, 1.5]])[..., None]
    right = np.linspace(0, 1.5, 16).reshape(4, 4, 1)
    figure = side_by_side(left, right, "Original image", "Upsampled input", "bilinear")
    assert [axes.get_title() for axes in figure.axes] == ["Original image", "Upsampled input"]
    assert figure.get_suptitle() == "bilinear"
    for axes in figure.axes:
        assert axes.images[0].get_clim() == (0.0, 1.5)
        assert axes.images[0].get_interpolation() == "nearest"
    flat = np.ones((2, 2, 1))
    png(side_by_side(flat, flat, "a", "b", "c"))


def test_a_decoder_has_the_same_colour_in_every_comparison():
    every = colours(tuple(FAIR))
    assert len(set(every.values())) == len(FAIR)
    assert colours(("subpixel", "mine", "nearest"))["subpixel"] == every["subpixel"]
    assert colours(("mine", "yours"))["mine"] != colours(("mine", "yours"))["yours"]


@pytest.mark.parametrize("places", [[0.5, 0.5, 0.5], [0.99, 1.0, 0.98, 0.1], [0.0, 0.01], [0.3]])
def test_names_are_moved_apart_in_their_order(places):
    moved = np.array(_apart(places, 0.06))
    order = np.argsort(places, kind="stable")
    assert np.all(np.diff(moved[order]) >= 0.06 - 1e-12)
    assert moved.max() <= 1


def of_lengths(*lengths: int, decoders=("nearest",)):
    """Return a comparison whose seeds were trained for so many epochs."""
    found = comparison(tuple(range(len(lengths))), epochs=max(lengths), decoders=decoders)
    return dataclasses.replace(
        found,
        trials=tuple(
            dataclasses.replace(one, history=one.history[: lengths[one.seed]])
            for one in found.trials
        ),
    )


def test_a_seed_that_ended_earlier_keeps_its_last_loss_in_the_mean_of_its_decoder():
    found = of_lengths(3, 6)
    short, long = (trial.validation_losses for trial in found.trials)
    line, _ = learning_curves(found).axes[0].lines
    expected = [(a + b) / 2 for a, b in zip([*short, *[short[-1]] * 3], long, strict=True)]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
    assert line.get_ydata()[-1] == (short[-1] + long[-1]) / 2  # as in the table
    texts = interactive.curves(found, None)["lines"][0]["texts"]
    assert len(texts) == 6
    assert texts[-1].startswith(f"{expected[-1]:.4f}")


def test_decoders_of_different_lengths_are_enlarged_to_the_end_of_the_longest():
    found = of_lengths(9, 9, decoders=("nearest", "subpixel"))
    longer = of_lengths(12, 12, decoders=("bilinear",))
    both = dataclasses.replace(found, trials=(*found.trials, *longer.trials))
    whole, part = learning_curves(both).axes
    assert part.get_title("left") == "The last 6 epochs, enlarged"
    assert part.get_xlim()[1] > 12
    assert [len(line.get_ydata()) for line in whole.lines[:3]] == [9, 9, 12]
    png(whole.figure)
