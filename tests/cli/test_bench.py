"""`polyphase bench` shows a table and leaves its figures."""

import json
from pathlib import Path

import keras
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.workbench.bench import resize_convolution

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = [resize_convolution((2, 3, 4, 5), 3)]
    monkeypatch.setattr("polyphase.workbench.bench.quick_cases", lambda: cases)


def test_the_table_and_the_file_say_the_same():
    result = RUN.invoke(app, ["bench"])
    assert result.exit_code == 0, result.output
    (path,) = Path("runs").iterdir()
    assert path.name.startswith(f"bench-{keras.backend.backend()}-")
    content = json.loads(path.read_text())
    assert content["backend"] == keras.backend.backend()
    (record,) = content["results"]
    ratio = record["training"]["keras"]["median"] / record["training"]["ours"]["median"]
    assert f"{ratio:.1f}x" in result.stdout
    assert str(path) in result.stdout


def test_a_file_that_cannot_be_written_is_said_before_anything_is_measured():
    Path("file").write_text("x")
    result = RUN.invoke(app, ["bench", "--out", "file/bench.json"])
    assert result.exit_code == 2
    assert "Choose another --out" in result.stderr
    assert Path("file").read_text() == "x"
