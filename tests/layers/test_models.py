"""The layers inside models: every way to build one, training, saving, loading elsewhere."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy


def four_layers(data_format="channels_last"):
    options = {"data_format": data_format}
    return [
        pp.layers.UpSampleConv2D(4, 3, padding="same", activation="relu", **options),
        pp.layers.Conv2DTranspose(4, 4, 2, "same", activation="relu", **options),
        pp.layers.SubPixelConv2D(3, 3, 2, "same", **options),
        pp.layers.UpSampling2D((1, 2), interpolation="bilinear", **options),
    ]


def sequential(shape, data_format):
    return keras.Sequential([keras.Input(shape), *four_layers(data_format)])


def functional(shape, data_format):
    x = inputs = keras.Input(shape)
    for layer in four_layers(data_format):
        x = layer(x)
    return keras.Model(inputs, x)


class Subclassed(keras.Model):
    def __init__(self, data_format):
        super().__init__()
        self.stack = four_layers(data_format)

    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return x


def subclassed(shape, data_format):
    return Subclassed(data_format)


def fit(model, x, channel):
    """Train towards the first channel, brightened and enlarged; return the losses."""
    rows, columns = (axis for axis in (1, 2, 3) if axis != channel)
    y = np.take(x, [0, 0, 0], axis=channel).repeat(8, axis=rows).repeat(16, axis=columns)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model.fit(x, y + 0.5, epochs=12, batch_size=4, verbose=0).history["loss"]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("build", [sequential, functional, subclassed])
@pytest.mark.grid(2)
def test_training_reduces_the_loss(build, data_format):
    keras.utils.set_random_seed(1)
    x = coordinate_ramp((4, 3, 4, 2))
    x = x if data_format == "channels_last" else np.moveaxis(x, 3, 1)
    model = build(x.shape[1:], data_format)
    losses = fit(model, x, 1 if data_format == "channels_first" else 3)
    assert losses[-1] < 0.8 * losses[0], losses
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(policy):
    keras.utils.set_random_seed(1)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = sequential((3, 4, 2), "channels_last")
    finally:
        keras.config.set_dtype_policy(before)
    x = coordinate_ramp((4, 3, 4, 2))
    losses = fit(model, x, 3)
    assert losses[-1] < 0.8 * losses[0], losses
    assert {w.dtype for w in model.trainable_weights} == {"float32"}


@pytest.mark.exhaustive
def test_a_saved_model_loads_after_nothing_but_import_polyphase(tmp_path):
    model = sequential((3, 4, 2), "channels_last")
    x = coordinate_ramp((2, 3, 4, 2))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", to_numpy(model(x)))
    script = (
        "import polyphase, keras, numpy as np\n"
        "model = keras.saving.load_model('model.keras')\n"
        "y = keras.ops.convert_to_numpy(model(np.load('x.npy')))\n"
        "np.testing.assert_array_equal(y, np.load('y.npy'))\n"
        "print(*(type(layer).__module__ for layer in model.layers))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(name.startswith("polyphase.layers.") for name in done.stdout.split())


def test_weights_files_are_exchanged_with_keras_own_layers(tmp_path):
    """A Keras model of UpSampling2D, Conv2D, Conv2DTranspose: its weights file fits ours."""
    theirs = keras.Sequential(
        [
            keras.Input((3, 4, 2)),
            keras.layers.Conv2DTranspose(3, 3, 2, "same", name="a"),
            keras.layers.UpSampling2D(2, name="b"),
            keras.layers.Conv2DTranspose(1, 4, 2, "same", name="c"),
        ]
    )
    ours = keras.Sequential(
        [
            keras.Input((3, 4, 2)),
            pp.layers.Conv2DTranspose(3, 3, 2, "same", name="a"),
            pp.layers.UpSampling2D(2, name="b"),
            pp.layers.Conv2DTranspose(1, 4, 2, "same", name="c"),
        ]
    )
    theirs.save_weights(tmp_path / "w.weights.h5")
    ours.load_weights(tmp_path / "w.weights.h5")
    x = coordinate_ramp((2, 3, 4, 2))
    np.testing.assert_allclose(to_numpy(ours(x)), to_numpy(theirs(x)), atol=2e-6)
