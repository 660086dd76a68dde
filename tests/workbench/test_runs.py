"""Run folders are made whole or not at all."""

import json

import pytest

from polyphase.workbench.runs import append_metrics, file_name, run_folder, write_json


def test_a_finished_run_has_its_name_and_nothing_partial(tmp_path):
    with run_folder(tmp_path / "deep" / "run") as folder:
        assert folder.name == "run.partial"
        write_json(folder / "config.json", {"a": 1})
        append_metrics(folder, epoch=0, loss=0.5)
        append_metrics(folder, epoch=1, loss=0.25)
        assert not (tmp_path / "deep" / "run").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    run = tmp_path / "deep" / "run"
    assert json.loads((run / "config.json").read_text()) == {"a": 1}
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [0.5, 0.25]
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "metrics.jsonl"]


def test_a_failure_before_any_metric_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), run_folder(tmp_path / "run") as folder:
        write_json(folder / "config.json", {})
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_failure_later_keeps_what_was_measured_as_partial(tmp_path):
    with pytest.raises(RuntimeError), run_folder(tmp_path / "run") as folder:
        append_metrics(folder, epoch=0)
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["run.partial"]


def test_a_checkpoint_before_the_first_metric_is_kept_too(tmp_path):
    with pytest.raises(RuntimeError), run_folder(tmp_path / "run") as folder:
        (folder / "training-nearest-seed0.npz").write_bytes(b"x")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["run.partial"]


def test_a_failure_of_a_resumed_run_removes_nothing(tmp_path):
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial/config.json").write_text("{}")
    with pytest.raises(RuntimeError), run_folder(tmp_path / "run", resume=True):
        raise RuntimeError
    assert (tmp_path / "run.partial/config.json").exists()


def test_an_interruption_says_what_is_kept(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt, match="No epoch was finished"),
        run_folder(tmp_path / "run"),
    ):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(KeyboardInterrupt, match=r"kept in .*run\.partial\. It cannot be resumed"),
        run_folder(tmp_path / "run") as folder,
    ):
        append_metrics(folder, epoch=0)
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), r"Cannot write .* \(No space left on device\)"),
        (TimeoutError(), "Workers did not answer in time"),
    ],
)
def test_a_failure_says_why_and_what_is_kept(tmp_path, error, why):
    said = pytest.raises(OSError, match=f"{why}.* is kept in .*run.partial")
    with said, run_folder(tmp_path / "run") as folder:
        append_metrics(folder, epoch=0)
        raise error


def test_names_that_differ_have_files_that_differ():
    names = ["a:b", "a_b", "a/b", "a%3Ab", "a b", "mine.decoders:lanczos", "é:x", "a 14", "a\u2014"]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert file_name("nearest") == "nearest"
    assert not set("/:\\ ") & set("".join(files))


@pytest.mark.parametrize(
    ("name", "why"), [("run", "exists already"), ("run.partial", "unfinished")]
)
def test_what_is_there_is_never_overwritten(tmp_path, name, why):
    (tmp_path / name).mkdir()
    (tmp_path / name / "kept").write_text("x")
    with pytest.raises(OSError, match=f"{why}.*--out"), run_folder(tmp_path / "run"):
        pass
    assert (tmp_path / name / "kept").read_text() == "x"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OSError, match=r"Cannot create the folder .*file/run.*--out"),
        run_folder(tmp_path / "file" / "run"),
    ):
        pass
