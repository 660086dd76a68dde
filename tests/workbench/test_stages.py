"""What a finished run keeps of its patterns: the same when it is read again, damage is named."""

import dataclasses
import json

import numpy as np
import pytest

from polyphase.workbench import ConfigError
from polyphase.workbench.evidence import load, save
from polyphase.workbench.runs import append_metrics, write_json
from tests.report.synthetic import comparison


@pytest.fixture
def folder(tmp_path):
    found = comparison(seeds=(0,), decoders=("nearest", "transposed-3"), epochs=1)
    found.config["data"]["floor"] = found.floor
    write_json(tmp_path / "config.json", found.config)
    for trial in found.trials:
        who = {"decoder": trial.decoder, "seed": trial.seed}
        append_metrics(
            tmp_path, kind="epoch", epoch=0, **who, **dataclasses.asdict(trial.history[0])
        )
        board = trial.checkerboard
        numbers = ("parameters", "multiply_adds", "validation_loss", "psnr", "ssim")
        append_metrics(
            tmp_path, kind="final", **who, inference_seconds=trial.inference_seconds,
            **{name: getattr(trial, name) for name in numbers},
            chi=board.chi, periodic_bias=board.bias, periodic_variance=board.variance,
            stages=[dataclasses.asdict(one) for one in board.stages],
        )  # fmt: skip
    save(found, tmp_path)
    return found, tmp_path


def changed(folder, change):
    path = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["kind"] == "final":
            change(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_stages_and_harmonics_come_back(folder):
    found, path = folder
    for ours, theirs in zip(load(path).trials, found.trials, strict=True):
        assert ours.checkerboard.stages == theirs.checkerboard.stages
        np.testing.assert_array_equal(ours.checkerboard.harmonics, theirs.checkerboard.harmonics)


def test_a_run_of_before_has_no_stages(folder):
    _, path = folder
    changed(path, lambda line: line.pop("stages"))
    assert all(trial.checkerboard.stages == () for trial in load(path).trials)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.update(stages=3),
        lambda line: line["stages"][0].pop("errors"),
        lambda line: line["stages"][0].update(period=[8]),
        lambda line: line["stages"][0]["errors"].update(low="0"),
    ],
)
def test_damaged_stages_are_named(folder, change):
    _, path = folder
    changed(path, change)
    with pytest.raises(ConfigError, match=r"metrics\.jsonl is damaged: it does not hold"):
        load(path)
