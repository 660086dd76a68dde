"""The commands end to end: what they leave, what they refuse, and how."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import polyphase as pp
from polyphase.cli.app import app
from polyphase.datasets import load
from polyphase.workbench import contender
from polyphase.workbench.checkerboards import gains_of
from polyphase.workbench.training import untrained

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images(tmp_path):
    """60 small asymmetric colour images with class labels from a stranger."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 10, 3), dtype="uint8")
    np.savez(tmp_path / "images.npz", x_train=pixels, y_train=np.array(["<b>&"] * 60))
    return "images.npz"


def test_compare_leaves_a_complete_run(images):
    names = ["nearest", "subpixel"]
    arguments = ["compare", "--data", images, "--epochs", "2", "--batch-size", "8", "--out", "run"]
    arguments += ["--search", "none", "--decoder", names[0], "--decoder", names[1], "--tensorboard"]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    run = Path("run")
    assert not Path("run.partial").exists()
    assert sorted(path.name for path in run.iterdir()) == [
        "config.json",
        "evidence.npz",
        "figures",
        "metrics.jsonl",
        "models",
        "report.html",
        "tensorboard",
    ]
    assert json.loads((run / "config.json").read_text())["decoders"] == names
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert sum(line["kind"] == "epoch" for line in lines) == 2 * 3 * 2
    finals = [line for line in lines if line["kind"] == "final"]
    assert {(line["decoder"], line["seed"]) for line in finals} == {
        (name, seed) for name in names for seed in (0, 1, 2)
    }
    assert all(line["decoder_seconds"] > 0 for line in finals)
    page = (run / "report.html").read_text()
    assert '<th scope="col">decoding' in page
    losses = [line["validation_loss"] for line in finals if line["decoder"] == "nearest"]
    assert f"{np.mean(losses):.4f}" in page
    assert "<b>&" not in page
    assert str(run / "report.html") in result.stdout
    for line in finals:
        name = f"{line['decoder']}-seed{line['seed']}.keras"
        model = keras.saving.load_model(run / "models" / name)
        assert model.count_params() == line["parameters"]
        first = untrained(contender(line["decoder"]), load(images), line["seed"])
        assert [one["untrained"] for one in line["stages"]] == gains_of(first)
        assert isinstance(
            model.get_layer("up_1"), (pp.layers.UpSampleConv2D, pp.layers.SubPixelConv2D)
        )


def test_train_leaves_a_model_and_its_reconstructions(images):
    arguments = ["train", "autoencoder", "--decoder", "transposed-4", "--data", images]
    result = RUN.invoke(app, [*arguments, "--epochs", "1", "--batch-size", "8", "--out", "run"])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("run").iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model.keras",
        "reconstructions.png",
    ]
    assert "Validation loss:" in result.stdout


def test_the_tutorials_autoencoder_trains_on_a_users_own_photographs():
    Path("photos").mkdir()
    for index in range(12):
        pixels = np.random.default_rng(index).integers(0, 256, (40 + index, 50, 3), dtype="uint8")
        Image.fromarray(pixels).save(f"photos/{index}.jpg")
    arguments = ["train", "autoencoder", "--data", "photos", "--epochs", "1", "--batch-size", "4"]
    result = RUN.invoke(app, [*arguments, "--size", "32", "--out", "run"])
    assert result.exit_code == 2
    assert "--size 28 --grey" in result.stderr
    result = RUN.invoke(app, [*arguments, "--size", "28", "--grey", "--out", "run"])
    assert result.exit_code == 0, result.output
    assert keras.saving.load_model("run/model.keras").input_shape == (None, 28, 28, 1)
    data = json.loads(Path("run/config.json").read_text())["data"]
    assert (data["size"], data["grey"], data["shape"]) == ("28x28", True, [28, 28, 1])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("upsampling", "[[1. 1. 2. 2.]\n [1. 1. 2. 2.]\n [3. 3. 4. 4.]\n [3. 3. 4. 4.]]"),
        ("smoothing", "(64, 64, 1)"),
        ("transposed", "[[1. 0. 2. 0.]\n [0. 0. 0. 0.]\n [3. 0. 4. 0.]\n [0. 0. 0. 0.]]"),
        ("upsampling-generator", "(10, 10, 1)"),
        ("transposed-generator", "(10, 10, 1)"),
        ("checkerboard", "kernel 3, stride 2:\n[[4. 2.]\n [2. 1.]]"),
    ],
)
@pytest.mark.grid(2)
def test_demo_prints_its_arrays_and_saves_its_figure(name, shown):
    result = RUN.invoke(app, ["demo", name])
    assert result.exit_code == 0, result.output
    assert shown in result.stdout
    assert Path(f"runs/demo-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in Path("runs").iterdir()] == [f"demo-{name}.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--data", "nowhere.npz"], "nowhere.npz"),
        (["compare", "--decoder", "cubist"], "Choose from: nearest, bilinear"),
        (["compare", "--decoder", "upsampling"], "--experiment published"),
        (["compare", "--decoder", "nearest", "--decoder", "nearest"], "once"),
        (["compare", "--batch-size", "5000"], "training set of 1150"),
        (["compare", "--margin", "0"], "received 0.0; give a difference of losses above 0"),
        (["compare", "--margin", "nan"], "received nan; give a difference of losses above 0"),
        (["compare", "--margin", "0.1", "--experiment", "published"], "calls nothing equal"),
        (["report", "run", "--margin", "0.1"], "No such option"),
        (["compare", "--size", "28x"], "HEIGHTxWIDTH, such as 28 or 28x40"),
        (["compare", "--experiment", "published", "--data", "photographs"], "--size 28 --grey"),
        (["compare", "--out", "file/run"], "Cannot create the folder"),
        (["train", "autoencoder", "--decoder", "cubist"], "Choose from: nearest"),
        (["train", "autoencoder", "--data", "text.npz"], "text.npz"),
        (["train", "autoencoder", "--data", "nan.npy"], "nan.npy"),
        (["train", "autoencoder", "--data", "empty"], "empty"),
        (["train", "autoencoder", "--data", "small.npy"], "28x28"),
        (["demo", "smoothing", "--out", "file/figures"], "Cannot write"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_left(arguments, message):
    Path("file").write_text("in the way")
    Path("text.npz").write_text("no archive")
    Path("empty").mkdir()
    np.save("nan.npy", np.full((20, 28, 28), np.nan, "float32"))
    np.save("small.npy", np.zeros((50, 9, 9), "uint8"))
    before = sorted(Path().rglob("*"))
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "--epochs", "0"],
        ["compare", "--seeds", "-1"],
        ["compare", "--experiment", "unfair"],
        ["compare", "--experiment", "published", "--decoder", "nearest"],
        ["compare", "--experiment", "published", "--encoder", "even"],
        ["compare", "--epochs", "plateau"],
        ["compare", "--epochs", "-3"],
        ["compare", "--minutes", "3"],
        ["compare", "--epochs", "auto", "--minutes", "0"],
        ["compare", "--width", "0"],
        ["train", "autoencoder", "--width", "9"],
        ["demo", "nothing"],
        ["nonsense"],
    ],
)
def test_options_out_of_range_exit_with_2(arguments):
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert not Path("runs").exists()


# A test runner may have been started with interrupts ignored, which a child would inherit.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from polyphase_command import main
main()
"""


@pytest.fixture
def program():
    """Start the command in processes of its own; what still runs after the test is killed."""
    started = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _training(program, images, **environment):
    """Start a comparison without end, and return when its first epoch is written."""
    process = program(
        *["compare", "--data", images, "--epochs", "100000", "--batch-size", "8", "--out", "run"],
        *["--search", "none"],
        **environment,
    )
    deadline = time.monotonic() + 120
    while not Path("run.partial/metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert Path("run.partial/metrics.jsonl").exists()
    return process


def test_a_killed_run_leaves_nothing_that_looks_finished(program, images):
    process = _training(program, images)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not Path("run").exists()
    assert not list(Path("run.partial").rglob("report.html"))


def test_an_interrupted_comparison_ends_with_the_command_that_goes_on(program, images):
    process = _training(program, images)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert last == (
        "Stopped. What was finished is kept in run.partial. To continue: "
        "polyphase compare --resume run"
    )


def test_an_interrupted_comparison_does_not_wait_for_threads(program, images, tmp_path):
    """TensorFlow's may wait for Python, which waits for them while it takes itself down."""
    waits = "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()"
    (tmp_path / "sitecustomize.py").write_text(waits)
    process = _training(program, images, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130


def test_an_interrupted_training_says_how_to_go_on(program, images):
    process = program(
        *["train", "autoencoder", "--decoder", "nearest", "--data", images, "--epochs", "100000"],
        *["--batch-size", "8", "--out", "run"],
    )
    deadline = time.monotonic() + 120
    while not Path("run.partial/metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("Stopped. What was finished is kept in run.partial.")
    assert errors.splitlines()[-1].endswith("polyphase train autoencoder --resume run")


def test_a_backend_that_is_not_there_is_one_line_and_exit_2(program):
    process = program("compare", KERAS_BACKEND="abacus")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    assert "'abacus'" in errors
    assert output == ""
