"""What a resumed run keeps of its lines and files, without training anything."""

import json
from pathlib import Path

import pytest

from polyphase.workbench import ConfigError
from polyphase.workbench.config import Contender
from polyphase.workbench.kept import forget_unfinished, model_path
from polyphase.workbench.runs import append_metrics, read_config, read_metrics

RESULTS = Path(__file__).parents[2] / "docs/results"


def contender(name):
    return Contender(name, lambda shape: None, 1, 8)


def test_only_the_search_and_the_epochs_of_finished_trainings_are_kept(tmp_path):
    two = [contender("a:b"), contender("a_b")]
    who = {"seed": 0, "validation_loss": 0.5}
    final = dict.fromkeys(("multiply_adds", "parameters"), 1) | dict.fromkeys(
        ("psnr", "ssim", "inference_seconds", "chi", "periodic_bias", "periodic_variance"), 0.1
    )
    append_metrics(tmp_path, kind="search", decoder="a:b", learning_rate=0.01, **who)
    for one in two:
        append_metrics(
            tmp_path, kind="epoch", decoder=one.name, epoch=0, loss=0.5, seconds=1.0, **who
        )
        append_metrics(tmp_path, kind="final", decoder=one.name, **who, **final)
    (tmp_path / "models").mkdir()
    model_path(tmp_path, two[0], 0).write_text("finished")
    for name in ("training-a_b-seed0.npz.tmp", "models/unfinished-a_b-seed0.keras"):
        (tmp_path / name).write_text("half")
    forget_unfinished(tmp_path, two, [0])
    left = [(line["kind"], line["decoder"]) for line in read_metrics(tmp_path)]
    assert left == [("search", "a:b"), ("epoch", "a:b")]
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "a%3Ab-seed0.keras", "metrics.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted(RESULTS.rglob("config.json")), ids=lambda p: p.parent.name)
def test_published_runs_are_whole(path):
    config, lines = read_config(path.parent), read_metrics(path.parent)
    trained = {line["decoder"] for line in lines if line["kind"] != "baseline"}
    assert trained == set(config["decoders"])


def test_a_damaged_line_is_named_by_its_number(tmp_path):
    append_metrics(tmp_path, kind="search", decoder="a", seed=1, learning_rate=1, validation_loss=2)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "other", "decoder": "a", "seed": "1"}) + "\n")
    with pytest.raises(ConfigError, match=r"metrics\.jsonl cannot be read: line 2\.seed is '1'\."):
        read_metrics(tmp_path)
