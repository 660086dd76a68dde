"""`polyphase runs` and `polyphase report`: runs listed, pages made again, runs joined."""

import html
import json
import re
import shutil
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
             "--search", "none", "--seeds", seeds, *names, "--out", str(place / run)],
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


def test_a_listed_run_says_that_it_still_learns(folder, tmp_path, monkeypatch):
    """As the page made of the same files does: the same run, of which one epoch is left."""
    monkeypatch.setenv("COLUMNS", "160")
    run = Path(shutil.copytree(folder / "one", tmp_path / "runs" / "one"))
    config = json.loads((run / "config.json").read_text())
    config["epochs"] = dict.fromkeys(config["epochs"], 1)
    (run / "config.json").write_text(json.dumps(config))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    kept = [line for line in lines if line.get("epoch", 1) == 1]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    listed = RUN.invoke(app, ["runs", str(run.parent)])
    assert listed.output.splitlines()[1].rstrip().endswith(", still learning")
    page = RUN.invoke(app, ["report", str(run), "--out", str(tmp_path / "page")])
    assert page.output.startswith("Still learning")
    config["experiment"] = "published"
    (run / "config.json").write_text(json.dumps(config))
    assert "still learning" not in RUN.invoke(app, ["runs", str(run.parent)]).output
    page = RUN.invoke(app, ["report", str(run), "--out", str(tmp_path / "confounded")])
    assert "Still learning" not in page.output


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


def test_a_report_for_a_paper_has_a_folder_more(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, ["report", str(folder / "one"), "--paper", "--out", "page"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"Paper: {Path('page/paper')}"
    assert sorted(path.name for path in Path("page").iterdir()) == [
        "figures",
        "paper",
        "report.html",
    ]
    assert (Path("page") / "report.html").read_text() == (folder / "one/report.html").read_text()
    assert len(list(Path("page/paper").iterdir())) == 9


def test_a_paper_is_never_written_onto_what_exists(folder, tmp_path):
    for run, out in (("one", folder / "one"), ("four.partial", tmp_path / "page")):
        before = sorted(path for path in (folder / run).rglob("*"))
        result = RUN.invoke(app, ["report", str(folder / run), "--paper", "--out", str(out)])
        assert result.exit_code == 2
        assert len(result.output.splitlines()) == 1
        assert sorted(path for path in (folder / run).rglob("*")) == before
    assert not list(tmp_path.glob("page*"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("one", "three"), "have different data"),
        (("nowhere",), "is not a run"),
        (("four",), "polyphase compare --resume"),
        (("four.partial",), "not a finished comparison. To finish it: polyphase compare --resume"),
        (("one", "one"), "one is given twice"),
    ],
)
def test_what_cannot_be_reported_is_said_in_a_line(folder, tmp_path, names, message):
    places = [str(folder / name) for name in names]
    result = RUN.invoke(app, ["report", *places, "--out", str(tmp_path / "page")])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not Path(tmp_path / "page").exists()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_names_of_runs_are_whole_at_every_width(folder, tmp_path, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    name = "compare-20260101-120000-photos"
    shutil.copytree(folder / "one", tmp_path / name)
    shutil.copytree(folder / "four.partial", tmp_path / f"{name}.partial")
    lines = RUN.invoke(app, ["runs", str(tmp_path)]).output.splitlines()
    assert all(len(line.rstrip()) <= width for line in lines)
    assert [line.split()[0] for line in lines if name in line] == [name, f"{name}.partial"]
    assert any("bilinear" in line for line in lines)
    assert any("unfinished" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_verdict_is_broken_between_words(folder, tmp_path, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    out = tmp_path / "page"
    result = RUN.invoke(app, ["report", str(folder / "two"), "--out", str(out)])
    *verdict, page = result.output.splitlines()
    assert page == f"Page: {out / 'report.html'}"
    assert max(map(len, verdict)) <= width
    told = html.unescape((out / "report.html").read_text())
    words = " ".join(verdict)
    assert "nats/pixel" in words
    for sentence in re.findall(r"<p>(.*?)</p>", told.split('class="answer')[1].split("</div>")[0]):
        assert sentence in words


def test_runs_that_differ_in_more_than_their_decoders_name_no_winner(folder, tmp_path):
    result = RUN.invoke(
        app,
        ["compare", "--data", str(folder / "images.npy"), "--epochs", "1", "--batch-size", "8",
         "--search", "none", "--seeds", "3", "--decoder", "transposed-3",
         "--out", str(tmp_path / "one")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    places = [str(folder / "one"), str(tmp_path / "one")]
    result = RUN.invoke(app, ["report", *places, "--out", str(tmp_path / "page")])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "No winner is named, because the runs differ in more than their decoders" in said
    assert re.search(r"epochs \(2 in \S+/one, 1 in \S+/one\)", said)
    assert "differ <strong>only</strong>" not in (tmp_path / "page/report.html").read_text()


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "evidence.npz"])
def test_damaged_runs_are_said_in_a_line_and_listed(folder, tmp_path, name):
    run = tmp_path / "broken"
    shutil.copytree(folder / "one", run)
    content = (run / name).read_bytes()
    half = content[: len(content) // 2]
    (run / name).write_bytes(half.replace(b'"kind"', b"") + b"\n" * (name == "metrics.jsonl"))
    result = RUN.invoke(app, ["report", str(run), "--out", str(tmp_path / "page")])
    assert result.exit_code == 2
    assert f"{name} cannot be read" in " ".join(result.output.split())
    assert not (tmp_path / "page").exists()
    assert "broken" in RUN.invoke(app, ["runs", str(tmp_path)]).output


def test_a_training_of_one_model_is_no_comparison(folder, tmp_path):
    run = tmp_path / "train"
    run.mkdir()
    config = json.loads((folder / "one/config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"experiment": "train"}))
    result = RUN.invoke(app, ["report", str(run)])
    assert result.exit_code == 2
    assert "is a training of one model (polyphase train)" in " ".join(result.output.split())


def test_a_folder_without_runs_says_how_to_make_one(tmp_path):
    assert "polyphase compare" in RUN.invoke(app, ["runs", str(tmp_path)]).output
    result = RUN.invoke(app, ["runs", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
