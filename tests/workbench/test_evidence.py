"""What a run found is saved under its decoders and seeds, and runs of older formats load."""

import json
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest

from polyphase.workbench import ConfigError
from polyphase.workbench.evidence import baseline_measures, load, measures, save
from polyphase.workbench.results import Imitation
from polyphase.workbench.runs import append_metrics
from tests.report.synthetic import comparison, generators

ARRAYS = ("reconstructions", "pattern", "mean_error", "spectrum", "harmonics")
NAMES = ("a:b", "a%3Ab", "mypackage.decoders:mine", "../../x", "..", "a/0/pattern", "größe:\u2014")


def run(folder, names=("nearest", "bilinear")):
    """Write a run of decoders with these names, each trained with the seeds 3 and 0."""
    found = comparison(seeds=(3, 0), decoders=("nearest", "bilinear"), epochs=2)
    trials = [replace(trial, decoder=name) for trial in found.of("nearest") for name in names]
    trials = [
        replace(trial, reconstructions=trial.reconstructions * np.float32(index))
        for index, trial in enumerate(trials)
    ]
    every = dict.fromkeys(names, 2)
    settings = {"decoders": list(names), "epochs": every, "batch_size": every}
    data = found.config["data"] | {"floor": found.floor}
    found = replace(found, config=found.config | settings | {"data": data}, trials=tuple(trials))
    lines = [
        {"kind": "epoch", "decoder": trial.decoder, "seed": trial.seed, "epoch": index}
        | {"loss": 0.5, "validation_loss": 0.25, "seconds": 1.0}
        for trial in trials
        for index in range(2)
    ]
    lines += [
        {"kind": "final", "decoder": trial.decoder, "seed": trial.seed, "validation_loss": 0.25}
        | {"parameters": 1, "multiply_adds": 2, "psnr": 3.0, "ssim": 0.5, "inference_seconds": 0.1}
        | {"chi": 0.0, "periodic_bias": 0.0, "periodic_variance": 0.0}
        for trial in trials
    ]
    (folder / "config.json").write_text(json.dumps(found.config))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    save(found, folder)
    return found


def same(found, other):
    """Assert that two comparisons have the same arrays."""
    assert [(t.decoder, t.seed) for t in found.trials] == [
        (t.decoder, t.seed) for t in other.trials
    ]
    np.testing.assert_array_equal(found.originals, other.originals)
    for one, two in zip(found.trials, other.trials, strict=True):
        np.testing.assert_array_equal(one.reconstructions, two.reconstructions)
        for name in ARRAYS[1:]:
            np.testing.assert_array_equal(
                getattr(one.checkerboard, name), getattr(two.checkerboard, name)
            )


def test_arrays_are_found_by_decoder_and_seed(tmp_path):
    found = run(tmp_path)
    with np.load(tmp_path / "evidence.npz") as arrays:
        wanted = {f"{d}/{s}/{a}" for d in ("nearest", "bilinear") for s in (0, 3) for a in ARRAYS}
        assert set(arrays.files) == wanted | {"originals", "labels", "run"}
        np.testing.assert_array_equal(
            arrays["bilinear/0/reconstructions"], found.of("bilinear")[1].reconstructions
        )


def test_every_name_is_safe_in_the_archive_and_comes_back(tmp_path):
    found = run(tmp_path, NAMES)
    with zipfile.ZipFile(tmp_path / "evidence.npz") as archive:
        members = [PurePosixPath(name) for name in archive.namelist()]
    assert len(set(members)) == 3 + 2 * len(NAMES) * len(ARRAYS)
    for path in members:
        assert len(path.parts) in (1, 3)
        assert not path.is_absolute()
        assert not {".", ".."} & set(path.parts)
        assert ":" not in str(path)
        assert "\\" not in str(path)
    same(load(tmp_path), found)


@pytest.mark.parametrize("names", [("nearest", "bilinear"), NAMES])
def test_a_run_whose_arrays_are_numbered_still_loads(tmp_path, names):
    found = run(tmp_path, names)
    numbered = {"originals": found.originals, "labels": np.array(found.labels, str)}
    for index, trial in enumerate(found.trials):
        numbered[f"{index}_reconstructions"] = trial.reconstructions
        for name in ARRAYS[1:]:
            numbered[f"{index}_{name}"] = getattr(trial.checkerboard, name)
    np.savez(tmp_path / "evidence.npz", **numbered)
    same(load(tmp_path), found)


def test_generators_come_back_with_all_that_was_measured(tmp_path):
    """Also a training that failed after its second epoch."""
    found = generators(seeds=(0, 1), decoders=("nearest", "subpixel"), failed=(("nearest", 1),))
    trials = list(found.trials)
    place = next(index for index, one in enumerate(trials) if one.history[-1].trouble)
    ends = (trials[place].history[0], trials[place].history[-1])
    trials[place] = replace(trials[place], history=ends)
    data = found.config["data"] | {"floor": 0.2}
    found = replace(found, config=found.config | {"data": data}, trials=tuple(trials))
    (tmp_path / "config.json").write_text(json.dumps(found.config))
    for one in found.trials:
        who = {"decoder": one.decoder, "seed": one.seed}
        for epoch, result in enumerate(one.history):
            append_metrics(tmp_path, kind="epoch", **who, epoch=epoch, **result.measured)
        append_metrics(tmp_path, kind="final", **who, **measures(one))
    for one in found.baselines:
        line = {"decoder": one.name, "seed": None} | baseline_measures(one)
        append_metrics(tmp_path, kind="baseline", **line)
    save(found, tmp_path)
    again = load(tmp_path)
    same(found, again)
    assert again.trials[place].history[-1].trouble == ends[1].trouble
    pairs = [*zip(found.trials, again.trials, strict=True)]
    pairs += zip(found.baselines, again.baselines, strict=True)
    for one, two in pairs:
        assert repr(measured(one.imitation)) == repr(measured(two.imitation))
        np.testing.assert_array_equal(one.imitation.spectrum, two.imitation.spectrum)
        np.testing.assert_array_equal(one.imitation.neighbours, two.imitation.neighbours)
    with np.load(tmp_path / "evidence.npz") as arrays:
        values = {name: arrays[name] for name in arrays.files}
    for change in (
        {"nearest/0/neighbours": values["nearest/0/neighbours"][:, :-1]},
        {"nearest/0/radial": values["nearest/0/radial"][None]},
        {"nearest/0/radial": values["nearest/0/radial"].astype("int64")},
    ):
        np.savez(tmp_path / "evidence.npz", **(values | change))
        with pytest.raises(ConfigError, match="does not fit. Put back a copy"):
            load(tmp_path)


def measured(imitation):
    return {name: getattr(imitation, name) for name in Imitation.names()}
