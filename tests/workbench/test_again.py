"""A model that is trained again, with what is compiled already, is as a model of its own."""

import keras
import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import contender, train
from polyphase.workbench.config import Contender
from tests.workbench.test_checkpoint import with_dropout


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npy"
    np.save(path, np.random.default_rng(0).random((80, 8, 10, 1), dtype="float32"))
    return load(path)


def with_state(shape):
    """Dropout without a seed of its own, statistics of batches, and a layer that is used twice."""
    twice = keras.layers.Conv2D(3, 3, padding="same", use_bias=False)
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(3, 3, padding="same"),
            keras.layers.Dropout(0.3),
            twice,
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


def all_values(model):
    return [
        keras.ops.convert_to_numpy(v.value) for v in [*model.variables, *model.optimizer.variables]
    ]


@pytest.mark.parametrize(
    "build",
    [contender("transposed-3").build, with_dropout, with_state],
    ids=["transposed-3", "seeded dropout", "state"],
)
@pytest.mark.grid(1)
def test_another_seed_and_rate_on_the_same_model_give_the_numbers_of_a_fresh_one(
    build, dataset, backend
):
    first = Contender("own", build, 2, 8, 0.003)
    second = Contender("own", build, 2, 8, 0.01)
    fresh, losses = train(second, dataset, 4, lambda *_: None)
    used, _ = train(first, dataset, 3, lambda *_: None)
    again, repeated = train(second, dataset, 4, lambda *_: None, again=used)
    assert (again is used) == (backend != "torch")
    assert [(e.loss, e.validation_loss) for e in repeated] == [
        (e.loss, e.validation_loss) for e in losses
    ]
    for ours, theirs in zip(all_values(again), all_values(fresh), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_goes_on_from_a_checkpoint_too(dataset, tmp_path):
    one = contender("nearest", epochs=3, batch_size=8)
    expected, _ = train(one, dataset, 4, lambda *_: None)
    used, _ = train(one, dataset, 3, lambda *_: None)

    class StopError(Exception):
        pass

    def stop(epoch, result, last):
        raise StopError

    saved = tmp_path / "saved.npz"
    with pytest.raises(StopError):
        train(one, dataset, 4, stop, saved)
    again, history = train(one, dataset, 4, lambda *_: None, saved, again=used)
    assert len(history) == 3
    for ours, theirs in zip(all_values(again), all_values(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_compiled_for_another_seed(backend, dataset):
    if backend != "jax":
        pytest.skip("JAX tells what it compiles")
    import jax

    compiled = []

    def listen(event, seconds, **more):
        if "backend_compile" in event:
            compiled.append(event)

    one = contender("nearest", epochs=1, batch_size=8)
    used, _ = train(one, dataset, 0, lambda *_: None)
    jax.monitoring.register_event_duration_secs_listener(listen)
    train(one, dataset, 1, lambda *_: None, again=used)
    seen = len(compiled)
    train(one, dataset, 1, lambda *_: None)
    assert seen == 0
    assert len(compiled) > seen  # it does tell
