"""What a command writes: never onto its source, over nothing unasked, and whole or not at all."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.cli.writing import unfinished
from polyphase.rewrite import fold as really_fold

RUN = CliRunner()


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    """A model in the current folder, and its bytes."""
    monkeypatch.chdir(tmp_path)
    keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2DTranspose(3, 3, 2, name="up"),
            layers.Conv2D(2, 3, padding="same"),
        ]
    ).save("in.keras")
    return Path("in.keras").read_bytes()


def refuse(name):
    """Return what fails if work starts."""

    def fail(*_, **__):
        raise AssertionError(f"{name} ran")

    return fail


def listing():
    return sorted(str(path) for path in Path().rglob("*"))


def same(path):
    return path


def symlink(path):
    os.symlink(path, "link.keras")
    return "link.keras"


def hard_link(path):
    os.link(path, "link.keras")
    return "link.keras"


def through_a_folder(path):
    Path("folder").mkdir()
    return f"folder/../{path}"


def through_a_linked_folder(path):
    os.symlink(".", "folder")
    return f"folder/{path}"


def absolute(path):
    return str(Path(path).resolve())


def other_case(path):
    """The same file where case does not count, else a name that leads to it."""
    if not Path("IN.keras").exists():
        os.symlink(path, "IN.keras")
    return "IN.keras"


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize(
    "name",
    [
        same,
        symlink,
        hard_link,
        through_a_folder,
        through_a_linked_folder,
        absolute,
        other_case,
    ],
)
def test_the_source_is_never_written_onto(name, overwrite, source, monkeypatch):
    monkeypatch.setattr("polyphase.cli.models.load_model", refuse("load_model"))
    target = name("in.keras")
    before = listing()
    result = RUN.invoke(app, ["fold", "in.keras", target, *overwrite])
    assert result.exit_code == 2, result.output
    assert "is the file that is read" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert Path("in.keras").read_bytes() == source
    assert listing() == before


def test_a_source_that_is_a_link_is_its_file(source):
    os.symlink("in.keras", "link.keras")
    result = RUN.invoke(app, ["fold", "link.keras", "in.keras", "--overwrite"])
    assert result.exit_code == 2
    assert Path("in.keras").read_bytes() == source


@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".bin"])
@pytest.mark.parametrize("write", [os.link, os.symlink])
def test_no_companion_is_the_source(suffix, write, source, monkeypatch):
    monkeypatch.setattr("polyphase.rewrite.export.require_runtimes", lambda openvino: None)
    monkeypatch.setattr("polyphase.cli.models.load_model", refuse("load_model"))
    write("in.keras", f"out{suffix}")
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras", "--openvino", "--overwrite"])
    assert result.exit_code == 2, result.output
    assert f"out{suffix} is the file that is read" in result.stderr
    assert Path("in.keras").read_bytes() == source


@pytest.mark.parametrize("existing", ["out.keras", "out.onnx", "out.xml", "out.bin"])
def test_no_file_that_exists_is_replaced_unasked(existing, monkeypatch):
    monkeypatch.setattr("polyphase.rewrite.export.require_runtimes", lambda openvino: None)
    monkeypatch.setattr("polyphase.cli.models.load_model", refuse("load_model"))
    Path(existing).write_text("older")
    before = listing()
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras", "--openvino"])
    assert result.exit_code == 2, result.output
    assert f"{existing} exists already" in result.stderr
    assert "--overwrite" in result.stderr
    assert Path(existing).read_text() == "older"
    assert listing() == before


def test_a_link_to_nothing_is_a_file_that_exists():
    os.symlink("nowhere", "out.keras")
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras"])
    assert result.exit_code == 2
    assert "exists already" in result.stderr


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_folder_is_not_replaced(overwrite):
    Path("out.keras").mkdir()
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras", *overwrite])
    assert result.exit_code == 2
    assert "is a folder" in result.stderr
    assert Path("out.keras").is_dir()


def test_what_is_replaced_on_request_is_the_whole_new_file_or_the_old():
    Path("kept.keras").write_text("kept")
    os.symlink("kept.keras", "out.keras")
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras", "--overwrite"])
    assert result.exit_code == 0, result.output
    assert keras.models.load_model("out.keras").built
    assert Path("kept.keras").read_text() == "kept"
    assert listing() == ["in.keras", "kept.keras", "out.keras"]


def test_an_interrupt_while_folding_leaves_everything_as_it_was(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("polyphase.rewrite.fold", interrupted)
    Path("out.keras").write_text("older")
    before = listing()
    for target in ("out.keras", "new/folder/out.keras"):
        result = RUN.invoke(app, ["fold", "in.keras", target, "--overwrite"])
        assert result.exit_code == 130, result.output
        assert "nothing was written" in result.stderr
    assert Path("out.keras").read_text() == "older"
    assert listing() == before


def test_a_file_that_appears_meanwhile_is_kept(monkeypatch):
    def fold(*args, **kwargs):
        Path("out.keras").write_text("another's")
        return really_fold(*args, **kwargs)

    monkeypatch.setattr("polyphase.rewrite.fold", fold)
    result = RUN.invoke(app, ["fold", "in.keras", "out.keras"])
    assert result.exit_code == 2, result.output
    assert Path("out.keras").read_text() == "another's"


def test_a_disk_that_is_full_leaves_nothing(monkeypatch):
    def save(self, path, *_, **__):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", save)
    before = listing()
    result = RUN.invoke(app, ["fold", "in.keras", "new/out.keras"])
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert listing() == before


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_if_one_of_several_cannot_take_its_place_all_are_put_back(error, monkeypatch):
    Path("a").write_text("older a")
    replace = os.replace

    def failing(start, end):
        if Path(end) == Path("c"):
            raise error
        replace(start, end)

    def write():
        targets = [Path(name) for name in "abc"]
        with unfinished(*targets, overwrite=True) as folder:
            for target in targets:
                (folder / target).write_text("new")
            monkeypatch.setattr(os, "replace", failing)

    with pytest.raises((OSError, KeyboardInterrupt)):
        write()
    assert listing() == ["a", "in.keras"]
    assert Path("a").read_text() == "older a"


def test_several_are_replaced_together():
    Path("a").write_text("older")
    with unfinished(Path("a"), Path("b"), overwrite=True) as folder:
        (folder / "a").write_text("new")
        (folder / "b").write_text("new")
    assert [Path(name).read_text() for name in "ab"] == ["new", "new"]
    assert listing() == ["a", "b", "in.keras"]


def test_a_place_that_cannot_be_written_is_found_before_work(monkeypatch):
    monkeypatch.setattr("polyphase.cli.models.load_model", refuse("load_model"))
    result = RUN.invoke(app, ["fold", "in.keras", "in.keras/out.keras"])
    assert result.exit_code == 2
    assert "Cannot write into in.keras" in result.stderr


@pytest.mark.parametrize("name", ["figure.png", "link.png"])
def test_a_figure_replaces_no_file_unasked_and_never_the_model(name, source, monkeypatch):
    os.link("in.keras", "link.png")
    Path("figure.png").write_text("older")
    content = Path(name).read_bytes()
    result = RUN.invoke(app, ["inspect", "in.keras", "--figure", name])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert Path(name).read_bytes() == content
    result = RUN.invoke(app, ["inspect", "in.keras", "--figure", name, "--overwrite"])
    assert (result.exit_code == 0) == (name == "figure.png"), result.output
    assert Path("figure.png").read_bytes().startswith(b"\x89PNG") == (name == "figure.png")
    assert Path("in.keras").read_bytes() == source


def test_a_demo_draws_its_figure_again_or_leaves_the_old_one(monkeypatch):
    Path("runs").mkdir()
    figure = Path("runs/demo-upsampling.png")
    figure.write_text("older")
    with monkeypatch.context() as broken:
        broken.setattr("polyphase.report.png", refuse("png"))
        assert RUN.invoke(app, ["demo", "upsampling"]).exit_code != 0
    assert figure.read_text() == "older"
    assert RUN.invoke(app, ["demo", "upsampling"]).exit_code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_benchmark_replaces_no_results_unasked(monkeypatch):
    monkeypatch.setattr("polyphase.workbench.bench.measure", refuse("measure"))
    Path("times.json").write_text("older")
    result = RUN.invoke(app, ["bench", "--out", "times.json"])
    assert result.exit_code == 2
    assert Path("times.json").read_text() == "older"


@pytest.mark.parametrize("target", ["run", "link", "file", "."])
def test_a_training_replaces_nothing(target, monkeypatch):
    Path("run").mkdir()
    Path("file").write_text("older")
    os.symlink("nowhere", "link")
    before = listing()
    result = RUN.invoke(app, ["train", "autoencoder", "--out", target, "--data", "none.npz"])
    assert result.exit_code == 2, result.output
    assert "exists already" in result.stderr
    assert listing() == before
    np.testing.assert_equal(Path("file").read_text(), "older")
