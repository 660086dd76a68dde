"""What the program imports: nothing of Keras until a command runs, and then what it needs."""

import os
import subprocess
import sys

import pytest

import polyphase._facts as facts
from polyphase.models import DECODERS
from polyphase.workbench.tasks.gan import PUBLISHED

# Prints which of the modules named were imported, whatever way the program ended.
PROGRAM = """
import atexit, sys
slow = {"keras", "jax", "tensorflow", "torch", "numpy", "matplotlib", "scipy", "sklearn", "skimage"}
atexit.register(lambda: print("imported:", sorted(slow & set(sys.modules)), file=sys.stderr))
from polyphase_command import main
main()
"""
COMMANDS = (
    *("compare", "demo", "explore", "bench", "fold", "inspect", "runs", "report"),
    "train autoencoder",
)


def program(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *[((*name.split(), "--help"), 0) for name in COMMANDS],
        (("--help",), 0),
        (("train", "--help"), 0),
        (("--version",), 0),
        (("--verbose",), 2),
        (("--verbose", "runs"), 2),
        (("nonsense",), 2),
        (("compare", "--epochs", "0"), 2),
        (("compare", "--seeds", "two"), 2),
        (("compare", "--match", "nothing"), 2),
        (("demo", "nothing"), 2),
        (("fold", "only-one.keras"), 2),
        (("train", "autoencoder", "--layers", "ours"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_help_and_wrong_options_need_no_keras(arguments, code):
    done = program(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr.endswith("imported: []\n"), done.stderr


def test_versions_are_told_with_what_computes(backend):
    done = program("--version", "--verbose")
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert {"python", "polyphase", "keras", "numpy", backend, "cpus", "platform"} <= set(told)
    assert told["backend"] == backend
    assert program("--version").stdout.strip() == told["polyphase"]


def test_completion_needs_no_keras():
    done = program(_POLYPHASE_COMPLETE="complete_bash", COMP_WORDS="polyphase comp", COMP_CWORD="1")
    assert done.stdout.split() == ["compare"], done.stderr
    assert done.stderr.endswith("imported: []\n"), done.stderr


def test_help_is_shown_where_the_chosen_backend_is_missing():
    assert program("--help", KERAS_BACKEND="nonsense").returncode == 0


def test_a_command_that_needs_a_missing_backend_ends_with_one_line():
    done = program("demo", "upsampling", KERAS_BACKEND="nonsense")
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("Error: Polyphase runs on the Keras backends jax, tensorflow and")


def test_a_command_that_runs_has_loaded_the_package(tmp_path, backend):
    """Registered layers and the chosen backend: a program, unlike a test, starts without them."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "demo", "upsampling", "--out", str(tmp_path)],
        env={k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
        | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[3. 3. 4. 4.]" in done.stdout
    assert (tmp_path / "demo-upsampling.png").exists()


def test_help_names_the_decoders_that_there_are():
    assert tuple(DECODERS) == facts.DECODERS
    assert tuple(PUBLISHED) == facts.PUBLISHED
