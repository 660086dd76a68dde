import os
from pathlib import Path

import numpy as np
import pytest

from polyphase.datasets import DataError, entropy_floor, load

MNIST = Path(__file__).parents[2] / ".." / "shared" / "data" / "mnist.npz"


@pytest.mark.skipif(not MNIST.exists(), reason=f"no MNIST at {MNIST.resolve()}")
def test_mnist_from_its_file_has_keras_sets_and_its_known_floor():
    data = load(MNIST)
    assert (len(data.train), len(data.validation), len(data.test)) == (48_000, 12_000, 10_000)
    assert data.name == "mnist"
    assert os.path.samefile(data.source, MNIST)
    assert data.shape == (28, 28, 1)
    assert "".join(data.test.labels[:10]) == "7210414959"
    assert "".join(data.train.labels[:10]) == "5041921314"
    assert round(entropy_floor(data.test.pixels), 4) == 0.0581
    with np.load(MNIST) as raw:
        last = raw["x_train"][48_000:].astype(np.float32) / 255
    np.testing.assert_array_equal(data.validation.pixels[..., 0], last)


def test_a_failed_download_says_to_pass_a_path(monkeypatch, tmp_path):
    """The download is real, through a proxy that nobody serves: nothing leaves the machine."""
    from keras.src.backend import config

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))  # an empty cache
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"could not be downloaded \(URL fetch .* pass its path"):
        load("mnist")
    assert not list(tmp_path.rglob("*.npz"))


def test_downloaded_mnist_becomes_a_dataset_and_stdout_stays_clean(monkeypatch, capsys):
    """`load_data` stands in here because a test must not download."""
    from keras.datasets import mnist

    x, y = np.arange(15 * 4, dtype=np.uint8).reshape(15, 2, 2), np.arange(15, dtype=np.uint8)

    def load_data():
        print("Downloading")
        return (x, y), (x[:3], y[:3])

    monkeypatch.setattr(mnist, "load_data", load_data)
    data = load("mnist")
    assert (data.name, data.source, data.shape) == ("mnist", "mnist", (2, 2, 1))
    assert data.validation.labels == ("12", "13", "14")
    np.testing.assert_array_equal(data.test.pixels[..., 0], x[:3].astype(np.float32) / 255)
    assert capsys.readouterr() == ("", "Downloading\n")
