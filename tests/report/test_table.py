import dataclasses
import math
import re

import numpy as np
import pytest

from polyphase.report import markdown, rows, text_columns
from polyphase.report.table import DASH, columns
from polyphase.workbench.results import Comparison
from tests.report.synthetic import FLOOR, comparison


def test_rows_are_mean_and_range_over_the_seeds_computed_independently():
    found = comparison(seeds=(0, 1, 2))
    for row in rows(found):
        trials = [trial for trial in found.trials if trial.decoder == row.decoder]
        losses = np.array([trial.history[-1].validation_loss for trial in trials])
        assert row.loss.mean == pytest.approx(losses.mean(), rel=1e-12)
        assert (row.loss.low, row.loss.high, row.loss.count) == (losses.min(), losses.max(), 3)
        assert row.above_floor.mean == pytest.approx(losses.mean() - FLOOR, rel=1e-12)
        assert row.psnr.mean == pytest.approx(np.mean([trial.psnr for trial in trials]))
        assert row.ssim.high == max(trial.ssim for trial in trials)
        seconds = [np.median([epoch.seconds for epoch in t.history[1:]]) for t in trials]
        assert row.seconds_per_epoch.mean == pytest.approx(np.mean(seconds))
        assert row.inference.low == min(trial.inference_seconds for trial in trials)
        assert row.decoding.high == max(trial.decoder_seconds for trial in trials)


def test_rows_keep_the_order_in_which_decoders_were_asked_for():
    assert [row.decoder for row in rows(comparison())] == list(comparison().decoders)


def test_no_trials_is_an_error_that_says_what_to_do():
    found = comparison()
    empty = Comparison(found.config, found.floor, found.originals, found.labels, ())
    with pytest.raises(ValueError, match=r"at least one trial. Received: none. Train"):
        rows(empty)


def test_markdown_is_a_well_formed_table_with_the_losses_of_the_data():
    found = comparison(seeds=(0, 1))
    lines = [line for line in markdown(found).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(found.decoders)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(line) for line in cells} == {10}
    assert all(re.fullmatch(r"-{3,}:?", cell) for cell in cells[1])
    for decoder, line in zip(found.decoders, cells[2:], strict=True):
        losses = [t.history[-1].validation_loss for t in found.trials if t.decoder == decoder]
        low, high = min(losses), max(losses)
        expected = f"{sum(losses) / 2:.4f} ({low:.4f}\N{EN DASH}{high:.4f})"
        assert line[:2] == [decoder, expected]
    assert "Mean over 2 seeds" in markdown(found)


def test_markdown_escapes_the_sign_that_separates_cells():
    found = comparison(seeds=(0,), decoders=("nearest",))
    trial = dataclasses.replace(found.trials[0], decoder="a|b")
    text = markdown(dataclasses.replace(found, trials=(trial,)))
    assert r"| a\|b |" in text


def test_one_seed_shows_no_spread_and_says_so():
    text = markdown(comparison(seeds=(7,)))
    assert DASH not in text
    assert "One seed per decoder" in text


def test_terminal_table_is_short_and_rectangular_and_names_units():
    headings, lines = text_columns(comparison())
    assert headings[:3] == ["decoder", "validation loss\nnats/pixel", "PSNR\ndB"]
    assert "decoding\n\N{MICRO SIGN}s/image" in headings
    assert {len(line) for line in lines} == {len(headings)} == {6}


@pytest.mark.parametrize(
    ("seconds", "unit", "text"),
    [(4.5e-6, "\N{MICRO SIGN}s/image", "4.50"), (0.0321, "ms/image", "32.1")],
)
def test_time_per_image_has_a_fitting_unit_and_three_digits(seconds, unit, text):
    found = comparison(seeds=(0,), decoders=("nearest",))
    trial = dataclasses.replace(found.trials[0], decoder_seconds=seconds)
    headings, lines = text_columns(dataclasses.replace(found, trials=(trial,)))
    assert headings[-1] == f"decoding\n{unit}"
    assert lines[0][-1] == text


def test_a_loss_that_is_not_finite_is_written_as_such():
    found = comparison(seeds=(0, 1), decoders=("nearest",))
    first = found.trials[0]
    last = dataclasses.replace(first.history[-1], validation_loss=math.nan)
    broken = dataclasses.replace(first, history=(*first.history[:-1], last))
    text = markdown(dataclasses.replace(found, trials=(broken, *found.trials[1:])))
    assert "| nearest | not finite | not finite |" in text


def headings(found):
    return [column.heading for column in columns(found)]


def test_a_run_without_times_of_the_decoders_alone_shows_whole_models_under_the_old_heading():
    new = comparison()
    old = dataclasses.replace(
        new, trials=tuple(dataclasses.replace(one, decoder_seconds=None) for one in new.trials)
    )
    for found in (old, comparison(experiment="published")):
        assert headings(found)[-1] == "inference, ms/image"
        seconds = [trial.inference_seconds for trial in found.of(found.decoders[0])]
        shown = float(columns(found)[-1].cells[0].value)
        assert shown == pytest.approx(1e3 * sum(seconds) / len(seconds), rel=0.01)
    half = dataclasses.replace(new, trials=(*old.trials[:5], *new.trials[5:]))
    assert headings(half)[-1] == "inference, ms/image"


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"workers": None}, True),
        ({}, True),
        ({"workers": "2"}, False),
        ({"workers": "tcp://host:8786"}, False),
        ({"command": "polyphase compare --workers 2"}, False),  # of before it was recorded
        ({"command": "polyphase compare --scheduler=tcp://host:1"}, False),
    ],
)
def test_trainings_on_workers_have_no_seconds_per_epoch(config, shown):
    assert ("training, s/epoch" in headings(comparison(**config))) == shown
