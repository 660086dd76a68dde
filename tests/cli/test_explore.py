"""`polyphase explore`: what it leaves, and what it refuses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.explorer import page

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_it_writes_the_page_and_prints_its_place():
    result = RUN.invoke(app, ["explore"])
    assert result.exit_code == 0, result.output
    assert result.stdout == "Page: polyphase-explorer.html\n"
    assert Path("polyphase-explorer.html").read_text(encoding="utf-8") == page()


def test_it_makes_the_folder_that_is_named():
    result = RUN.invoke(app, ["explore", "--out", "lesson/one.html"])
    assert result.exit_code == 0, result.output
    assert Path("lesson/one.html").stat().st_size < 200_000


def test_it_replaces_an_older_explorer_and_nothing_else_unasked():
    Path("polyphase-explorer.html").write_text(page() + "older", encoding="utf-8")
    assert RUN.invoke(app, ["explore"]).exit_code == 0
    assert not Path("polyphase-explorer.html").read_text(encoding="utf-8").endswith("older")
    Path("mine.html").write_text("mine")
    result = RUN.invoke(app, ["explore", "--out", "mine.html"])
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: mine.html exists already. Choose another --out, or replace it with --overwrite.\n"
    )
    assert Path("mine.html").read_text() == "mine"
    assert RUN.invoke(app, ["explore", "--out", "mine.html", "--overwrite"]).exit_code == 0


def test_a_folder_and_a_place_that_cannot_be_written_are_refused_in_one_line():
    Path("folder").mkdir()
    Path("file").write_text("")
    for out, why in (("folder", "is a folder"), ("file/page.html", "Cannot write into file")):
        result = RUN.invoke(app, ["explore", "--out", out])
        assert result.exit_code == 2
        assert why in result.stderr
        assert result.stderr.count("\n") == 1
