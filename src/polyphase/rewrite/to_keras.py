"""Only Keras' own layers: kernels baked into what Keras has, so that a model loads anywhere.

A baked kernel is another parameter than the one that was trained: such a model is to deploy, not to
train on, and regularisers and constraints of baked kernels are left out.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from polyphase import layers as ours
from polyphase.algebra.equivalence import upsample_conv_crop, upsample_conv_to_conv_transpose
from polyphase.rewrite.build import Build
from polyphase.rewrite.graph import graph_of, is_graph, rebuilt
from polyphase.rewrite.recognise import keras_agrees

Tensor = Any
Weights = list[np.ndarray]
Step = Callable[[Tensor], Tensor]


def to_keras(model: keras.Model) -> keras.Model:
    """Return an equal model without a layer of ours.

    Raises:
        ValueError: for a layer that none of Keras' equals.
    """
    build = Build(one.name for one in graph_of(model).operations)
    steps: dict[int, Step] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if id(layer) not in steps and (is_graph(layer) or type(layer) in _RULES):
            steps[id(layer)] = (
                to_keras(layer) if is_graph(layer) else _RULES[type(layer)](layer, build)
            )
        step = steps.get(id(layer))
        return build.call(layer, *args, **kwargs) if step is None else step(*args, **kwargs)

    new = rebuilt(model, call)
    build.move_weights()
    return new


def _step(layer: keras.Layer, weights: Weights) -> Step:
    """Return what calls a new layer and gives it its weights."""

    def step(x: Tensor) -> Tensor:
        y = layer(x)
        layer.set_weights(weights)
        return y

    return step


def _config(layer: keras.Layer, *dropped: str, **changes: Any) -> dict[str, Any]:
    """Return a layer's configuration without what only ours has, and with changes."""
    ours_only = ("lowering", "size", "interpolation", *dropped)
    kept = {name: said for name, said in layer.get_config().items() if name not in ours_only}
    return kept | changes


def _up_sampling(layer: Any, build: Build) -> Step:
    if not keras_agrees(layer.interpolation, layer.size):
        raise ValueError(
            f"The layer {layer.name!r} upsamples by {layer.interpolation!r}, size {layer.size}, "
            f"which Keras' UpSampling2D does not compute on {keras.backend.backend()}. "
            'Use target="polyphase".'
        )
    config = _config(layer, size=layer.size, interpolation=layer.interpolation)
    return layers.UpSampling2D.from_config(config)


def _conv_transpose(layer: Any, build: Build) -> Step:
    return _step(layers.Conv2DTranspose.from_config(_config(layer)), layer.get_weights())


def _up_sample_conv(layer: Any, build: Build) -> Step:
    plain = layer.groups == 1 and layer.dilation_rate == (1, 1)
    if tuple(layer.size) == (1, 1):
        return _step(layers.Conv2D.from_config(_config(layer)), layer.get_weights())
    if plain and layer.interpolation == "nearest" and keras_agrees("nearest", layer.size):
        return _baked(layer, _config(layer), layer.size, layer.get_weights(), build)
    return _upsampled(layer, build, layers.Conv2D)


def _upsampled(layer: Any, build: Build, kind: type[keras.Layer]) -> Step:
    """Return upsampling, and then the same kernel's convolution."""
    upsampling = ours.UpSampling2D(
        layer.size,
        layer.data_format,
        getattr(layer, "interpolation", "nearest"),
        name=build.name(f"{layer.name}_upsampling"),
        dtype=layer.dtype_policy,
    )
    before = _up_sampling(upsampling, build)
    convolution = _step(kind.from_config(_config(layer)), layer.get_weights())
    return lambda x: convolution(before(x))


def _baked(
    layer: Any, config: dict[str, Any], size: tuple[int, int], weights: Weights, build: Build
) -> Step:
    """Return the transposed convolution that nearest upsampling and convolution are."""
    kernel = weights[0]
    same = layer.padding == "same" and all(k % 2 for k in layer.kernel_size)
    baked = {
        "kernel_size": tuple(k + s - 1 for k, s in zip(layer.kernel_size, size, strict=True)),
        "strides": size,
        "padding": "same" if same else "valid",
        "kernel_regularizer": None,
        "kernel_constraint": None,
    }
    dropped = ("groups", "rank")
    kept = {name: said for name, said in config.items() if name not in dropped}
    transposed = _step(
        layers.Conv2DTranspose.from_config(kept | baked),
        [upsample_conv_to_conv_transpose(kernel, size), *weights[1:]],
    )
    crop = tuple(upsample_conv_crop(k, layer.padding) for k in layer.kernel_size)
    if same or not any(map(any, crop)):
        return transposed
    cropping = layers.Cropping2D(
        crop, data_format=layer.data_format, name=build.name(f"{layer.name}_cropping")
    )
    return lambda x: cropping(transposed(x))


def _concat_conv(layer: Any, build: Build) -> Step:
    """Return the sum of one convolution per input; the last has the bias."""
    kernel, *bias = layer.get_weights()
    parts: list[Step] = []
    end = 0
    for channels, size in zip(layer.channels, layer.size, strict=True):
        end += channels
        last = end == kernel.shape[2]
        config = _config(
            layer,
            size=size,
            interpolation=layer.interpolation,
            name=build.name(f"{layer.name}_part"),
            activation="linear",
            use_bias=bool(bias) and last,
        )
        part = ours.UpSampleConv2D.from_config(config)
        part.build(_shape(layer, channels))
        part.set_weights([kernel[:, :, end - channels : end], *(bias if last else [])])
        parts.append(_up_sample_conv(part, build))
    add = layers.Add(name=build.name(f"{layer.name}_sum"))
    activation = layers.Activation(layer.activation, name=layer.name)
    return lambda inputs: activation(add([part(x) for part, x in zip(parts, inputs, strict=True)]))


def _shape(layer: Any, channels: int) -> tuple[int | None, ...]:
    last = layer.data_format == "channels_last"
    return (None, None, None, channels) if last else (None, channels, None, None)


def _sub_pixel(layer: Any, build: Build) -> Step:
    """Return a convolution, and Keras' depth_to_space; channels first, its phases are fastest."""
    size, filters = layer.size[0], layer.filters // layer.size[0] ** 2
    if layer.size != (size, size):
        raise ValueError(
            f"The layer {layer.name!r} moves channels into {layer.size} pixels; Keras knows "
            'squares only. Use target="polyphase".'
        )
    config = _config(layer, filters=layer.filters, activation="linear", strides=1)
    weights = layer.get_weights()
    if layer.data_format == "channels_first":
        order = np.arange(layer.filters).reshape(size * size, filters).T.ravel()
        weights = [weight[..., order] for weight in weights]
    convolution = _step(layers.Conv2D.from_config(config), weights)
    activation = layers.Activation(layer.activation, name=build.name(f"{layer.name}_activation"))
    return lambda x: activation(ops.depth_to_space(convolution(x), size, layer.data_format))


_RULES: dict[type[keras.Layer], Callable[[Any, Build], Step]] = {
    ours.UpSampling2D: _up_sampling,
    ours.Conv2DTranspose: _conv_transpose,
    ours.UpSampleConv2D: _up_sample_conv,
    ours.UpSampleDepthwiseConv2D: functools.partial(_upsampled, kind=layers.DepthwiseConv2D),
    ours.UpSampleSeparableConv2D: functools.partial(_upsampled, kind=layers.SeparableConv2D),
    ours.ConcatConv2D: _concat_conv,
    ours.SubPixelConv2D: _sub_pixel,
}
