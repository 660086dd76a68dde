"""What a finished run found, saved beside its metrics, so that its page can be made again."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from polyphase.workbench.checkerboards import Checkerboard
from polyphase.workbench.config import ConfigError
from polyphase.workbench.results import Comparison, Epoch, Trial
from polyphase.workbench.runs import partial_of, read_metrics

FILE = "evidence.npz"
_ARRAYS = ("pattern", "mean_error", "spectrum")
_SETTINGS = ("epochs", "batch_size", "learning_rate", "widths")


def save(comparison: Comparison, folder: Path) -> None:
    """Write the images and arrays of a comparison as `evidence.npz`; the rest is in its metrics."""
    arrays: Any = {"originals": comparison.originals, "labels": np.array(comparison.labels, str)}
    for index, trial in enumerate(comparison.trials):
        arrays[f"{index}_reconstructions"] = trial.reconstructions
        for name in _ARRAYS:
            arrays[f"{index}_{name}"] = getattr(trial.checkerboard, name)
    unfinished = folder / f"{FILE}.tmp"
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(unfinished, folder / FILE)


def load(folder: Path) -> Comparison:
    """Return what a finished comparison found.

    Raises:
        ConfigError: if this is no finished comparison, or one of before there was evidence.
    """
    if not (folder / "config.json").exists():
        unfinished = partial_of(folder)
        more = f" It is unfinished: polyphase compare --resume {folder}." * unfinished.exists()
        raise ConfigError(f"{folder} is no run: it has no config.json.{more}")
    if not (folder / FILE).exists():
        raise ConfigError(f"{folder} has no {FILE}: it is no finished comparison.")
    config = json.loads((folder / "config.json").read_text())
    lines = read_metrics(folder)
    finals = [line for line in lines if line["kind"] == "final"]
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        trials = tuple(
            _trial(
                final,
                lines,
                {name: arrays[f"{index}_{name}"] for name in ("reconstructions", *_ARRAYS)},
            )
            for index, final in enumerate(finals)
        )
        labels = tuple(map(str, arrays["labels"]))
        return Comparison(config, config["data"]["floor"], arrays["originals"], labels, trials)


def _trial(final: dict[str, Any], lines: list[dict[str, Any]], arrays: dict[str, Any]) -> Trial:
    who = (final["decoder"], final["seed"])
    history = tuple(
        Epoch(line["loss"], line["validation_loss"], line["seconds"])
        for line in lines
        if line["kind"] == "epoch" and (line["decoder"], line["seed"]) == who
    )
    reconstructions = arrays.pop("reconstructions")
    return Trial(
        *who,
        final["parameters"],
        final["multiply_adds"],
        history,
        final["psnr"],
        final["ssim"],
        final["inference_seconds"],
        reconstructions,
        Checkerboard(
            chi=final["chi"],
            bias=final["periodic_bias"],
            variance=final["periodic_variance"],
            **arrays,
        ),
    )


def joined(runs: Sequence[tuple[str, Comparison]], command: str) -> Comparison:
    """Return several runs on the same data as one comparison.

    A decoder of the same name in two runs is called `RUN: decoder`.

    Args:
        runs: names and what they found.
        command: that joined them.

    Raises:
        ConfigError: if they were not made with the same data.
    """
    (first, one), *others = runs
    for name, other in others:
        if other.config["data"]["sha256"] != one.config["data"]["sha256"]:
            raise ConfigError(
                f"{first} and {name} were made with different data and cannot stand in one table: "
                f"{one.config['data']['source']} and {other.config['data']['source']}."
            )
    every = [decoder for _, run in runs for decoder in run.decoders]

    def called(run: str, decoder: str) -> str:
        return decoder if every.count(decoder) == 1 else f"{run}: {decoder}"

    trials = tuple(
        replace(trial, decoder=called(name, trial.decoder))
        for name, run in runs
        for trial in run.trials
    )
    settings = {
        key: {
            called(name, decoder): value
            for name, run in runs
            for decoder, value in run.config[key].items()
        }
        for key in _SETTINGS
    }
    decoders = list(dict.fromkeys(trial.decoder for trial in trials))
    config = one.config | settings | {"command": command, "decoders": decoders}
    return replace(one, config=config, trials=trials)
