"""Whatever state a kill leaves on disk, the run that is resumed from it ends as one never killed.

The states are seen, not guessed: before every operation on a file below the run's folder, Python's
audit hook copies the folder, as it is on disk, unflushed buffers missing.
"""

import json
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import ConfigError, compare, record, run_folder, search
from polyphase.workbench.config import Contender
from polyphase.workbench.evidence import load as found_by
from polyphase.workbench.evidence import save
from polyphase.workbench.resume import unfinished
from polyphase.workbench.runs import write_json

OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "shutil.rmtree")


def small(shape):
    return keras.Sequential(
        [keras.Input(shape), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    )


# Their names differ by what a file's name cannot hold; their models have the same shapes.
TWO = [
    Contender(name, small, 2, 16, widths=(8, 8), width=8, encoder="centred")
    for name in ("a:b", "a_b")
]


@pytest.fixture(autouse=True)
def _cached(tmp_path_factory, backend):
    """Let JAX compile each program once for all runs of this file."""
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    import jax

    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = [getattr(jax.config, name) for name in names]
    if before[0] is None:
        folder = tmp_path_factory.getbasetemp() / "compiled"
        for name, value in zip(names, (str(folder), 0), strict=True):
            jax.config.update(name, value)
    yield
    for name, value in zip(names, before, strict=True):
        jax.config.update(name, value)


class Recorder:
    """Copies a folder before every operation on a file in it, while it is watching."""

    def __init__(self, watched, states):
        self.watched, self.states, self.watching = str(watched), states, False
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if not self.watching or event not in OPERATIONS:
            return
        named = [str(one) for one in arguments if isinstance(one, str | Path)]
        reads = event == "open" and "w" not in str(arguments[1]) and "a" not in str(arguments[1])
        if reads or not any(self.watched in name for name in named):
            return
        self.watching = False
        if Path(self.watched).exists():
            state = self.states / f"{len(list(self.states.iterdir())):03}" / "run.partial"
            shutil.copytree(self.watched, state)
        self.watching = True


def run(target, dataset, resume=False, searching=False):
    """Do what the command does, or go on with it."""
    with run_folder(target, resume) as folder:
        new = record(["polyphase"], "fair", dataset, TWO, [0])
        config = unfinished(target, "polyphase compare") if resume else new
        write_json(folder / "config.json", config)
        chosen = search.searched(TWO, dataset, (1, 2), folder) if searching else TWO
        comparison = compare(chosen, dataset, [0], config, folder)
        save(comparison, folder)


def lines(target):
    """Return all lines, without times."""
    text = (target / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(one).items() if "seconds" not in k} for one in text]


def assert_same(one, other):
    assert lines(one) == lines(other)
    names = [sorted(str(path.relative_to(run)) for path in run.rglob("*")) for run in (one, other)]
    assert names[0] == names[1]
    for path in (one / "models").iterdir():
        models = [keras.saving.load_model(run / "models" / path.name) for run in (one, other)]
        values = [[*model.variables, *model.optimizer.variables] for model in models]
        for ours, theirs in zip(*values, strict=True):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)))
    for ours, theirs in zip(found_by(one).trials, found_by(other).trials, strict=True):
        np.testing.assert_array_equal(ours.reconstructions, theirs.reconstructions)


def different(states):
    """Return one of each group of states that are equal, and each with what it wrote last torn."""
    kept, torn, before = [], [], {}
    for state in sorted(states.iterdir()):
        root = state / "run.partial"
        files = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
        if files == before:
            continue
        kept.append(state)
        for name, content in files.items():
            written = name.suffix in (".tmp", ".jsonl") or name.name.startswith("unfinished-")
            if written and len(content) > 1 and before.get(name) != content:
                torn.append(states / f"{state.name}-{name.name}")
                shutil.copytree(state, torn[-1])
                appended = content.startswith(before.get(name, b""))
                added = len(content) - (len(before.get(name, b"")) if appended else 0)
                shorter = content[: len(content) - added // 3]
                (torn[-1] / "run.partial" / name).write_bytes(shorter)
        before = files
    return kept + torn


@pytest.mark.parametrize(
    "searching",
    [
        pytest.param(False, id="compare", marks=pytest.mark.exhaustive),
        pytest.param(True, id="search"),
    ],
)
def test_every_state_is_resumed_to_the_same_end(tmp_path, monkeypatch, searching):
    monkeypatch.setattr(search, "LEARNING_RATES", search.FIRST)
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    states = tmp_path / "states"
    states.mkdir()
    recorder = Recorder(tmp_path / "whole.partial", states)
    recorder.watching = True
    run(tmp_path / "whole", dataset, searching=searching)
    recorder.watching = False
    found = different(states)
    assert len(found) > 30
    if searching:  # what follows a search is as without one
        found = [one for one in found if not (one / "run.partial" / "models").exists()]
    for state in found:
        target, partial = state / "run", state / "run.partial"
        if not (partial / "config.json").exists():
            with pytest.raises(ConfigError, match="no config.json"):
                unfinished(target, "polyphase compare")
            continue
        run(target, dataset, resume=True, searching=searching)
        assert_same(tmp_path / "whole", target)
