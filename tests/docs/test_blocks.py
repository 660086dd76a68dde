"""Every block of the documentation works as a reader runs it: a fresh process, JAX alone.

`KERAS_BACKEND` is not set, Keras has no configuration file, and TensorFlow is not to be found.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from polyphase.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
# Python imports this by itself when it starts.
HIDE_TENSORFLOW = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == "tensorflow" else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


@pytest.fixture
def fresh(tmp_path):
    """Return a function that runs a script as on a machine that has just installed Polyphase."""
    pytest.importorskip("jax")
    (tmp_path / "sitecustomize.py").write_text(HIDE_TENSORFLOW)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    env |= {"PYTHONPATH": path, "KERAS_HOME": str(tmp_path)}

    def run(script):
        return subprocess.run(
            [sys.executable, "-c", script],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda p: p.name)
@pytest.mark.grid(2)
def test_python_blocks_run_in_order(page, fresh):
    done = fresh("\n".join(blocks(page)) + "\nprint('end on', keras.backend.backend())")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("end on jax\n")


def test_after_a_keras_that_failed_polyphase_runs_on_jax(fresh):
    """As in a notebook: the cell with `import keras` fails, the next one imports Polyphase."""
    done = fresh(
        "try: import keras\nexcept ImportError as error: print(error)\nelse: raise SystemExit(3)\n"
        "import polyphase, keras; print(keras.backend.backend())\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["No module named 'tensorflow'", "jax"]


def test_readme_names_the_cure_beside_the_installation():
    text = (ROOT / "README.md").read_text()
    installation = text[text.index("pip install") - 400 : text.index("pip install") + 1200]
    assert "No module named 'tensorflow'" in installation
    assert "KERAS_BACKEND=jax" in installation


COMMANDS = [
    pytest.param(line.split(" #")[0].strip(), id=f"{page.stem}-{index}")
    for page in PAGES
    for index, line in enumerate(page.read_text().splitlines())
    if re.match(r" *(KERAS_BACKEND=\w+ )?polyphase [a-z-]", line)
]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_that_are_shown_are_understood(line):
    """The command and its options exist, and take the values shown; nothing is run."""
    words = shlex.split(line)
    arguments = words[words.index("polyphase") + 1 :]
    command = typer.main.get_command(app)
    if arguments == ["--help"]:
        return
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context(command.name, arguments)
