"""Multiply-adds of a model, counted from its layers as they are written."""

import math
from typing import Any

import keras

from polyphase.algebra import kernels
from polyphase.layers import SubPixelConv2D, UpSampleConv2D


def multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of one input through the model.

    Counts convolutions, transposed convolutions (one product per input pixel and tap), dense
    layers and interpolation (taps per axis and pass; nearest is free), each as written: what an
    equivalent lowering saves is not counted. Bias, activation and pooling are not counted.

    Args:
        model: a built model whose layers' spatial sizes are known.

    Raises:
        ValueError: if a layer's sizes are not known.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 2)), keras.layers.Conv2D(4, 3)])
        >>> multiply_adds(model) == 6 * 6 * 4 * 3 * 3 * 2
        True
    """
    return sum(_layer(layer) for layer in model.layers)


def _layer(layer: keras.Layer) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, keras.layers.UpSampling2D):
        return _interpolation(layer, layer.input.shape)
    if isinstance(layer, UpSampleConv2D):
        return _interpolation(layer, layer.input.shape) + _products(layer, layer.output.shape)
    if isinstance(layer, SubPixelConv2D):
        phases = math.prod(layer.size)
        return _products(layer, layer.output.shape) // phases
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return _products(layer, layer.input.shape)
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
        return _products(layer, layer.output.shape)
    return 0


def _products(layer: Any, shape: tuple[int | None, ...]) -> int:
    """Return the kernel's entries times the pixels at which it is applied."""
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    pixels = shape[2:] if channels_first else shape[1:-1]
    return math.prod(layer.kernel.shape) * math.prod(_known(pixels, layer))


def _interpolation(layer: Any, shape: tuple[int | None, ...]) -> int:
    """Return the products of two passes, vertical first."""
    if layer.interpolation == "nearest":
        return 0
    channels_first = layer.data_format == "channels_first"
    sides = shape[2:] if channels_first else shape[1:3]
    height, width, channels = _known((*sides, shape[1 if channels_first else 3]), layer)
    tall, wide = int(height * layer.size[0]), int(width * layer.size[1])
    return kernels.get(layer.interpolation).diameter * channels * (tall * width + tall * wide)


def _known(sides: tuple[int | None, ...], layer: Any) -> tuple[int, ...]:
    if None in sides:
        raise ValueError(
            f"The cost of layer {layer.name!r} depends on an image size that is not known. "
            "Build the model for a known size."
        )
    return tuple(side for side in sides if side is not None)
