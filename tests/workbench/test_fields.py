"""Every field that a run writes is documented, and nothing else."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.workbench import schema
from polyphase.workbench.fields import CONFIG, EVIDENCE, GAN_EPOCH, IMITATION, METRICS, WHO

OPTIONAL = {"machine.accelerator"}  # only where a GPU is in use
INNER = ("data", "machine")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Comparisons of every task, one with a search; trainings of a model and of a generator."""
    place = tmp_path_factory.mktemp("fields")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype="uint8")
    np.save(place / "images.npy", pixels)
    common = ["--decoder", "nearest", "--data", str(place / "images.npy"), "--epochs", "1"]
    commands = {
        "compare": ["compare", "--search", "lr", "--seeds", "1"],
        "train": ["train", "autoencoder"],
        "denoise": ["compare", "--task", "denoise", "--search", "none", "--seeds", "1"],
        "gan": ["train", "gan", "--width", "4"],
        "generators": ["compare", "--task", "gan", "--width", "4", "--seeds", "1"],
        "enlarge": ["compare", "--task", "super-resolve", "--search", "none", "--seeds", "1"],
    }
    for name, words in commands.items():
        arguments = [*words, *common, "--batch-size", "8", "--out", str(place / name)]
        if name == "gan":
            arguments = [one.replace("--decoder", "--generator") for one in arguments]
        if name == "generators":
            arguments += ["--data", "digits", "--size", "8", "--batch-size", "64"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    return {name: place / name for name in commands}


def names_in(config):
    """Return the names of a configuration's fields, of two levels where they are documented so."""
    inner = {f"{key}.{name}" for key in INNER for name in config[key]}
    return inner | set(config) - set(INNER)


def test_fields_of_the_configuration(runs):
    written = [names_in(json.loads((run / "config.json").read_text())) for run in runs.values()]
    assert set.union(*written) | OPTIONAL == set(CONFIG)
    assert names_in(schema.RESUMED | {"machine": {}}) <= set(CONFIG)


def test_fields_of_the_metrics(runs):
    found = {}
    for run in runs.values():
        for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()):
            more = GAN_EPOCH if "spread" in line else IMITATION if "fid" in line else {}
            assert set(line) == set(WHO | METRICS[line["kind"]] | more), line
            found[line["kind"]] = line
    assert set(found) == set(METRICS) == set(schema.LINES)
    for kind, shape in schema.LINES.items():
        assert set(shape) <= set(WHO | METRICS[kind])
    assert set(schema.GAN) == set(GAN_EPOCH)
    assert set(schema.IMITATION) == set(IMITATION)
    assert set(schema.CHECKERBOARD) <= set(METRICS["final"])


def test_arrays_of_the_evidence(runs):
    names = set()
    for name in ("compare", "denoise", "enlarge", "generators"):
        with np.load(runs[name] / "evidence.npz") as arrays:
            names |= set(arrays.files)
    found = {name.replace("nearest/0/", "DECODER/SEED/") for name in names}
    assert {re.sub("^.+/untrained/", "NAME/untrained/", name) for name in found} == set(EVIDENCE)
