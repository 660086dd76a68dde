"""Results of a finished run, saved beside its metrics, so that its page can be written again."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from polyphase.inspection.harmonics import Pattern
from polyphase.workbench.checkerboards import Checkerboard, Stage
from polyphase.workbench.config import ConfigError
from polyphase.workbench.results import Baseline, Comparison, Imitation, Trial, epoch_of, floor_of
from polyphase.workbench.runs import (
    TRAIN,
    file_name,
    next_step,
    partial_of,
    read_config,
    read_metrics,
    readable_arrays,
)
from polyphase.workbench.schema import CHECKERBOARD, STAGE, misfit

FILE = "evidence.npz"
_ARRAYS = ("pattern", "mean_error", "spectrum")
_OF_BASELINES = ("validation_loss", "psnr", "ssim")
_HARMONICS = "harmonics"  # not of runs that did not measure them
_OF_IMITATIONS = ("radial", "neighbours")


def key(decoder: str, seed: int, array: str) -> str:
    """Return the name of a trial's array in `evidence.npz`: three parts, different for all trials.

    Example:
        >>> key("nearest", 0, "reconstructions")
        'nearest/0/reconstructions'
        >>> key("mypackage.decoders:mine", 2, "spectrum")
        'mypackage.decoders%3Amine/2/spectrum'
    """
    return f"{file_name(decoder)}/{seed}/{array}"


def measures(trial: Trial) -> dict[str, Any]:
    """Return what was measured of a trial, by the names in `metrics.jsonl`."""
    return {
        "parameters": trial.parameters,
        "multiply_adds": trial.multiply_adds,
        "multiply_adds_computed": trial.multiply_adds_computed,
        "offset": trial.offset,
        "validation_loss": trial.validation_loss,
        "psnr": trial.psnr,
        "ssim": trial.ssim,
        "seconds_per_epoch": trial.seconds_per_epoch,
        "inference_seconds": trial.inference_seconds,
        "decoder_seconds": trial.decoder_seconds,
        "chi": trial.checkerboard.chi,
        "periodic_bias": trial.checkerboard.bias,
        "periodic_variance": trial.checkerboard.variance,
        "stages": [asdict(one) for one in trial.checkerboard.stages],
        **_imitation_measures(trial.imitation),
    }


def baseline_measures(one: Baseline) -> dict[str, Any]:
    """Return what was measured of a baseline, by the names in `metrics.jsonl`."""
    found = {name: getattr(one, name) for name in _OF_BASELINES}
    return found | _imitation_measures(one.imitation)


def _imitation_measures(one: Imitation | None) -> dict[str, Any]:
    return {} if one is None else {name: getattr(one, name) for name in Imitation.names()}


def baseline_of(
    line: dict[str, Any], reconstructions: np.ndarray, imitation: Imitation | None = None
) -> Baseline:
    """Return a baseline of its line and its images."""
    measured = {name: line[name] for name in _OF_BASELINES}
    who = line["decoder"]
    return Baseline(who, **measured, reconstructions=reconstructions, imitation=imitation)


def _saved_baseline(line: dict[str, Any], arrays: Any) -> Baseline:
    """Return a baseline of its line and all arrays."""
    wanted = ("reconstructions", *(_OF_IMITATIONS if "fid" in line else ()))
    own = {name: arrays[_baseline_key(line["decoder"], name)] for name in wanted}
    return baseline_of(line, own.pop("reconstructions"), imitation_of(line, own))


def imitation_of(line: dict[str, Any], arrays: dict[str, Any]) -> Imitation | None:
    """Return an imitation of its line and its arrays, which are taken; None if there is none."""
    if "fid" not in line:
        return None
    spectrum, neighbours = (arrays.pop(name) for name in _OF_IMITATIONS)
    numbers = {name: line[name] for name in Imitation.names()}
    return Imitation(**numbers, spectrum=spectrum, neighbours=neighbours)


def _baseline_key(name: str, array: str) -> str:
    return f"{file_name(name)}/untrained/{array}"


def _imitation_arrays(one: Imitation | None) -> dict[str, np.ndarray]:
    return {} if one is None else {"radial": one.spectrum, "neighbours": one.neighbours}


def save(comparison: Comparison, folder: Path) -> None:
    """Write the images and arrays of a comparison as `evidence.npz`; the rest is in its metrics."""
    arrays: Any = {"originals": comparison.originals, "labels": np.array(comparison.labels, str)}
    arrays["run"] = np.array(_run_of(comparison.config))
    for trial in comparison.trials:
        who = (trial.decoder, trial.seed)
        arrays[key(*who, "reconstructions")] = trial.reconstructions
        for name in _ARRAYS:
            arrays[key(*who, name)] = getattr(trial.checkerboard, name)
        if trial.checkerboard.harmonics is not None:
            arrays[key(*who, _HARMONICS)] = trial.checkerboard.harmonics
        for name, array in _imitation_arrays(trial.imitation).items():
            arrays[key(*who, name)] = array
    if comparison.inputs is not None:
        arrays["inputs"] = comparison.inputs
    for one in comparison.baselines:
        arrays[_baseline_key(one.name, "reconstructions")] = one.reconstructions
        for name, array in _imitation_arrays(one.imitation).items():
            arrays[_baseline_key(one.name, name)] = array
    unfinished = folder / f"{FILE}.tmp"
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(unfinished, folder / FILE)


def load(folder: Path) -> Comparison:
    """Return the results of a finished comparison.

    Raises:
        ConfigError: if this is not a finished comparison, if it is too old to have this file, or if
            one of its files is damaged or of another run.
    """
    if not (folder / "config.json").exists():
        more = f" It is unfinished. {next_step(folder)}" if partial_of(folder).exists() else ""
        raise ConfigError(f"{folder} is not a run: it has no config.json.{more}")
    config = read_config(folder)
    if not (folder / FILE).exists():
        raise ConfigError(_unfinished(folder, config))
    lines = read_metrics(folder)
    finals = [line for line in lines if line["kind"] == "final"]
    tasks = [(decoder, seed) for seed in config["seeds"] for decoder in config["decoders"]]
    partly = any(map(_damaged, finals))
    if partly or [(line["decoder"], line["seed"]) for line in finals] != tasks:
        raise ConfigError(
            f"{folder / 'metrics.jsonl'} is damaged: it does not hold one whole final measurement "
            "of each decoder and seed. Put back a copy of it."
        )
    path = folder / FILE
    with readable_arrays(path, "Put back a copy of it.") as arrays:
        _check_size(arrays, path)
        if "run" in arrays.files and str(arrays["run"]) != _run_of(config):
            raise ConfigError(
                f"{path} is of another run: {arrays['run']}. Put back the file of this run."
            )
        originals = arrays["originals"]
        labels = tuple(map(str, arrays["labels"]))
        trials = tuple(
            trial_of(final, lines, _arrays(arrays, final, index))
            for index, final in enumerate(finals)
        )
        inputs = arrays["inputs"] if "inputs" in arrays.files else None
        baselines = tuple(
            _saved_baseline(line, arrays) for line in lines if line["kind"] == "baseline"
        )
        shown = [one.reconstructions for one in baselines]
        judged: list[Trial | Baseline] = [*trials, *baselines]
        imitations = [one.imitation for one in judged if one.imitation]
        shown += [one.neighbours for one in imitations]
        radial = [one.spectrum for one in imitations]
        if (
            any(one.shape != originals.shape for one in shown)
            or (any((one.ndim, one.dtype.kind) != (1, "f") for one in radial))
            or (inputs is not None and (inputs.ndim, len(inputs)) != (4, len(originals)))
        ):
            raise ValueError("what it holds of inputs and baselines does not fit")
        for one in trials:
            most = config["epochs"][one.decoder]
            _check(
                one, originals, len(labels), range(1 if config.get("minutes") else most, most + 1)
            )
    return Comparison(config, floor_of(config), originals, labels, trials, inputs, baselines)


def _damaged(final: dict[str, Any]) -> bool:
    """Return whether a line lacks what a page shows; runs of before had no stages."""
    stages = final.get("stages", [])
    return bool(misfit(final, CHECKERBOARD, "final")) or not (
        isinstance(stages, list)
        and all(not misfit(one, STAGE, "stage") and len(one["period"]) == 2 for one in stages)
    )


def _unfinished(folder: Path, config: dict[str, Any]) -> str:
    if config["experiment"] == TRAIN:
        return (
            f"{folder} is a training of one model (polyphase train). Give the folder of a finished "
            "polyphase compare."
        )
    more = ""
    if folder.suffix == ".partial":
        more = f" To finish it: polyphase compare --resume {folder.with_suffix('')}."
    return f"{folder} has no {FILE}: it is not a finished comparison.{more}"


def _run_of(config: dict[str, Any]) -> str:
    """Return what tells a run from others."""
    return json.dumps([config["data"]["sha256"], config["started"]])


def _check_size(arrays: Any, path: Path) -> None:
    """Raise ValueError if arrays are larger than their file: only compressed ones are."""
    if sum(member.file_size for member in arrays.zip.infolist()) > path.stat().st_size:
        raise ValueError("its arrays are larger than the file; they are never compressed")


def _arrays(arrays: Any, final: dict[str, Any], index: int) -> dict[str, np.ndarray]:
    """Return a trial's arrays by their names; in older runs they are numbered."""
    numbered = f"{index}_reconstructions" in arrays.files
    keys = {
        name: f"{index}_{name}" if numbered else key(final["decoder"], final["seed"], name)
        for name in ("reconstructions", *_ARRAYS, _HARMONICS)
    }
    if keys[_HARMONICS] not in arrays.files:
        del keys[_HARMONICS]
    if "fid" in final:
        keys |= {name: key(final["decoder"], final["seed"], name) for name in _OF_IMITATIONS}
    return {name: arrays[one] for name, one in keys.items()}


def _check(trial: Trial, originals: np.ndarray, labels: int, epochs: range) -> None:
    """Raise ValueError unless the parts of a trial fit each other."""
    board = trial.checkerboard
    arrays = (originals, trial.reconstructions, board.pattern, board.mean_error, board.spectrum)
    harmonics = np.zeros((1, 1)) if board.harmonics is None else board.harmonics
    if (
        any(array.dtype.kind != "f" for array in (*arrays, harmonics))
        or originals.ndim != 4
        or trial.reconstructions.shape != originals.shape
        or labels != len(originals)
        or [array.ndim for array in arrays[2:]] != [2, 2, 1]
        or harmonics.ndim != 2
        or board.pattern.shape != board.mean_error.shape
        or not trial.history
        or (len(trial.history) not in epochs and not trial.history[-1].trouble)
    ):
        raise ValueError(f"what it holds of {trial.decoder}, seed {trial.seed}, does not fit")


def trial_of(final: dict[str, Any], lines: list[dict[str, Any]], arrays: dict[str, Any]) -> Trial:
    """Return a trial of its final line, all lines of its run, and its arrays by their names."""
    who = (final["decoder"], final["seed"])
    history = tuple(
        epoch_of(line)
        for line in lines
        if line["kind"] == "epoch" and (line["decoder"], line["seed"]) == who
    )
    reconstructions, imitation = arrays.pop("reconstructions"), imitation_of(final, arrays)
    return Trial(
        *who,
        final["parameters"],
        final["multiply_adds"],
        final.get("multiply_adds_computed"),
        tuple(final["offset"]) if final.get("offset") else None,
        history,
        final["psnr"],
        final["ssim"],
        final["inference_seconds"],
        reconstructions,
        Checkerboard(
            chi=final["chi"],
            bias=final["periodic_bias"],
            variance=final["periodic_variance"],
            stages=tuple(map(_stage, final.get("stages", []))),
            **arrays,
        ),
        final.get("decoder_seconds"),
        imitation,
    )


def _stage(line: dict[str, Any]) -> Stage:
    return Stage(
        line["layer"],
        tuple(line["period"]),
        line["chi"],
        line["untrained"],
        *(
            Pattern(*(line[of][name] for name in ("amplitude", "low", "high", "ratio")))
            for of in ("errors", "originals")
        ),
    )
