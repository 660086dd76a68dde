import os
import subprocess
import sys

import numpy as np
import pytest

from polyphase import datasets
from polyphase.datasets import DataError, load


def test_the_public_names():
    names = ["DataError", "Dataset", "Images", "entropy_floor", "load", "size_of", "source_of"]
    assert datasets.__all__ == names
    assert issubclass(DataError, ValueError)


@pytest.mark.parametrize("source", ["cifar100", "no/such.npz", "", "x" * 5000, "a\0b"])
def test_what_is_not_there_is_refused_with_what_is_expected(source):
    with pytest.raises(DataError, match=r"There is no data .* Expected: 'digits', .*'cifar10', or"):
        load(source)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(DataError, match=r"a\.csv is not data that can be read. Expected: 'digi"):
        load(tmp_path / "a.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(DataError, match="is not data that can be read"):
        load(tmp_path / "a.npy")


def test_a_path_may_start_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    np.save(tmp_path / "a.npy", np.zeros((10, 2, 2), np.uint8))
    assert load("~/a.npy").source == str(tmp_path / "a.npy")


def test_a_path_object_named_like_a_dataset_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    with pytest.raises(DataError, match="There are no images in"):
        load(type(tmp_path)("digits"))


def test_array_files_are_read_without_the_optional_packages(tmp_path):
    """Neither Pillow nor scikit-learn is imported at module level."""
    np.save(tmp_path / "a.npy", np.zeros((10, 2, 2), np.uint8))
    code = (
        "import sys; sys.modules.update({'PIL': None, 'sklearn': None})\n"
        "from polyphase.datasets import load; print(load(sys.argv[1]).shape)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.npy")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "(2, 2, 1)\n"
