"""Data larger than memory: trained with and judged from a temporary file, with the same numbers."""

import json

import numpy as np
import pytest

from polyphase.datasets import load, storage
from polyphase.workbench import compare, contender, record
from polyphase.workbench.inference import clipped, made
from polyphase.workbench.tasks import task


def run(folder, source):
    folder.mkdir()
    one, data = contender("transposed-3", epochs=2, batch_size=8), load(source)
    config = record(["polyphase"], "fair", data, [one], [0])
    result = compare([one], data, [0], config, folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return data, result.trials[0], lines


@pytest.mark.exhaustive
def test_the_same_numbers_from_disk_in_parts_as_from_memory(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (700, 9, 11), dtype="uint8")
    np.save(tmp_path / "images.npy", pixels)
    _, expected, lines = run(tmp_path / "memory", tmp_path / "images.npy")
    monkeypatch.setattr(storage, "IN_MEMORY", 0)
    monkeypatch.setattr(storage, "_PART", 4 * 9 * 11 * 50)
    data, found, streamed = run(tmp_path / "disk", tmp_path / "images.npy")
    assert not data.validation.pixels.flags.writeable
    for ours, theirs in zip(streamed, lines, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours.keys() & {"loss", "validation_loss", "psnr", "ssim", "chi"}:
            assert ours[name] == theirs[name], name
    assert found.checkerboard.bias == pytest.approx(expected.checkerboard.bias, rel=1e-3)
    assert found.checkerboard.variance == pytest.approx(expected.checkerboard.variance, rel=1e-3)
    for name in ("mean_error", "spectrum"):
        ours, theirs = (getattr(one.checkerboard, name) for one in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_clipped_results_stay_on_disk(monkeypatch):
    monkeypatch.setattr(storage, "IN_MEMORY", 0)
    images = np.random.default_rng(0).random((300, 4, 6, 1), dtype="float32")
    found = made(clipped(lambda x: x), images, task("denoise", noise=1.0))
    assert not found.flags.writeable
    assert (found.min(), found.max()) == (0, 1)
