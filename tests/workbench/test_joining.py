"""Several runs in one comparison: what they are called, and in what they are said to differ."""

import dataclasses
import math
from pathlib import Path

import pytest

from polyphase.report import answer, render
from polyphase.workbench import ConfigError
from polyphase.workbench.joining import joined
from polyphase.workbench.results import Comparison
from tests.report.synthetic import comparison
from tests.report.test_page import FIGURES, Page


def run(
    seeds: int = 3, decoders: tuple[str, ...] = ("nearest", "subpixel"), **config
) -> Comparison:
    """Return a run with far more between its decoders than between its seeds."""
    full = {
        "match": None,
        "search": None,
        "optimizer": "adam",
        "loss": "binary_crossentropy",
        "learning_rate": dict.fromkeys(decoders, 0.001),
        "widths": {name: [8, 8] for name in decoders},
        **config,
    }
    return comparison(tuple(range(seeds)), decoders=decoders, apart=10.0, **full)


def report(one: Comparison, other: Comparison, *folders: str) -> Comparison:
    paths = [Path(folder) for folder in folders or ("runs/one", "runs/two")]
    return joined(paths, [one, other], "polyphase report")


ONE = ("nearest", "subpixel")
TWO = ("bilinear", "transposed-3")


def test_runs_that_differ_in_their_decoders_only_are_judged_as_one():
    both = report(run(), run(decoders=TWO))
    assert both.config["differences"] == []
    assert both.decoders == (*ONE, *TWO)
    said = answer(both)
    assert said[0].startswith("bilinear had the lowest") or "does not tell bilinear" in said[0]
    page = Page(render(both, FIGURES)).text
    assert "differ only in the operator" in page
    assert "Differences from bilinear" in page


def test_a_margin_stated_for_one_run_is_not_one_of_both_and_workers_of_one_count():
    same = report(run(margin=0.01), run(decoders=TWO, margin=0.01))
    assert same.margin == 0.01
    both = report(run(margin=0.01), run(decoders=TWO, workers="2"))
    assert both.config["differences"] == []
    assert both.margin is None
    assert both.on_workers
    assert report(run(), run(decoders=TWO, command="polyphase compare --workers 2")).on_workers
    assert not report(run(), run(decoders=TWO)).on_workers


CHANGED = {
    "epochs": ({"epochs": 5}, "epochs (8 in one, 5 in two)"),
    "batch size": (
        {"batch_size": {"bilinear": 64, "transposed-3": 64}},
        "batch size (1280 in one, 64 in two)",
    ),
    "learning rate": (
        {"learning_rate": {"bilinear": 0.01, "transposed-3": 0.01}},
        "learning rate (0.001 in one, 0.01 in two)",
    ),
    "widths": (
        {"widths": {"bilinear": [16, 16], "transposed-3": [16, 16]}},
        "widths (8, 8 in one, 16, 16 in two)",
    ),
    "match": ({"match": "parameters"}, "match (none in one, parameters in two)"),
    "search": ({"search": "lr"}, "search (none in one, lr in two)"),
    "optimizer": ({"optimizer": "sgd"}, "optimizer (adam in one, sgd in two)"),
    "loss": ({"loss": "mse"}, "loss (binary_crossentropy in one, mse in two)"),
    "experiment": ({"experiment": "published"}, "experiment (fair in one, published in two)"),
    "layers": ({"layers": "keras"}, "layers (not recorded in one, keras in two)"),
    "devices": ({"devices": 2}, "devices (not recorded in one, 2 in two)"),
    "version": (
        {"versions": {"polyphase": "0.1.0", "keras": "3.15.1", "jax": "0.12.0", "numpy": "2.4.0"}},
        "jax (0.10.2 in one, 0.12.0 in two)",
    ),
    "backend": (
        {
            "backend": "torch",
            "versions": {"polyphase": "0.1.0", "keras": "3.15.1", "torch": "2", "numpy": "2.4.0"},
        },
        "backend (jax in one, torch in two)",
    ),
}


@pytest.mark.parametrize("which", CHANGED)
def test_settings_that_differ_are_listed_and_no_winner_is_named(which):
    change, said = CHANGED[which]
    if which == "experiment":
        both = report(run(), comparison((0, 1, 2), experiment="published"))
    else:
        both = report(run(), run(decoders=TWO, **change))
    first, second, *_ = answer(both)
    assert first.startswith("No winner is named, because the runs differ in more than their")
    assert said in first
    assert " had the lowest" not in second
    page = Page(render(both, FIGURES)).text
    assert "how the runs differ" in page
    assert "why it is fair" not in page
    assert "Differences from" not in page


def test_runs_of_unlike_seeds_are_listed_too():
    both = report(run(5), run(3, TWO))
    assert "seeds (0, 1, 2, 3, 4 in one, 0, 1, 2 in two)" in answer(both)[0]
    assert "Mean over 3 to 5 seeds" in Page(render(both, FIGURES)).text


def test_a_run_of_an_older_format_says_that_a_setting_was_not_recorded():
    old = run()
    for key in ("widths", "learning_rate", "match", "search"):
        del old.config[key]
    both = report(old, run(decoders=TWO))
    assert both.config["differences"] == [
        "learning rate (not recorded in one, 0.001 in two)",
        "widths (not recorded in one, 8, 8 in two)",
    ]
    assert render(both, FIGURES)


def test_runs_matched_each_in_itself_must_agree_with_one_another():
    def matched(decoders, parameters):
        one = run(decoders=decoders, match="parameters")
        one.config["widths"] = {name: [9 + i, 9] for i, name in enumerate(decoders)}
        trials = [dataclasses.replace(trial, parameters=parameters) for trial in one.trials]
        return dataclasses.replace(one, trials=tuple(trials))

    assert report(matched(ONE, 2000), matched(TWO, 2050)).config["differences"] == []
    (said,) = report(matched(ONE, 2000), matched(TWO, 2100)).config["differences"]
    assert said == "parameters (about 2,000 in one, about 2,100 in two)"


def test_folders_of_one_name_are_told_apart_by_their_parents_and_seeds_are_not_doubled():
    both = report(run(), run(started="2026-06-01T00:00:00+00:00"), "a/run", "b/run")
    assert both.decoders == tuple(f"{where}/run: {name}" for where in "ab" for name in ONE)
    assert all(len(both.of(name)) == 3 for name in both.decoders)
    text = Page(render(both, FIGURES)).text
    assert "nearest upsampling, then a 3x3 convolution" in text
    assert "a decoder of your own" not in text


def test_a_run_given_twice_or_beside_its_copy_is_refused():
    with pytest.raises(ConfigError, match="run is given twice"):
        report(run(), run(), "a/run", "a/../a/run")
    with pytest.raises(ConfigError, match="b/run is a copy of a/run"):
        report(run(), run(), "a/run", "b/run")


@pytest.mark.parametrize("key", ["sha256", "train", "validation", "test", "shape"])
def test_runs_on_other_images_are_refused(key):
    other = run(decoders=TWO)
    other.config["data"] = other.config["data"] | {key: "x" if key == "sha256" else [1]}
    if key != "shape" and key != "sha256":
        other.config["data"][key] = 7
    with pytest.raises(ConfigError, match="have different data"):
        report(run(), other)


def test_a_decoder_that_diverged_is_named_in_joined_runs_too():
    bad = run(decoders=TWO)
    last = bad.trials[-1]
    history = (*last.history[:-1], dataclasses.replace(last.history[-1], validation_loss=math.nan))
    trials = (*bad.trials[:-1], dataclasses.replace(last, history=history))
    said = answer(report(run(), dataclasses.replace(bad, trials=trials)))
    assert said[-1] == "transposed-3 did not train: a loss of it is not finite."
