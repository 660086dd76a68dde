"""The search for a learning rate sees nothing that judges."""

import math

import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import compare, contender, record, search
from polyphase.workbench.results import Epoch


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
        search.searched(one, dataset, (5, 6), folder)
        losses.append((folder / "metrics.jsonl").read_text())
        dataset.validation.pixels[:] = 0.0
    assert losses[0] == losses[1]


def test_what_a_search_has_compiled_trains_on_in_the_comparison(backend, tmp_path, monkeypatch):
    if backend == "torch":
        pytest.skip("PyTorch compiles nothing")
    monkeypatch.setattr(search, "LEARNING_RATES", (0.001, 0.01))
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    one = contender("nearest", epochs=1, batch_size=8)
    models = {}
    (tuned,) = search.searched([one], dataset, (1, 2), tmp_path, models=models)
    used = models["nearest"]
    config = record(["x"], "fair", dataset, [one], [0], None, "lr")
    compare([tuned], dataset, [0], config, tmp_path, models=models)
    assert models["nearest"] is used


@pytest.mark.parametrize("index", range(40))
def test_the_best_worse_loss_is_found_with_no_more_trainings_than_needed(
    tmp_path, monkeypatch, index
):
    """As all eight trainings would choose; a rate that cannot win has no second seed."""
    draw = np.random.default_rng(index)
    losses = {(rate, seed): draw.exponential() for rate in search.LEARNING_RATES for seed in (5, 6)}
    dying = draw.choice(len(losses), index % 4, replace=False)
    for key in (list(losses)[one] for one in dying):
        losses[key] = math.nan if index % 2 else math.inf
    tried = []

    def train(one, dataset, seed, on_epoch, again=None):
        tried.append((one.learning_rate, seed))
        return None, (Epoch(0.0, losses[one.learning_rate, seed], 0.0),)

    monkeypatch.setattr(search, "train", train)
    np.save(tmp_path / "images.npy", draw.random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    one = contender("nearest", epochs=1, batch_size=8)
    (chosen,) = search.searched([one], dataset, (5, 6), tmp_path)

    worse = {rate: max(losses[rate, seed] for seed in (5, 6)) for rate in search.LEARNING_RATES}
    worse = {
        rate: math.inf if math.isnan(losses[rate, 5]) or math.isnan(losses[rate, 6]) else loss
        for rate, loss in worse.items()
    }
    best = min(worse.values())
    assert worse[chosen.learning_rate] == best
    for rate, seed in tried:
        assert seed == 5 or not losses[rate, 5] > best
    assert len(set(tried)) == len(tried)
