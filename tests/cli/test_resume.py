"""`polyphase compare --resume`: killed at random times, it ends as if it never was."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.workbench import ConfigError, checkpoint, search
from polyphase.workbench.resume import check_options
from polyphase.workbench.runs import read_config

RUN = CliRunner()
OPTIONS = ["--data", "images.npy", "--batch-size", "8", "--decoder", "nearest",
           "--decoder", "transposed-3", "--seeds", "1", "--search", "none"]  # fmt: skip
PROGRAM = "from polyphase_command import main; main()"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 10), dtype="uint8")
    np.save("images.npy", pixels)


def invoke(*arguments):
    result = RUN.invoke(app, ["compare", *arguments])
    assert result.exit_code == 0, result.output
    return result


def weights(run):
    return {
        path.name: keras.saving.load_model(path).get_weights()
        for path in Path(run, "models").iterdir()
    }


def metrics(run):
    """Return all lines, without times."""
    lines = [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines]


def assert_same(one, other):
    assert repr(metrics(one)) == repr(metrics(other))  # NaN is NaN
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, arrays in first.items():
        for ours, theirs in zip(arrays, second[name], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def killed(*arguments, least):
    """Run until so many epochs are recorded and a random time has passed; then kill -9."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "compare", *arguments],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    path, deadline = Path("run.partial/metrics.jsonl"), time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and path.read_text().count("\n") >= least:
            break
        time.sleep(0.01)
    time.sleep(random.random())
    assert process.poll() is None, process.communicate()[1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not Path("run").exists()


@pytest.mark.exhaustive
def test_a_run_that_is_killed_twice_ends_as_one_that_was_not(backend):
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    options = [*OPTIONS, "--epochs", "40"]
    invoke(*options, "--out", "whole")
    killed(*options, "--out", "run", least=3)
    killed("--resume", "run", least=43)
    invoke("--resume", "run.partial")
    assert_same("whole", "run")
    assert not Path("run.partial").exists()
    assert not list(Path("run").glob("training*"))


@pytest.mark.grid(1)
@pytest.mark.parametrize("task", ["denoise", "super-resolve", "gan"])
def test_every_task_goes_on(task, backend):
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    more = ["--data", "digits", "--size", "8", "--width", "4"] if task == "gan" else []
    invoke(*OPTIONS, *more, "--epochs", "2", "--task", task, "--out", "whole")
    shutil.copytree("whole", "run.partial")
    Path("run.partial/models/transposed-3-seed0.keras").unlink()
    Path("run.partial/evidence.npz").unlink()
    invoke("--resume", "run")
    assert_same("whole", "run")


@pytest.mark.exhaustive
def test_a_torn_line_and_an_unfinished_model_are_no_harm(monkeypatch):
    options = [*OPTIONS, "--epochs", "2", "--search", "lr"]
    monkeypatch.setattr(search, "LEARNING_RATES", search.FIRST)
    invoke(*options, "--out", "whole")
    Path("whole").rename("run.partial")
    Path("run.partial/models/transposed-3-seed0.keras").rename(
        "run.partial/models/unfinished-transposed-3-seed0.keras"
    )
    lines = Path("run.partial/metrics.jsonl").read_text().splitlines(keepends=True)
    Path("run.partial/metrics.jsonl").write_text("".join(lines[:-2]) + '{"kind": "fin')
    invoke("--resume", "run")
    invoke(*options, "--out", "again")
    assert_same("again", "run")


def test_a_search_gives_each_decoder_a_rate_of_the_same_grid(monkeypatch):
    for name in ("LEARNING_RATES", "FIRST"):
        monkeypatch.setattr(f"polyphase.workbench.search.{name}", (1e-6, 0.01))
    invoke(*OPTIONS, "--epochs", "2", "--search", "lr", "--match", "parameters", "--out", "run")
    config = json.loads(Path("run/config.json").read_text())
    assert (config["match"], config["search"]) == ("parameters", "lr")
    searches = [line for line in metrics("run") if line["kind"] == "search"]
    first = [line for line in searches if line["seed"] == 1]
    assert [(line["decoder"], line["learning_rate"]) for line in first] == [
        ("nearest", 1e-6), ("nearest", 0.01), ("transposed-3", 1e-6), ("transposed-3", 0.01),
    ]  # fmt: skip
    assert {line["seed"] for line in searches} == {1, 2}  # not a seed of the comparison
    for name, rate in config["learning_rate"].items():
        losses = {}
        for line in searches:
            if line["decoder"] == name:
                losses.setdefault(line["learning_rate"], []).append(line["validation_loss"])
        assert rate == min(losses, key=lambda one: max(losses[one]))
        assert len(losses[rate]) == 2


def test_trainings_to_a_plateau_are_resumed_too(monkeypatch):
    monkeypatch.setattr("polyphase.workbench.plateau.LEAST", 2)
    monkeypatch.setattr("polyphase.workbench.plateau.GAIN", 0.05)
    options = [*OPTIONS, "--epochs", "auto", "--minutes", "2"]
    invoke(*options, "--out", "whole")
    epochs = [line["decoder"] for line in metrics("whole") if line["kind"] == "epoch"]
    counts = {name: epochs.count(name) for name in ("nearest", "transposed-3")}
    assert all(3 <= count < 200 for count in counts.values())
    config = json.loads(Path("whole/config.json").read_text())
    assert (config["minutes"], config["epochs"]["nearest"]) == (2.0, 2000)
    Path("whole").rename("run.partial")
    Path("run.partial/models/transposed-3-seed0.keras").unlink()
    invoke("--resume", "run", "--epochs", "auto")
    invoke(*options, "--out", "again")
    assert_same("again", "run")


def test_what_cannot_be_resumed_is_said_in_a_line():
    def refused(*arguments):
        result = RUN.invoke(app, ["compare", *arguments])
        assert result.exit_code == 2
        return " ".join(result.output.split())

    assert "There is no unfinished run" in refused("--resume", "nowhere")
    assert "There is no unfinished run" in refused("--resume", "run", "--epochs", "3")
    Path("folder").mkdir()
    for none in ("folder", "images.npy", ".", "..", "/"):
        assert "is not a run: it has no config.json" in refused("--resume", none), none
    invoke(*OPTIONS, "--epochs", "1", "--out", "run")
    assert "is complete: there is nothing to resume" in refused("--resume", "run")
    Path("run.partial").mkdir()
    assert "Both run and run.partial exist" in refused("--resume", "run")
    Path("run.partial").rmdir()
    Path("run").rename("run.partial")
    assert "To continue: polyphase compare --resume run" in refused(*OPTIONS, "--out", "run")
    np.save("images.npy", np.zeros((60, 8, 10), "uint8"))
    assert "SHA-256 differs" in refused("--resume", "run")
    config = json.loads(Path("run.partial/config.json").read_text())
    config["versions"]["keras"] = "2.0"
    Path("run.partial/config.json").write_text(json.dumps(config))
    assert "was begun with keras 2.0" in refused("--resume", "run")


GIVEN = {
    "--data": ("images.npy", "digits"),
    "--size": (None, "9"),
    "--grey": (None, ()),
    "--decoder": ("nearest", "bilinear"),
    "--epochs": ("1", "2"),
    "--batch-size": ("8", "9"),
    "--seeds": ("1", "5"),
    "--experiment": ("fair", "published"),
    "--task": ("reconstruct", "denoise"),
    "--noise": (None, "0.2"),
    "--scale": (None, "4"),
    "--loss": (None, "non-saturating"),
    "--penalty": (None, "1.0"),
    "--discriminator": (None, "blurred"),
    "--match": (None, "parameters"),
    "--search": ("none", "lr"),
    "--minutes": (None, "3"),
    "--width": ("8", "9"),
    "--encoder": ("centred", "even"),
    "--margin": (None, "0.001"),
    "--devices": (None, "2"),
    "--tensorboard": (None, ()),
    "--out": ("run", "elsewhere"),
}


@pytest.fixture
def stopped():
    """An unfinished run of one decoder, in which all is trained."""
    invoke("--data", "images.npy", "--batch-size", "8", "--decoder", "nearest", "--seeds", "1",
           "--epochs", "1", "--search", "none", "--out", "run")  # fmt: skip
    Path("run").rename("run.partial")


def test_options_beside_resume_are_those_of_the_run_or_refused_by_name(stopped):
    before = {path: path.read_bytes() for path in Path("run.partial").rglob("*.*")}
    for option, (_, other) in GIVEN.items():
        words = [option] if other == () else [option, other]
        result = RUN.invoke(app, ["compare", "--resume", "run", *words])
        assert result.exit_code == 2, (option, result.output)
        assert result.stderr.count("\n") == 1
        assert f"run was begun with {'no ' * (option in NONE)}{option}" in result.stderr
        assert {path: path.read_bytes() for path in Path("run.partial").rglob("*.*")} == before
    same = [word for option, (same, _) in GIVEN.items() if same for word in (option, same)]
    invoke("--resume", "run", *same)
    assert Path("run").exists()


NONE = [option for option, (same, _) in GIVEN.items() if same is None]


def test_every_option_of_compare_is_compared_or_free_beside_resume():
    command = typer.main.get_command(app).commands["compare"]
    options = {one.opts[0] for one in command.params} - {"--help"}
    assert options == {*GIVEN, "--resume", "--workers", "--scheduler"}


def test_a_margin_and_workers_are_remembered(stopped):
    path = Path("run.partial/config.json")
    kept = {"margin": 0.25, "workers": "2"}
    path.write_text(json.dumps(json.loads(path.read_text()) | kept))
    result = RUN.invoke(app, ["compare", "--resume", "run", "--margin", "0.5"])
    assert result.exit_code == 2
    assert "run was begun with --margin 0.25. Received: --margin 0.5" in result.stderr
    invoke("--resume", "run", "--margin", "0.25")
    config = json.loads(Path("run/config.json").read_text())
    assert {key: config[key] for key in kept} == kept
    assert "none is shown" in Path("run/report.html").read_text()


def test_tensorboard_is_remembered_and_written_whole(stopped):
    config = json.loads(Path("run.partial/config.json").read_text())
    Path("run.partial/config.json").write_text(json.dumps(config | {"tensorboard": True}))
    Path("run.partial/tensorboard").mkdir()
    Path("run.partial/tensorboard/half").write_text("torn")
    invoke("--resume", "run")
    assert [path.name for path in Path("run/tensorboard").iterdir()] == ["nearest-seed0"]


TRAIN = {
    "autoencoder": ["--decoder", "nearest"],
    "gan": ["--generator", "nearest", "--size", "8", "--width", "4"],
}


def trained(kind, *more):
    words = [*TRAIN[kind], "--data", "images.npy", "--batch-size", "8", "--epochs", "3"]
    result = RUN.invoke(app, ["train", kind, *words, *more])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("kind", TRAIN)
def test_a_training_of_one_model_goes_on(kind, backend, monkeypatch):
    """It dies when its second epoch is saved; what was finished is not trained again."""
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    trained(kind, "--out", "whole")
    save = checkpoint.save

    def save_and_die(path, variables, history, task):
        save(path, variables, history, task)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_die)
        words = [*TRAIN[kind], "--data", "images.npy", "--batch-size", "8", "--epochs", "3"]
        stopped = RUN.invoke(app, ["train", kind, *words, "--out", "run"])
    assert stopped.exit_code == 130
    assert f"To continue: polyphase train {kind} --resume run" in stopped.stderr
    wrong = {"autoencoder": "gan", "gan": "autoencoder"}[kind]
    for command in (["compare"], ["train", wrong]):
        refused = RUN.invoke(app, [*command, "--resume", "run"])
        assert refused.exit_code == 2
        assert f"is a run of `polyphase train {kind}`. To continue: " in refused.stderr
    other = RUN.invoke(app, ["train", kind, "--resume", "run", "--seed", "4"])
    assert other.exit_code == 2
    assert "was begun with --seed 0. Received: --seed 4" in other.stderr
    result = RUN.invoke(app, ["train", kind, "--resume", "run", *TRAIN[kind][:2], "--epochs", "3"])
    assert result.exit_code == 0, result.output
    assert repr(metrics("whole")) == repr(metrics("run"))  # NaN is NaN
    files = sorted(path.name for path in Path("run").iterdir())
    assert files == sorted(path.name for path in Path("whole").iterdir())
    for name in files:
        if name.endswith((".png", ".webp")):
            assert Path("run", name).read_bytes() == Path("whole", name).read_bytes()
        if name.endswith(".keras"):
            one, two = (keras.saving.load_model(Path(run, name)) for run in ("run", "whole"))
            for ours, theirs in zip(one.get_weights(), two.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, theirs)
    complete = RUN.invoke(app, ["train", kind, "--resume", "run"])
    assert complete.exit_code == 2
    assert "is complete: there is nothing to resume" in complete.stderr


@pytest.mark.parametrize("kind", TRAIN)
def test_every_option_of_train_is_compared_beside_resume(kind):
    command = typer.main.get_command(app).commands["train"].commands[kind]
    names = {one.name for one in command.params} - {"resume", "help"}
    trained(kind, "--out", "run")
    Path("run").rename("run.partial")
    config = read_config(Path("run.partial"))
    check_options({}, config, Path("run"))
    for name in names:
        with pytest.raises(ConfigError, match="run was begun with "):
            check_options({name: 99 if name == "size" else "another"}, config, Path("run"))


def test_the_help_teaches_to_resume():
    text = " ".join(RUN.invoke(app, ["compare", "--help"]).output.split())
    assert "polyphase compare --resume RUN" in text


@pytest.mark.exhaustive
def test_a_full_disk_is_an_error_and_what_was_measured_stays():
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));" + PROGRAM
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "compare", *OPTIONS, "--epochs", "2", "--out", "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "Cannot write into run.partial (File too large)" in done.stderr
    assert [line["kind"] for line in metrics("run.partial")] == ["epoch", "epoch"]
    invoke("--resume", "run")
    assert len([line for line in metrics("run") if line["kind"] == "epoch"]) == 4
