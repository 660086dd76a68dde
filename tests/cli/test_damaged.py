"""A damaged file of a run: one sentence and exit 2, nothing lost, and the other runs are listed."""

import io
import json
import pickle
import shutil

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two finished runs on the same images; `nearest` and `bilinear` have the same shapes."""
    place = tmp_path_factory.mktemp("damaged")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype="uint8")
    np.save(place / "images.npy", pixels)
    for name, decoders in (("one", ("nearest", "bilinear")), ("two", ("transposed-3",))):
        words = [word for decoder in decoders for word in ("--decoder", decoder)]
        result = RUN.invoke(
            app,
            ["compare", "--data", str(place / "images.npy"), "--epochs", "1", "--batch-size", "8",
             "--search", "none", "--seeds", "1", *words, "--out", str(place / name)],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
    return place


@pytest.fixture
def run(made, tmp_path):
    """A copy of the first run, to damage; the second lies beside it."""
    for name in ("one", "two"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path / "one"


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(*arguments, named):
    result = RUN.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 2, result.output
    *progress, error = result.stderr.splitlines()
    assert error.startswith("Error: "), result.stderr
    assert "Error: " not in " ".join(progress)
    assert "Traceback" not in result.output
    text = " ".join(result.stderr.split())
    assert named in text, text
    return text


class Bomb:
    def __reduce__(self):
        return exec, ("raise AssertionError('unpickled')",)


BROKEN = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "garbage": lambda content: b"\xff\xfegarbage\n" * 20,
    "pickle": lambda content: pickle.dumps(Bomb()),
    "missing": lambda content: None,
}


def damage(path, how):
    content = BROKEN[how](path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)


def changed(config, name, value):
    """Return a configuration in which one value is another."""
    *outer, last = name.split(".")
    inner = config
    for one in outer:
        inner = inner[one]
    inner[last] = value
    return config


WRONG = [
    ("seeds", "3"), ("seeds", [0.5]), ("seeds", []), ("seeds", [True]), ("decoders", "nearest"),
    ("decoders", [1]), ("decoders", []), ("epochs", 1), ("epochs", {}), ("epochs.nearest", "1"),
    ("epochs.nearest", 0), ("batch_size", None), ("batch_size.nearest", -8), ("data", "x"),
    ("data.source", 3), ("data.sha256", None), ("data.floor", "low"), ("versions", []),
    ("versions.keras", 3), ("backend", None), ("started", "yesterday"), ("started", 5),
    ("experiment", None), ("command", []), ("margin", "0.1"), ("workers", 2),
]  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_configuration(run, how):
    damage(run / "config.json", how)
    before = contents(run)
    refused("report", run, "--out", run.parent / "page", named="config.json")
    listed = RUN.invoke(app, ["runs", str(run.parent)], env={"COLUMNS": "160"})
    assert listed.exit_code == 0
    assert "transposed-3" in listed.stdout
    assert any("one" in line and "damaged" in line for line in listed.stdout.splitlines())
    run.rename(run.with_name("one.partial"))
    refused("compare", "--resume", run, named="config.json")
    assert contents(run.with_name("one.partial")) == before


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_values_in_a_configuration(run, name, value):
    path = run / "config.json"
    path.write_text(json.dumps(changed(json.loads(path.read_text()), name, value)))
    refused("report", run, "--out", run.parent / "page", named="config.json")
    listed = RUN.invoke(app, ["runs", str(run.parent)], env={"COLUMNS": "160"})
    assert any("one" in line and "damaged" in line for line in listed.stdout.splitlines())
    run.rename(run.with_name("one.partial"))
    refused("compare", "--resume", run, named="config.json")


@pytest.mark.parametrize("how", [*BROKEN, "first line", "another kind", "a list", "a text"])
@pytest.mark.grid(4)
def test_broken_metrics(run, how):
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines()
    new = {
        "first line": [lines[0][:20], *lines[1:]],
        "another kind": [*lines[:-1], json.dumps({"kind": 3})],
        "a list": [*lines, "[1]"],
        "a text": [lines[0].replace('"loss": ', '"loss": "x", "was": '), *lines[1:]],
    }
    if how == "half":
        path.write_text(lines[0] + "\n" + lines[1][:9])  # else it may be as a kill leaves it
    elif how in BROKEN:
        damage(path, how)
    else:
        path.write_text("\n".join(new[how]) + "\n")
    before = contents(run)
    refused("report", run, "--out", run.parent / "page", named="metrics.jsonl")
    listed = RUN.invoke(app, ["runs", str(run.parent)], env={"COLUMNS": "160"})
    assert "transposed-3" in listed.stdout
    assert any("one" in line and "damaged" in line for line in listed.stdout.splitlines())
    run.rename(run.with_name("one.partial"))
    refused("compare", "--resume", run, named="metrics.jsonl")
    after = contents(run.with_name("one.partial"))
    assert {name: after[name] for name in before if "metrics" not in name} == {
        name: before[name] for name in before if "metrics" not in name
    }


def test_a_half_last_line_of_a_finished_run_is_damage_and_of_an_unfinished_one_is_not(run):
    path = run / "metrics.jsonl"
    path.write_text(path.read_text()[:-9])
    refused("report", run, "--out", run.parent / "page", named="metrics.jsonl")
    run.rename(run.with_name("one.partial"))
    listed = RUN.invoke(app, ["runs", str(run.parent)], env={"COLUMNS": "160"})
    assert "damaged" not in listed.output
    result = RUN.invoke(app, ["compare", "--resume", str(run)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "how", [*BROKEN, "objects", "another run's", "shapes", "lacking", "compressed"]
)
def test_broken_evidence(run, how):
    path = run / "evidence.npz"
    with np.load(path) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    new = {
        "objects": values | {"labels": np.array([Bomb()], dtype=object)},
        "shapes": values | {"nearest/0/reconstructions": values["originals"][:3]},
        "lacking": {name: values[name] for name in values if name != "bilinear/0/spectrum"},
        "compressed": values | {"originals": np.zeros((8, 999, 999, 1), np.float32)},
    }
    if how in BROKEN:
        damage(path, how)
    elif how == "another run's":
        shutil.copy(run.with_name("two") / "evidence.npz", path)
    else:
        buffer = io.BytesIO()
        write = np.savez_compressed if how == "compressed" else np.savez
        write(buffer, **new[how])
        path.write_bytes(buffer.getvalue())
    said = refused("report", run, "--out", run.parent / "page", named="evidence.npz")
    assert ("larger than the file" in said) == (how == "compressed")
    assert not (run.parent / "page").exists()
    listed = RUN.invoke(app, ["runs", str(run.parent)], env={"COLUMNS": "160"})
    assert listed.exit_code == 0
    assert "transposed-3" in listed.stdout
    if how in BROKEN:
        assert any("one" in line and "damaged" in line for line in listed.stdout.splitlines())


@pytest.mark.parametrize(
    "how", ["empty", "half", "garbage", "pickle", "other shapes", "same shapes"]
)
@pytest.mark.grid(2)
def test_a_broken_model_of_a_run_that_is_resumed(run, how):
    path = run / "models/nearest-seed0.keras"
    other = {
        "other shapes": run.with_name("two") / "models/transposed-3-seed0.keras",
        "same shapes": run / "models/bilinear-seed0.keras",
    }
    shutil.copy(other[how], path) if how in other else damage(path, how)
    before = contents(run / "models")
    run.rename(run.with_name("one.partial"))
    text = refused("compare", "--resume", run, named="nearest-seed0.keras")
    assert "starts anew" in text
    assert contents(run.with_name("one.partial") / "models") == before
    keras.utils.clear_session()
