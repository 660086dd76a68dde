"""Batch normalisation of concatenated channels becomes one of each part, where that gains."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import polyphase as pp
from tests.rewrite.helpers import assert_equal_outputs


def block(*, behind="conv", shared=False, trainable=True, interpolation="nearest"):
    """Return a U-Net's pre-activation block: concatenation, normalisation, ReLU, convolution."""
    small, skip = keras.Input((3, 4, 5)), keras.Input((6, 8, 2))
    x = layers.UpSampling2D(2, interpolation=interpolation, name="up")(small)
    norm = layers.BatchNormalization(name="norm", trainable=trainable)
    x = layers.Activation("relu")(norm(layers.Concatenate()([x, skip])))
    ends = layers.Conv2D(3, 3, padding="same", name="end") if behind == "conv" else behind
    x = ends(x)
    outputs = [x, norm(keras.ops.pad(skip, ((0, 0), (0, 0), (0, 0), (0, 5))))] if shared else x
    model = keras.Model([small, skip], outputs)
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.5, 2, w.shape) for w in model.get_weights()])
    return model


def folded(model, **options):
    new, report = pp.fold(model, return_report=True, **options)
    assert_equal_outputs(model, new)
    return new, report.findings[0]


def names(model):
    return [layer.name for layer in model.layers]


def test_every_part_has_its_own_and_the_concatenation_is_gone():
    new, finding = folded(block())
    assert finding.what == "absorbed by 'end', whose kernel was split"
    assert {"norm_0", "norm_1"} <= set(names(new))
    assert not any(isinstance(layer, layers.Concatenate) for layer in new.layers)


def test_training_is_the_same_statistics_and_all():
    model = block()
    new, _ = folded(model)
    generator = np.random.default_rng(1)
    x = [generator.standard_normal((4, *i.shape[1:])).astype("float32") for i in model.inputs]
    y = generator.standard_normal((4, 6, 8, 3)).astype("float32")
    for one in (model, new):
        one.compile(keras.optimizers.SGD(0.001), "mse")
        one.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    assert_equal_outputs(model, new)
    parts = [new.get_layer(f"norm_{n}").get_weights() for n in (0, 1)]
    for whole, *pieces in zip(model.get_layer("norm").get_weights(), *parts, strict=True):
        np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-4, atol=1e-5)


def test_a_normalisation_stays_whole_where_nothing_is_gained():
    new, finding = folded(block(behind=layers.MaxPooling2D(2)))
    assert not finding.folded
    assert "norm" in names(new)


def test_a_shared_normalisation_stays_whole():
    new, _ = folded(block(shared=True))
    assert "norm" in names(new)


@pytest.mark.parametrize("options", [{}, {"inference": True}])
@pytest.mark.parametrize("trainable", [True, False])
def test_a_frozen_normalisation_is_cut_too_and_stays_frozen(trainable, options):
    new, _ = folded(block(trainable=trainable), **options)
    assert new.get_layer("norm_0").trainable is trainable


def test_saved_and_loaded(tmp_path):
    model = block()
    new, _ = folded(model)
    new.save(tmp_path / "new.keras")
    assert_equal_outputs(model, keras.saving.load_model(tmp_path / "new.keras"))
    assert ops.shape(new.get_layer("norm_1").gamma)[0] == 2
