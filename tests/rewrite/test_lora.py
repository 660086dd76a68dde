"""Convolutions with LoRA in every rule: the addition to the kernel is neither lost nor misread."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.inspection import inspect
from polyphase.rewrite import fold
from tests.rewrite.helpers import assert_equal_outputs, layers_of

X = (4, 5, 4)


def upsampled(x):
    return layers.UpSampling2D()(x)


def both(x):
    skip = layers.Conv2D(3, 1)(layers.UpSampling2D(interpolation="bilinear")(x))
    return layers.Concatenate()([upsampled(x), layers.Dropout(0.0)(skip)])


# The layer, what comes before it and what after.
CASES = {
    "3x3": (lambda **a: layers.Conv2D(4, 3, **a), upsampled, None),
    "1x1": (lambda **a: layers.Conv2D(4, 1, activation="relu", **a), upsampled, None),
    "even": (lambda **a: layers.Conv2D(4, 4, padding="same", **a), upsampled, None),
    "split": (lambda **a: layers.Conv2D(4, 3, activation="relu", **a), both, None),
    "plain": (lambda **a: layers.Conv2D(4, 3, **a), None, layers.BatchNormalization),
    "normalised": (lambda **a: layers.Conv2D(4, 3, **a), upsampled, layers.BatchNormalization),
    "split, normalised": (lambda **a: layers.Conv2D(4, 3, **a), both, layers.BatchNormalization),
    "activated": (
        lambda **a: layers.Conv2D(4, 3, activation=layers.PReLU(shared_axes=[1, 2]), **a),
        upsampled,
        layers.BatchNormalization,
    ),
    "sub-pixel": (
        lambda **a: pp.layers.SubPixelConv2D(2, 3, size=2, activation="relu", **a),
        None,
        None,
    ),
}


def with_lora(name, use_bias=True, when="after building"):
    make, before, after = CASES[name]
    x = inputs = keras.Input(X)
    x = before(x) if before else x
    early = {"lora_rank": 2, "lora_alpha": 3} if when == "in the configuration" else {}
    layer = make(name="tuned", use_bias=use_bias, **early)
    x = layer(x)
    x = after()(x) if after else x
    model = keras.Model(inputs, x)
    if not early:
        layer.enable_lora(2, lora_alpha=3)
    model(np.zeros((1, *X), "float32"))
    generator = np.random.default_rng(1)
    for weight in model.weights:
        noise = generator.standard_normal(weight.shape)
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else noise)
    return model


@pytest.mark.parametrize("name", CASES)
@pytest.mark.grid(3)
def test_folds_of_layers_with_lora(name, tmp_path):
    model = with_lora(name)
    folded = fold(model)
    assert_equal_outputs(model, folded)
    assert any(getattr(layer, "lora_enabled", False) for layer in folded.layers)
    shapes = [sorted(tuple(w.shape) for w in one.trainable_weights) for one in (model, folded)]
    assert shapes[0] == shapes[1]
    model = with_lora(name, use_bias=False, when="in the configuration")
    deployed = fold(model, inference=True, target="keras")
    deployed.save(tmp_path / "deployed.keras")
    assert_equal_outputs(model, keras.models.load_model(tmp_path / "deployed.keras"))


def test_a_normalisation_is_merged_with_the_kernel_that_lora_changed():
    """By definition: gamma (x * (w + alpha / rank a b) + bias - mean) / deviation + beta."""
    model = with_lora("plain")
    kernel, bias, a, b, gamma, beta, mean, variance = (
        keras.ops.convert_to_numpy(weight) for weight in model.weights
    )
    scale = gamma / np.sqrt(variance + 1e-3)
    folded = fold(model, inference=True)
    assert not layers_of(folded, layers.BatchNormalization)
    (convolution,) = layers_of(folded, layers.Conv2D)
    merged, offset = convolution.get_weights()
    np.testing.assert_allclose(merged, (kernel + 1.5 * a @ b) * scale, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(offset, (bias - mean) * scale + beta, rtol=1e-5, atol=1e-5)


def test_inspect_reads_the_kernel_that_lora_changed():
    (stage,) = inspect(with_lora("sub-pixel")).stages
    assert stage.chi > 0
    assert stage.reaches_output
