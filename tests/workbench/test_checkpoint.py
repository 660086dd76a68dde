"""A training that is stopped and taken up again is the training that was never stopped."""

import keras
import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import contender, train
from polyphase.workbench.config import Contender


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npy"
    np.save(path, np.random.default_rng(0).random((80, 8, 10, 1), dtype="float32"))
    return load(path)


class StopError(Exception):
    pass


def with_dropout(shape):
    """Its seed is state too, which `save_weights` does not write.

    Without a seed Keras draws from PyTorch's global generator there.
    """
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Dropout(0.3, seed=5),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


@pytest.mark.parametrize(
    "one",
    [contender("subpixel", epochs=4, batch_size=8), Contender("own", with_dropout, 4, 8)],
    ids=lambda one: one.name,
)
def test_going_on_is_never_having_stopped(one, dataset, tmp_path):
    expected, losses = train(one, dataset, 3, lambda *_: None)
    saved, seen = tmp_path / "training.npz", []

    def stop(epoch, result):
        seen.append((epoch, result))
        if epoch in (0, 2) and len(seen) in (1, 4):
            raise StopError

    for _ in range(2):
        with pytest.raises(StopError):
            train(one, dataset, 3, stop, saved)
        assert saved.exists()
    model, history = train(one, dataset, 3, stop, saved)
    assert [epoch for epoch, _ in seen] == [0, 0, 1, 2, 0, 1, 2, 3]
    assert [(e.loss, e.validation_loss) for e in history] == [
        (e.loss, e.validation_loss) for e in losses
    ]
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_models_file_is_refused(dataset, tmp_path):
    saved = tmp_path / "training.npz"
    train(contender("nearest", epochs=1, batch_size=8), dataset, 0, lambda *_: None, saved)
    with pytest.raises(ValueError, match="another model"):
        train(contender("subpixel", epochs=1, batch_size=8), dataset, 0, lambda *_: None, saved)
