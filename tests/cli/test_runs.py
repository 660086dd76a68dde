"""`polyphase runs` and `polyphase report`: runs listed, pages made again, runs joined."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs on the same images, one on others, and one that is unfinished."""
    place = tmp_path_factory.mktemp("runs")
    generator = np.random.default_rng(0)
    for name in ("images", "others"):
        np.save(place / f"{name}.npy", generator.integers(0, 256, (40, 8, 8), dtype="uint8"))
    for run, data, decoders, seeds in (
        ("one", "images", ("nearest", "bilinear"), "3"),
        ("two", "images", ("nearest", "subpixel"), "3"),
        ("three", "others", ("nearest",), "1"),
    ):
        names = [word for decoder in decoders for word in ("--decoder", decoder)]
        result = RUN.invoke(
            app,
            ["compare", "--data", str(place / f"{data}.npy"), "--epochs", "2", "--batch-size", "8",
             "--seeds", seeds, *names, "--out", str(place / run)],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
    unfinished = place / "four.partial"
    unfinished.mkdir()
    (unfinished / "config.json").write_text((place / "one/config.json").read_text())
    return place


def test_runs_are_listed_with_what_ended_lowest(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    result = RUN.invoke(app, ["runs", str(folder)])
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert "nearest, subpixel" in lines["two"]
    assert lines["four.partial"].rstrip().endswith("unfinished")


def test_the_page_of_a_run_made_again_is_the_same(folder, tmp_path):
    result = RUN.invoke(app, ["report", str(folder / "one"), "--out", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    first, again = (
        (place / "report.html").read_text() for place in (folder / "one", tmp_path / "again")
    )
    assert again == first


def test_runs_on_the_same_data_are_one_comparison(folder, tmp_path):
    arguments = [
        "report",
        str(folder / "one"),
        str(folder / "two"),
        "--out",
        str(tmp_path / "both"),
    ]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "both/report.html").read_text()
    for name in ("one: nearest", "two: nearest", "bilinear", "subpixel"):
        assert f"</span>{name}</b>" in page


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("one", "three"), "made with different data"),
        (("nowhere",), "is no run"),
        (("four",), "polyphase compare --resume"),
    ],
)
def test_what_cannot_be_reported_is_said_in_a_line(folder, tmp_path, names, message):
    places = [str(folder / name) for name in names]
    result = RUN.invoke(app, ["report", *places, "--out", str(tmp_path / "page")])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not Path(tmp_path / "page").exists()


def test_a_folder_without_runs_says_how_to_make_one(tmp_path):
    assert "polyphase compare" in RUN.invoke(app, ["runs", str(tmp_path)]).output
    result = RUN.invoke(app, ["runs", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
