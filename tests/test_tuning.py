"""tune: each layer gets the lowering that is fastest here, and nothing else of a model changes."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase import tuning
from polyphase.ops.lowerings import LOWERINGS
from polyphase.timing import Times
from tests.gradients import to_numpy

SECONDS = 0.02


def decoder(data_format="channels_last"):
    shape = (5, 6, 3) if data_format == "channels_last" else (3, 5, 6)
    options = {"padding": "same", "data_format": data_format}
    return keras.Sequential(
        [
            keras.Input(shape),
            pp.layers.UpSampleConv2D(4, 3, interpolation="bilinear", name="first", **options),
            keras.layers.BatchNormalization(axis=-1 if data_format == "channels_last" else 1),
            pp.layers.Conv2DTranspose(2, 4, strides=2, name="second", **options),
        ]
    )


@pytest.fixture
def planted(monkeypatch):
    """Give every lowering a time of our own, so that the fastest is known."""

    def plant(**milliseconds):
        def alternate(runs, seconds):
            return {name: Times(*[milliseconds.get(name, 9.0)] * 3) for name in runs}

        monkeypatch.setattr(tuning.timing, "alternate", alternate)

    return plant


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_every_layer_gets_the_fastest_and_the_saved_model_keeps_it(data_format, planted, tmp_path):
    planted(blur=1.0, patches=2.0)
    model = decoder(data_format)
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    before = to_numpy(model(x))
    first, second = pp.tune(model, x)
    assert (first.layer, first.lowering) == ("first", "blur")
    assert (second.layer, second.lowering) == ("second", "patches")
    assert first.shapes == ((2, *model.input_shape[1:]),)
    assert first.times["blur"].median == 1.0
    assert "reference" not in first.times
    assert "phases" not in first.times  # which cannot compute bilinear
    assert set(second.times) == {"direct", "phases", "patches"}
    np.testing.assert_allclose(to_numpy(model(x)), before, atol=1e-5)
    model.save(tmp_path / "tuned.keras")
    loaded = keras.saving.load_model(tmp_path / "tuned.keras")
    assert [one.lowering for one in (loaded.layers[0], loaded.layers[2])] == ["blur", "patches"]


@pytest.mark.parametrize("training", [False, True])
def test_times_are_measured_and_weights_and_calls_stay(training):
    model = decoder()
    x = np.ones((2, 5, 6, 3), "float32")
    weights = model.get_weights()
    predicted = model.predict(x, verbose=0)
    for one in pp.tune(model, x, training=training, seconds=SECONDS):
        assert min(one.times, key=lambda name: one.times[name].median) == one.lowering
        assert all(0 < times.low <= times.median <= times.high for times in one.times.values())
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert all("call" not in vars(layer) for layer in model.layers)
    np.testing.assert_allclose(model.predict(x, verbose=0), predicted, atol=1e-5)


def test_what_a_model_compiled_before_is_forgotten(planted):
    """Else it would go on as before."""
    model = decoder()
    x = np.ones((2, 5, 6, 3), "float32")
    model.predict(x, verbose=0)
    planted(patches=1.0)
    pp.tune(model, x)
    assert model.predict_function is None


def test_shared_nested_and_wrapped_layers_are_found(planted):
    planted(patches=1.0)
    shared = pp.layers.UpSampling2D(2, name="shared")
    image = keras.Input((4, 4, 2))
    inner = keras.Sequential([keras.Input((8, 8, 2)), pp.layers.UpSampleConv2D(1, 3, name="deep")])
    frames = keras.Input((3, 4, 4, 2))
    steps = keras.layers.TimeDistributed(pp.layers.UpSampleConv2D(1, 3, name="step"))(frames)
    model = keras.Model([image, frames], [inner(shared(image)), shared(shared(image)), steps])
    found = {
        one.layer: one
        for one in pp.tune(
            model, [np.ones((2, 4, 4, 2), "float32"), np.ones((2, 3, 4, 4, 2), "float32")]
        )
    }
    assert set(found) == {"shared", "deep", "step"}
    assert found["shared"].shapes == ((2, 4, 4, 2), (2, 8, 8, 2))
    assert found["step"].lowering == "patches"


def test_a_list_of_images_and_half_precision(planted):
    planted(direct=1.0)
    x, like = keras.Input((3, 4, 2)), keras.Input((7, 9, 5))
    layer = pp.layers.UpSampleLike("bilinear", name="like")
    half = pp.layers.UpSampleConv2D(2, 3, dtype="mixed_bfloat16", name="half")
    model = keras.Model([x, like], half(layer([x, like])))
    arrays = [np.ones((2, 3, 4, 2), "float32"), np.ones((2, 7, 9, 5), "float32")]
    assert [one.layer for one in pp.tune(model, arrays)] == ["like", "half"]
    pp.tune(model, arrays, training=True)


def test_a_class_of_its_own_and_a_model_without_our_layers(planted):
    planted(direct=1.0)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.up = pp.layers.UpSampleConv2D(2, 3, name="up")

        def call(self, x):
            return self.up(x)

    model = Own()
    with pytest.raises(ValueError, match="is not built"):
        pp.tune(model, np.ones((1, 4, 4, 2), "float32"))
    model(np.ones((1, 4, 4, 2), "float32"))
    assert [one.layer for one in pp.tune(model, np.ones((1, 4, 4, 2), "float32"))] == ["up"]
    plain = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.UpSampling2D()])
    assert pp.tune(plain, np.ones((1, 4, 4, 2), "float32")) == ()


def test_the_blur_of_nearest_is_no_way_of_its_own():
    model = keras.Sequential([keras.Input((4, 4, 2)), pp.layers.UpSampleConv2D(3, 3)])
    (found,) = pp.tune(model, np.ones((1, 4, 4, 2), "float32"), seconds=SECONDS)
    assert "blur" not in found.times
    assert "phases" in found.times


def test_what_a_backend_cannot_compute_is_left_out_but_for_direct(planted, monkeypatch):
    """TensorFlow's errors are neither ValueErrors nor RuntimeErrors."""

    class UnimplementedError(Exception):
        pass

    def refuse(*args):
        raise UnimplementedError("no kernel")

    planted(phases=1.0)
    x = np.ones((2, 5, 6, 3), "float32")
    model = decoder()
    model.layers[2].lowering = "phases"  # so that the model itself runs
    monkeypatch.setattr(LOWERINGS["patches"], "conv_transpose", refuse)
    assert set(pp.tune(model, x)[1].times) == {"direct", "phases"}
    monkeypatch.setattr(LOWERINGS["direct"], "conv_transpose", refuse)
    with pytest.raises(UnimplementedError, match="no kernel"):
        pp.tune(model, x)
