"""The search for a learning rate sees nothing that judges."""

import numpy as np

from polyphase.datasets import load
from polyphase.workbench import contender, search


def test_what_is_held_out_is_the_end_of_the_training_images(tmp_path):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    whole = load(tmp_path / "images.npy")
    part = search.held_out(whole)
    both = np.concatenate([part.train.pixels, part.validation.pixels])
    np.testing.assert_array_equal(both, whole.train.pixels)
    assert len(part.validation) == len(whole.train) // 5
    assert (part.source, part.sha256) == (whole.source, whole.sha256)


def test_the_validation_images_change_no_rate(tmp_path, monkeypatch):
    """Were they looked at, images that no network can learn would decide."""
    monkeypatch.setattr(search, "LEARNING_RATES", (0.001, 0.01))
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    one = [contender("nearest", epochs=1, batch_size=8)]
    losses = []
    for index in range(2):
        folder = tmp_path / str(index)
        folder.mkdir()
        search.searched(one, dataset, 5, folder)
        losses.append((folder / "metrics.jsonl").read_text())
        dataset.validation.pixels[:] = 0.0
    assert losses[0] == losses[1]
