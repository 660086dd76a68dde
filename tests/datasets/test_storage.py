"""Large data lie in a temporary file: the same values, and little memory."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from polyphase.datasets import load, storage
from polyphase.datasets.storage import gathered, slices

LOAD = """
import resource, sys
from pathlib import Path
from polyphase.datasets import load

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

limit = status("VmData") + 500 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
data = load(sys.argv[1])
print(data.sha256, len(data.train), data.train.pixels[7, 3, 5, 1])
"""


@pytest.fixture
def nothing_in_memory(monkeypatch, tmp_path):
    (tmp_path / "large").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "large"))
    monkeypatch.setattr(storage, "IN_MEMORY", 0)


def bytes_(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def write_npz(path):
    np.savez_compressed(path / "a.npz", x_train=bytes_(30, 4, 5), x_test=bytes_(3, 4, 5))
    return path / "a.npz"


def write_columns_first(path):
    np.save(path / "a.npy", np.asfortranarray(bytes_(30, 4, 5, 3).astype("float64") / 255))
    return path / "a.npy"


def write_folder(path):
    """Grey, coloured and 16-bit images: all three become colour."""
    folder = path / "images"
    folder.mkdir()
    for index in range(12):
        picture = [bytes_(4, 5), bytes_(4, 5, 3), bytes_(4, 5).astype(np.uint16) * 200][index % 3]
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


@pytest.mark.parametrize("write", [write_npz, write_columns_first, write_folder])
def test_data_on_disk_are_the_data_in_memory(tmp_path, write, request):
    source = write(tmp_path)
    expected = load(source)
    request.getfixturevalue("nothing_in_memory")
    data = load(source)
    assert not data.train.pixels.flags.writeable
    assert type(data.train.pixels) is np.ndarray
    assert data.sha256 == expected.sha256
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(data, part), getattr(expected, part)
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        assert ours.labels == theirs.labels
    assert not list((tmp_path / "large").iterdir())


def test_the_limit_decides_where_an_array_lies(monkeypatch):
    monkeypatch.setattr(storage, "IN_MEMORY", 24)
    assert gathered((3, 2), iter([np.ones((3, 2))])).flags.writeable
    assert not gathered((7, 1), iter([np.ones((3, 1)), np.ones((4, 1))])).flags.writeable


def test_slices_cover_everything_once_and_are_small():
    shape = (1001, 64, 64, 3)
    parts = list(slices(shape))
    assert np.concatenate([np.arange(1001)[part] for part in parts]).tolist() == list(range(1001))
    assert all((part.stop - part.start) * 4 * 64 * 64 * 3 <= 2**24 for part in parts)
    assert list(slices((2, 5000, 5000, 1))) == [slice(0, 1), slice(1, 2)]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
@pytest.mark.exhaustive
def test_a_process_with_too_little_memory_streams(tmp_path):
    """300 MiB of bytes, 1.2 GiB as numbers, in a process that may allocate 500 MiB."""
    path = tmp_path / "a.npz"
    pictures = np.broadcast_to(bytes_(100, 64, 64, 3), (256, 100, 64, 64, 3))
    np.savez(path, x_train=pictures.reshape(-1, 64, 64, 3))
    result = subprocess.run(
        [sys.executable, "-c", LOAD, str(path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    digest, count, value = result.stdout.split()
    order = np.random.default_rng(0).permutation(25600)[5120:]
    assert int(count) == 16384
    assert float(value) == np.float32(bytes_(100, 64, 64, 3)[order[7] % 100, 3, 5, 1]) / 255
    assert len(digest) == 64


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a file's size is POSIX'")
def test_a_full_disk_is_one_clear_sentence(tmp_path):
    path = write_npz(tmp_path)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50));"
        "from polyphase.datasets import load, storage; storage.IN_MEMORY = 0;"
        f"load({str(path)!r})"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "DataError: The images do not fit into" in result.stderr
    assert "Set TMPDIR to a folder on a larger disk" in result.stderr
