"""The tutorials' systems have exactly their shapes, parameters and values."""

import keras
import numpy as np
import pytest

from polyphase import layers, models

IMAGE = np.array([[1.0, 2.0], [3.0, 4.0]], dtype="float32").reshape(1, 2, 2, 1)


def test_r1_upsampling_repeats_the_pixels():
    model = keras.Sequential([keras.Input((2, 2, 1)), layers.UpSampling2D()])
    assert model.output_shape == (None, 4, 4, 1)
    assert model.count_params() == 0
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert model.predict(IMAGE, verbose=0)[0, :, :, 0].tolist() == expected


def test_r2_bilinear_by_32_is_smooth_between_the_corners():
    image = np.array([0, 0.5, 1, 1.5], dtype="float32").reshape(1, 2, 2, 1)
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.UpSampling2D((32, 32), interpolation="bilinear")]
    )
    result = model.predict(image, verbose=0)[0, :, :, 0]
    assert result.shape == (64, 64)
    position = np.clip((np.arange(64) + 0.5) / 32 - 0.5, 0, 1)
    np.testing.assert_allclose(result, position[:, None] + position[None, :] / 2, atol=1e-6)


def test_r3_transposed_convolution_scatters_the_pixels():
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Conv2DTranspose(1, (1, 1), strides=(2, 2))]
    )
    assert model.output_shape == (None, 4, 4, 1)
    assert model.count_params() == 2
    model.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    expected = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    assert model.predict(IMAGE, verbose=0)[0, :, :, 0].tolist() == expected


@pytest.mark.parametrize("build", [models.upsampling_generator, models.transposed_generator])
def test_r4_and_r5_generate_10x10_images_from_100_numbers(build):
    model = build()
    assert [layer.count_params() for layer in model.layers if layer.count_params()] == [
        323_200,
        1_153,
    ]
    assert model.count_params() == 324_353
    assert model.input_shape == (None, 100)
    assert model.output_shape == (None, 10, 10, 1)


def test_r6_has_the_published_layers():
    model = models.upsampling_autoencoder()
    assert [(layer.output.shape[1:], layer.count_params()) for layer in model.layers] == [
        ((28, 28, 8), 40),
        ((14, 14, 8), 0),
        ((14, 14, 8), 264),
        ((7, 7, 8), 0),
        ((4, 4, 8), 264),
        ((4, 4, 8), 264),
        ((8, 8, 8), 0),
        ((7, 7, 8), 264),
        ((14, 14, 8), 0),
        ((14, 14, 8), 264),
        ((28, 28, 8), 0),
        ((28, 28, 1), 33),
    ]
    assert model.count_params() == 1_393
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.name != model.layers[7].name:
            assert isinstance(layer.kernel_initializer, keras.initializers.HeUniform)
    assert isinstance(model.layers[7].kernel_initializer, keras.initializers.GlorotUniform)
    assert [
        layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")
    ] == [
        *["relu"] * 6,
        "sigmoid",
    ]


def test_r7_has_the_published_layers():
    model = models.transposed_autoencoder()
    sides = [layer.output.shape[1:] for layer in model.layers]
    assert sides == [
        (26, 26, 32),
        (24, 24, 16),
        (22, 22, 8),
        (24, 24, 8),
        (26, 26, 16),
        (28, 28, 32),
        (28, 28, 1),
    ]
    assert model.count_params() == 12_785
    assert all(
        isinstance(layer.kernel_initializer, keras.initializers.HeNormal)
        for layer in model.layers[:-1]
    )


@pytest.mark.parametrize(
    "build",
    [
        models.upsampling_generator,
        models.transposed_generator,
        models.upsampling_autoencoder,
        models.transposed_autoencoder,
    ],
)
def test_built_from_keras_own_layers_the_same_weights_give_the_same_output(build):
    ours, theirs = build(), build(layers=keras.layers)
    generator = np.random.default_rng(0)
    # Of a size that keeps the images': otherwise seven layers multiply rounding by thousands.
    weights = [
        generator.standard_normal(w.shape).astype("float32") / np.sqrt(np.prod(w.shape[:-1]))
        for w in ours.weights
    ]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    assert {type(layer).__module__.split(".")[0] for layer in theirs.layers} == {"keras"}
    x = generator.random((3, *ours.input_shape[1:]), dtype="float32")
    expected = theirs.predict(x, verbose=0)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, atol=2e-6 * scale)
