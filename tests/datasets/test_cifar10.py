"""CIFAR-10 by Keras' own loader; a test must not download, so it brings the archive itself."""

import io
import struct
import tarfile

import keras
import numpy as np
import pytest

from polyphase.datasets import DataError, load

NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split()  # noqa: SIM905


def loader(monkeypatch, axes):
    """Let Keras' loader return 15 and 3 images with their channels where `axes` say."""
    from keras.datasets import cifar10

    x = np.arange(15 * 12, dtype=np.uint8).reshape(15, 2, 2, 3)
    y = np.arange(15, dtype=np.uint8)[:, None] % 10
    kept = np.transpose(x, axes)

    def load_data():
        print("Downloading")
        return (kept, y), (kept[:3], y[7:10])

    monkeypatch.setattr(cifar10, "load_data", load_data)
    return x


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2)])
def test_arrays_in_either_order_become_images_with_the_names_of_their_classes(
    monkeypatch, capsys, axes
):
    x = loader(monkeypatch, axes)
    data = load("cifar10")
    assert (data.name, data.source, data.shape) == ("cifar10", "cifar10", (2, 2, 3))
    np.testing.assert_array_equal(data.train.pixels, x[:12].astype(np.float32) / 255)
    np.testing.assert_array_equal(data.validation.pixels, x[12:].astype(np.float32) / 255)
    np.testing.assert_array_equal(data.test.pixels, x[:3].astype(np.float32) / 255)
    assert list(data.train.labels) == [*NAMES, "airplane", "automobile"]
    assert data.validation.labels == ("bird", "cat", "deer")
    assert data.test.labels == ("horse", "ship", "truck")
    assert capsys.readouterr() == ("", "Downloading\n")


def test_without_a_network_one_sentence_names_another_set(monkeypatch, tmp_path):
    """The download is real, through a proxy that nobody serves: nothing leaves the machine."""
    from keras.src.backend import config

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))  # an empty cache
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    message = r"^CIFAR-10 could not be downloaded \(URL fetch [^\n]*\)\. Connect .* 'photographs'"
    with pytest.raises(DataError, match=message):
        load("cifar10")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def text(content):
    """A string of Python 2, which wrote the files."""
    return b"T" + struct.pack("<i", len(content)) + content


def batch(index):
    """A file of 10,000 images as it is in the archive; the first byte counts, the next is index."""
    pixels = np.zeros((10_000, 3072), np.uint8)
    pixels[:, 0], pixels[:, 1024], pixels[:, 3071] = np.arange(10_000) % 251, index, 7
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b")
        + b"\x87R(K\x01M\x10\x27M\x00\x0c\x86cnumpy\ndtype\n" + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + text(pixels.tobytes())
        + b"tb"
    )  # fmt: skip
    labels = b"](" + b"".join(b"K" + bytes([i % 10]) for i in range(10_000)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + labels + b"u."


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:numpy.core is deprecated:DeprecationWarning")
def test_keras_reads_its_cache_and_all_images_arrive(monkeypatch, tmp_path):
    """The archive has the format of the real one, not its digest: that check alone is left out."""
    from keras.src.backend import config
    from keras.src.utils import file_utils

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(file_utils, "validate_file", lambda *_, **__: True)
    (tmp_path / "datasets").mkdir()
    path = tmp_path / "datasets" / "cifar-10-batches-py-target_archive"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for index, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
            content = batch(index)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    data = load("cifar10")
    assert keras.backend.image_data_format() == "channels_last"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [
        40_000, 10_000, 10_000,
    ]  # fmt: skip
    for part, first in ((data.train, 0), (data.validation, 4), (data.test, 5)):
        bytes_ = np.round(part.pixels[[3, 9_999]] * 255)
        assert bytes_[:, 0, 0, 0].tolist() == [3, 9_999 % 251]
        assert bytes_[:, 0, 0, 1].tolist() == [first, first]
        assert bytes_[:, 31, 31, 2].tolist() == [7, 7]
        assert bytes_.sum() == 3 + 9_999 % 251 + 2 * first + 14
        assert part.labels[:10] == tuple(NAMES)
