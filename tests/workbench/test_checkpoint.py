"""A training that is stopped and taken up again is the training that was never stopped."""

import io
import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import ConfigError, checkpoint, contender, train
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
@pytest.mark.grid(1)
def test_going_on_is_never_having_stopped(one, dataset, tmp_path):
    expected, losses = train(one, dataset, 3, lambda *_: None)
    saved, seen = tmp_path / "training.npz", []

    def stop(epoch, result, last):
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


def test_another_trainings_file_is_refused(dataset, tmp_path):
    saved = tmp_path / "training.npz"
    one = contender("nearest", epochs=1, batch_size=8)
    train(one, dataset, 0, lambda *_: None, saved)
    other = replace(one, build=contender("subpixel").build)
    for again, seed, message in (
        (contender("subpixel", 1, 8), 0, "another training"),
        (one, 1, "another training"),
        (replace(one, learning_rate=0.01), 0, "another training"),
        (replace(one, batch_size=4), 0, "another training"),
        (other, 0, "another model"),
    ):
        with pytest.raises(ConfigError, match=message):
            train(again, dataset, seed, lambda *_: None, saved)


class Bomb:
    """Unpickling it raises, so a test that meets an AssertionError has unpickled it."""

    def __reduce__(self):
        return exec, ("raise AssertionError('unpickled')",)


def damages(path):
    """Yield the damaged contents that a file may have."""
    whole = path.read_bytes()
    yield from (b"", whole[: len(whole) // 2], whole[:-1], b"garbage", pickle.dumps(Bomb()))
    with np.load(path) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    objects = np.array([Bomb()], dtype=object)
    for change in (
        {"variable_0": objects},
        {"loss": objects},
        {"variable_1": values["variable_1"].astype("int32")},
        {"loss": np.zeros(2)},
        dict.fromkeys(("loss", "validation_loss", "seconds"), np.zeros(0)),
        {"loss": np.array(["a"])},
    ):
        buffer = io.BytesIO()
        np.savez(buffer, **(values | change))
        yield buffer.getvalue()
    for missing in ("variable_0", "seconds", "task"):
        buffer = io.BytesIO()
        np.savez(buffer, **{name: values[name] for name in values if name != missing})
        yield buffer.getvalue()


def test_a_damaged_checkpoint_is_named_in_a_sentence_and_never_unpickled(dataset, tmp_path):
    saved = tmp_path / "training.npz"
    one = contender("nearest", epochs=1, batch_size=8)
    model, _ = train(one, dataset, 0, lambda *_: None, saved)
    with np.load(saved) as arrays:
        task = str(arrays["task"])
    before = model.get_weights()
    for content in list(damages(saved)):
        saved.write_bytes(content)
        with pytest.raises(ConfigError, match=r"training\.npz .*Remove it; ") as caught:
            checkpoint.restore(saved, checkpoint.variables_of(model), task)
        assert "\n" not in str(caught.value)
        for ours, theirs in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
