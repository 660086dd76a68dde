"""`repair`: constants come out flat, by the least change, and nothing else changes."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp


def generator(data_format="channels_last"):
    keras.utils.set_random_seed(3)
    shape = (5, 4, 3) if data_format == "channels_last" else (3, 5, 4)
    own = {"data_format": data_format}
    model = keras.Sequential(
        [
            keras.Input(shape),
            pp.layers.Conv2DTranspose(4, 3, 2, name="first", **own),
            layers.LeakyReLU(),
            pp.layers.SubPixelConv2D(3, 2, size=(2, 3), name="second", **own),
            pp.layers.UpSampleConv2D(2, 3, size=2, name="third", **own),
            pp.layers.Conv2DTranspose(2, (4, 5), (2, 3), name="last", **own),
        ]
    )
    noise = np.random.default_rng(4)
    model.set_weights([w + 0.1 * noise.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.grid(1)
def test_constants_come_out_flat(data_format):
    """Layer by layer, in the interior; the biases of a sub-pixel convolution too."""
    calm = pp.repair(generator(data_format))
    axes = (1, 2) if data_format == "channels_last" else (2, 3)
    for layer, channels in ((calm.layers[0], 3), (calm.layers[2], 4), (calm.layers[4], 2)):
        shape = (1, 9, 9, channels) if axes == (1, 2) else (1, channels, 9, 9)
        image = keras.ops.convert_to_numpy(layer(np.full(shape, 0.7, "float32")))
        inner = np.take(np.take(image, range(8, 14), axes[0]), range(8, 14), axes[1])
        assert np.ptp(inner, axis=axes).max() < 1e-5
    assert all(one.chi < 1e-6 for one in pp.inspect(calm).stages)


def test_it_is_idempotent_and_changes_nothing_else(tmp_path):
    model = generator()
    before = [w.copy() for w in model.get_weights()]
    calm = pp.repair(model)
    for kept, weight in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, kept)
    for one, other in zip(calm.get_weights(), pp.repair(calm).get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert [type(layer) for layer in calm.layers] == [type(layer) for layer in model.layers]
    assert calm.get_config() == model.get_config()
    for one, other in zip(
        calm.get_layer("third").get_weights(), model.get_layer("third").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    calm.save(tmp_path / "calm.keras")
    loaded = keras.models.load_model(tmp_path / "calm.keras")
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype("float32")
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(m(x)) for m in (calm, loaded)))


def test_it_is_the_least_change_that_keeps_the_mean_gain():
    """Against a least-squares solver, on the layer's kernel."""
    model = generator()
    (kernel, _), (calm, _) = (m.get_layer("last").get_weights() for m in (model, pp.repair(model)))
    rows = []
    for p, q in np.ndindex(2, 3):
        taps = np.zeros(kernel.shape[:2])
        taps[p::2, q::3] = 1
        rows.append(taps.ravel())
    sums, flat = np.array(rows), kernel.astype("float64").reshape(len(rows[0]), -1)
    gains = sums @ flat
    change = np.linalg.lstsq(sums, gains.mean(axis=0) - gains, rcond=None)[0]
    np.testing.assert_allclose(calm.reshape(flat.shape), flat + change, atol=1e-6)


def test_nested_shared_and_classes_of_layers_are_repaired():
    class Own(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.up = layers.Conv2DTranspose(3, 3, 2, padding="same", name="inside")

        def call(self, x):
            return self.up(x)

    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2DTranspose(3, 3, 2)])
    inputs = keras.Input((4, 4, 3))
    shared = layers.Conv2DTranspose(3, 5, 2, padding="same", name="shared")
    model = keras.Model(inputs, [inner(inputs), Own()(inputs), shared(shared(inputs))])
    calm = pp.repair(model)
    stages = pp.inspect(calm).stages
    assert len(stages) == 3
    assert all(one.chi < 1e-6 for one in stages)
    assert len(calm.weights) == len(model.weights)


def test_frozen_layers_stay_frozen_and_policies_stay():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2DTranspose(3, 3, 2, trainable=False, dtype="mixed_float16"),
        ]
    )
    calm = pp.repair(model)
    assert not calm.trainable_weights
    assert calm.layers[0].dtype_policy.name == "mixed_float16"


def test_what_cannot_be_repaired_is_named_with_what_to_use_instead():
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Conv2DTranspose(3, 2, 3, name="holes")]
    )
    with pytest.raises(ValueError, match=r"'holes' \(transposed convolution 2x2.*UpSampleConv2D"):
        pp.repair(model)
