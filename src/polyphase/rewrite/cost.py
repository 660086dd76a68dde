"""What a model costs: multiply-adds and activations of one example."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.algebra import kernels
from polyphase.algebra.geometry import upsampled_length
from polyphase.layers import (
    ConcatConv2D,
    SubPixelConv2D,
    UpSampleConv2D,
    UpSampleSeparableConv2D,
)
from polyphase.ops import axes, choose
from polyphase.rewrite.graph import calls, graph_of, is_graph

Shape = Sequence[int | None]


@dataclass(frozen=True)
class Cost:
    """What one example costs.

    Attributes:
        multiply_adds: products, as the lowerings in use compute them.
        activation_bytes: bytes of all layers' results, which training keeps.
    """

    multiply_adds: int
    activation_bytes: int

    @classmethod
    def of(cls, model: keras.Model) -> "Cost | None":
        """Return the cost of a graph of layers; None if it is none or sizes are not known."""
        if not is_graph(model):
            return None
        try:
            return cls(_model(model, _computed), _activation_bytes(model))
        except ValueError:
            return None


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
    return _model(model, written)


def _model(model: keras.Model, count: Any) -> int:
    return sum(
        _model(layer, count)
        if is_graph(layer)
        else count(layer, [x.shape for x in inputs], [y.shape for y in outputs])
        for layer, inputs, outputs in calls(graph_of(model))
    )


def _activation_bytes(model: keras.Model) -> int:
    total = 0
    for layer, _, outputs in calls(graph_of(model)):
        if is_graph(layer):
            total += _activation_bytes(layer)
            continue
        for tensor in outputs:
            size = 2 if "16" in tensor.dtype else np.dtype(tensor.dtype).itemsize
            total += size * math.prod(_known(tensor.shape[1:], layer))
    return total


def written(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Return the products of a layer as it is written."""
    if isinstance(layer, keras.layers.UpSampling2D):
        return _interpolation(layer, inputs[0])
    if isinstance(layer, (keras.layers.SeparableConv2D, UpSampleSeparableConv2D)):
        kernels_of = (layer.depthwise_kernel, layer.pointwise_kernel)
        return sum(math.prod(one.shape) for one in kernels_of) * _pixels(layer, outputs[0])
    if isinstance(layer, UpSampleConv2D):
        return _interpolation(layer, inputs[0]) + _products(layer, outputs[0])
    if isinstance(layer, SubPixelConv2D):
        return _products(layer, outputs[0]) // math.prod(layer.size)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return _products(layer, inputs[0])
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)):
        return _products(layer, outputs[0])
    return 0


def _computed(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Return the products of a layer as the lowering in use computes it."""
    if isinstance(layer, ConcatConv2D):
        channels = [shape[axes.channel(layer.data_format)] for shape in inputs]
        parts = zip(layer.size, inputs, channels, strict=True)
        return sum(_folded(layer, *part, layer.interpolation) for part in parts)
    if isinstance(layer, UpSampleConv2D) and layer.interpolation == "nearest":
        return _folded(layer, layer.size, inputs[0], layer.kernel.shape[2], "nearest")
    return written(layer, inputs, outputs)


def _folded(layer: Any, size: Any, shape: Shape, channels: Any, interpolation: str) -> int:
    """Return the products of upsampling and convolution as one, of so many input channels.

    Per axis and input pixel `k` by differences, `s + k - 1` in phases, `s k` one after the other.
    """
    row = choose(
        "upsample_conv",
        interpolation=interpolation,
        plain=max(size) > 1 and layer.groups == 1 and layer.dilation_rate == (1, 1),
        channels=channels,
        filters=layer.filters,
        taps=max(layer.kernel_size),
        dtype=layer.compute_dtype,
    )
    named = getattr(layer, "lowering", "auto")
    per_axis = _PER_AXIS.get(row.lowering if named == "auto" else named, _PER_AXIS["direct"])
    taps = [per_axis(k, s) for k, s in zip(layer.kernel_size, size, strict=True)]
    pixels = math.prod(_known(_sides(layer, shape), layer))
    return int(pixels * channels * layer.filters * math.prod(taps))


_PER_AXIS: dict[str, Callable[[int, Any], Any]] = {
    "difference": lambda k, s: k,
    "phases": lambda k, s: s + k - 1,
    "patches": lambda k, s: s + k - 1,
    "transpose": lambda k, s: s + k - 1,
    "direct": lambda k, s: s * k,
}


def _products(layer: Any, shape: Shape) -> int:
    """Return the kernel's entries times the pixels at which it is applied."""
    return math.prod(layer.kernel.shape) * _pixels(layer, shape)


def _pixels(layer: Any, shape: Shape) -> int:
    return math.prod(_known(_sides(layer, shape), layer))


def _sides(layer: Any, shape: Shape) -> Shape:
    """Return the spatial sides of a shape."""
    return shape[2:] if getattr(layer, "data_format", None) == "channels_first" else shape[1:-1]


def _interpolation(layer: Any, shape: Shape) -> int:
    """Return the products of two passes, vertical first."""
    if layer.interpolation == "nearest":
        return 0
    height, width = _known(_sides(layer, shape), layer)
    channels = shape[axes.channel(layer.data_format)]
    tall = upsampled_length(height, layer.size[0])
    wide = upsampled_length(width, layer.size[1])
    taps = kernels.get(layer.interpolation).diameter
    return int(taps * (channels or 1) * (tall * width + tall * wide))


def _known(sides: Shape, layer: Any) -> tuple[int, ...]:
    if None in sides:
        raise ValueError(
            f"The cost of layer {layer.name!r} depends on an image size that is not known. "
            "Build the model for a known size."
        )
    return tuple(side for side in sides if side is not None)
