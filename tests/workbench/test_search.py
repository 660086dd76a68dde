"""The search for a learning rate sees nothing that judges."""

import math
from types import SimpleNamespace

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
    monkeypatch.setattr(search, "LEARNING_RATES", search.FIRST)
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
    monkeypatch.setattr(search, "LEARNING_RATES", search.FIRST)
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    one = contender("nearest", epochs=1, batch_size=8)
    models = {}
    (tuned,) = search.searched([one], dataset, (1, 2), tmp_path, models=models)
    used = models["nearest"]
    config = record(["x"], "fair", dataset, [one], [0], None, "lr")
    compare([tuned], dataset, [0], config, tmp_path, models=models)
    assert models["nearest"] is used


def found(tmp_path, monkeypatch, losses):
    """Return the rate that is chosen, and what was tried, where trainings end with these losses."""
    tried = []

    def train(one, dataset, seed, on_epoch, again=None):
        tried.append((one.learning_rate, seed))
        return None, (Epoch(0.0, losses[one.learning_rate, seed], 0.0),)

    monkeypatch.setattr(search, "trainer_of", lambda task: SimpleNamespace(train=train))
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((60, 8, 10), "float32"))
    dataset = load(tmp_path / "images.npy")
    one = contender("nearest", epochs=1, batch_size=8)
    (chosen,) = search.searched([one], dataset, (5, 6), tmp_path)
    assert len(set(tried)) == len(tried)
    return chosen.learning_rate, tried


@pytest.mark.parametrize("best", range(5))
def test_the_lowest_of_a_valley_is_found_wherever_it_is(tmp_path, monkeypatch, best):
    rates = search.LEARNING_RATES
    losses = {
        (rate, seed): abs(index - best) + seed / 100
        for index, rate in enumerate(rates)
        for seed in (5, 6)
    }
    chosen, tried = found(tmp_path, monkeypatch, losses)
    assert chosen == rates[best]
    beside = [rates[index] for index in (best - 1, best + 1) if 0 <= index < len(rates)]
    assert {(rate, 5) for rate in (*search.FIRST, *beside)} <= set(tried)
    assert [one for one in tried if one[1] == 6] == [(chosen, 6)]
    assert len(tried) <= 6


@pytest.mark.parametrize("index", range(40))
def test_no_rate_beside_the_chosen_one_is_better_and_none_is_tried_in_vain(
    tmp_path, monkeypatch, index
):
    """Whatever the losses are; a rate that cannot win has no second seed."""
    draw = np.random.default_rng(index)
    rates = search.LEARNING_RATES
    losses = {(rate, seed): draw.exponential() for rate in rates for seed in (5, 6)}
    dying = draw.choice(len(losses), index % 6, replace=False)
    for key in (list(losses)[one] for one in dying):
        losses[key] = math.nan if index % 2 else math.inf
    chosen, tried = found(tmp_path, monkeypatch, losses)

    def worse(rate):
        known = [losses[one] for one in tried if one[0] == rate]
        return max(known) if all(map(math.isfinite, known)) else math.inf

    place = rates.index(chosen)
    for other in rates[max(0, place - 1) : place + 2]:
        assert (other, 5) in tried
        assert worse(chosen) <= worse(other)
    if math.isfinite(worse(chosen)):
        assert (chosen, 6) in tried
        assert worse(chosen) == min(worse(rate) for rate, _ in tried)
    for rate, seed in tried:
        assert seed == 5 or not losses[rate, 5] > worse(chosen) or not math.isfinite(worse(chosen))
