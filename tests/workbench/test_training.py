"""Training: the order of the images, repeatability, what is recorded."""

import keras
import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import contender, train
from polyphase.workbench.comparison import shown_images
from polyphase.workbench.inference import inference_seconds, outputs
from polyphase.workbench.training import Batches, _Recorder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """120 random 9x11 images with their index hidden in the first pixel."""
    images = np.random.default_rng(0).random((120, 9, 11, 1), dtype="float32")
    images[:, 0, 0, 0] = np.arange(120) / 255
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, x_train=images[:100], x_test=images[100:], y_test=np.arange(20) % 3)
    return load(path)


def _indices(batches):
    return np.concatenate([batches[i][0][:, 0, 0, 0] for i in range(len(batches))])


def test_the_order_depends_on_seed_and_epoch_alone():
    images = np.arange(50, dtype="float32").reshape(50, 1, 1, 1)
    one, same, other = Batches(images, 8, 3), Batches(images, 8, 3), Batches(images, 8, 4)
    first = _indices(one)
    assert (first == _indices(same)).all()
    assert (first != _indices(other)).any()
    one.on_epoch_end()
    assert (first != _indices(one)).any()


def test_an_epoch_has_whole_batches_of_different_images_as_their_own_targets():
    images = np.arange(50, dtype="float32").reshape(50, 1, 1, 1)
    batches = Batches(images, 8, 0)
    assert len(batches) == 6
    assert len(set(_indices(batches))) == 48
    x, y = batches[0]
    assert (x == y).all()


def test_training_lowers_the_loss_and_can_be_repeated(dataset):
    one = contender("bilinear", epochs=3, batch_size=10)
    seen = []
    model, history = train(
        one, dataset, 5, lambda epoch, result, last: seen.append((epoch, result))
    )
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    assert tuple(result for _, result in seen) == history
    assert history[-1].validation_loss < history[0].validation_loss
    assert all(result.seconds > 0 for result in history)
    again, repeated = train(one, dataset, 5, lambda *_: None)
    assert [(r.loss, r.validation_loss) for r in history] == [
        (r.loss, r.validation_loss) for r in repeated
    ]
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_epochs_time_is_that_of_computing_it_not_of_asking_for_it():
    """JAX returns before it has computed; the clock may stop only afterwards."""

    class After(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            value = self.model.trainable_variables[0].value
            self.ready = value.is_ready() if keras.backend.backend() == "jax" else True

    recorder = _Recorder(
        contender("nearest", epochs=1, batch_size=8), [], lambda *_: None, None, ""
    )
    sides = (256, 4096, 4096, 256)
    model = keras.Sequential([keras.Input(sides[:1]), *map(keras.layers.Dense, sides[1:])])
    model.compile("sgd", "mse")
    x, after = np.ones((1024, sides[0]), "float32"), After()
    model.fit(x, x, batch_size=256, validation_data=(x, x), verbose=0, callbacks=[recorder, after])
    assert after.ready


def test_the_recorded_loss_is_the_models_own_on_the_validation_images(dataset):
    model, history = train(contender("nearest", 1, 10), dataset, 0, lambda *_: None)
    x = dataset.validation.pixels
    y = np.clip(model.predict(x, verbose=0).astype(np.float64), 1e-7, 1 - 1e-7)
    expected = -np.mean(x * np.log(y) + (1 - x) * np.log(1 - y))
    assert history[-1].validation_loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.exhaustive
def test_published_autoencoders_train_like_keras_own_layers():
    """The tutorials' autoencoders with one seed: equal losses up to the growth of rounding."""
    digits = load("digits")
    for name, epochs, batch in (("upsampling", 2, 50), ("transposed", 1, 230)):
        losses = []
        for layers in (keras.layers, None):
            one = contender(name, epochs, batch, *([layers] if layers else []))
            _, history = train(one, digits, 0, lambda *_: None)
            losses.append([value for r in history for value in (r.loss, r.validation_loss)])
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4, err_msg=name)


def test_eight_images_are_shown_one_of_each_class_first(dataset):
    shown = shown_images(dataset.test)
    assert len(shown) == 8
    assert shown.labels == ("0", "1", "2", "0", "1", "2", "0", "1")
    assert (shown.pixels[:3] == dataset.test.pixels[:3]).all()


@pytest.mark.parametrize("count", [1, 20, 256, 300])
def test_reconstructions_come_in_the_order_of_the_images(count):
    model = keras.Sequential([keras.Input((2, 3, 1)), keras.layers.Rescaling(2.0)])
    images = np.random.default_rng(0).random((count, 2, 3, 1), dtype="float32")
    np.testing.assert_allclose(outputs(model, images), 2 * images)


def test_inference_time_is_positive_for_every_model(dataset):
    model, _ = train(contender("nearest", 1, 10), dataset, 0, lambda *_: None)
    times = inference_seconds([model, model], dataset.validation.pixels, rounds=2)
    assert len(times) == 2
    assert min(times) > 0
