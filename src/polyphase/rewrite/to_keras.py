"""Only Keras' own layers: kernels baked into what Keras has, so that a model loads anywhere.

A baked kernel is another parameter than the one that was trained: such a model is to deploy, not to
train on, and regularisers and constraints of baked kernels are left out. What LoRA adds to a kernel
becomes part of it.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from polyphase.algebra import kernels
from polyphase.algebra.channel_order import dcr_channels
from polyphase.algebra.equivalence import upsample_conv_crop, upsample_conv_to_conv_transpose
from polyphase.layers import kinds
from polyphase.layers.kinds import Kind
from polyphase.ops import layout
from polyphase.rewrite.activations import linear, pixelwise, watched
from polyphase.rewrite.build import Build
from polyphase.rewrite.effective import LORA, effective, set_first
from polyphase.rewrite.frames import channels_last, cropping
from polyphase.rewrite.recognise import keras_agrees
from polyphase.rewrite.walk import rewritten

Tensor = Any
Weights = list[np.ndarray]
Step = Callable[[Tensor], Tensor]


def to_keras(model: keras.Model, strict: bool = True, baked: bool = True) -> keras.Model:
    """Return an equal model without a layer of ours.

    Args:
        model: what `fold` takes.
        strict: False: a layer that none of Keras' equals stays.
        baked: False: what upsamples and convolves is an upsampling and a convolution, with its own
            kernel, of whatever interpolation.

    Raises:
        ValueError: for a layer that none of Keras' equals.
    """
    steps: dict[int, Step] = {}
    known = STEPS if baked else STEPS | _APART

    def value(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
        if not kinds.is_ours(layer):
            return build.call(layer, *args, **kwargs)
        if id(layer) not in steps:
            try:
                steps[id(layer)] = known[kinds.exact(layer)](layer, build)
            except ValueError:
                if strict:
                    raise
                steps[id(layer)] = functools.partial(build.call, layer)
        return steps[id(layer)](*args, **kwargs)

    return rewritten(model, value)[0]


def _step(layer: keras.Layer, weights: Weights) -> Step:
    """Return what calls a new layer and gives it its kernels and its bias."""

    def step(x: Tensor) -> Tensor:
        y = layer(x)
        set_first(layer, weights)
        return y

    return step


def _config(layer: keras.Layer, build: Build, **changes: Any) -> dict[str, Any]:
    """Return a layer's configuration without what only ours has, and with changes."""
    ours_only = ("lowering", "size", "interpolation", "align_corners", "order", *LORA)
    kept = {name: value for name, value in build.config(layer).items() if name not in ours_only}
    return kept | changes


def _weights(layer: keras.Layer) -> Weights:
    kernels, biases = effective(layer)
    return [*kernels, *biases]


# What a convolution is whose activation comes later, after what follows it.
_BARE = {"activation": "linear", "activity_regularizer": None}


def _activation(layer: Any, build: Build, name: str | None = None) -> Step:
    """Return a layer's activation, and its activity regulariser, as a layer."""
    return layers.Activation(
        build.activation(layer.activation),
        activity_regularizer=layer.activity_regularizer,
        name=name or build.name(f"{layer.name}_activation"),
        dtype=layer.dtype_policy,
    )


def _up_sampling(layer: Any, build: Build) -> Step:
    kind = kinds.UPSAMPLING.keras[layer.rank]
    if layer.align_corners or not keras_agrees(layer.interpolation, layer.size):
        corners = "with aligned corners, " if layer.align_corners else ""
        raise ValueError(
            f"The layer {layer.name!r} upsamples by {layer.interpolation!r}, size {layer.size}, "
            f"{corners}which Keras' {kind.__name__} does not compute on {keras.backend.backend()}. "
            'Use target="polyphase".'
        )
    config = _config(layer, build, size=layer.size)
    if layer.rank == 1:
        data_format = config.pop("data_format")
        upsampling = kind.from_config(config | {"size": layer.size[0]})
        return channels_last(upsampling, data_format, 1, upsampling.name)
    if layer.rank == 2:
        config["interpolation"] = layer.interpolation
    return kind.from_config(config)


def _refused(what: str) -> Callable[[Any, Build], Step]:
    """Return what says that no layer of Keras' does what a layer does."""

    def step(layer: Any, build: Build) -> Step:
        raise ValueError(
            f"The layer {layer.name!r} {what}, which no layer of Keras' does. "
            'Use target="polyphase".'
        )

    return step


def _conv_transpose(layer: Any, build: Build) -> Step:
    if layer.groups > 1:
        raise ValueError(
            f"The layer {layer.name!r} has {layer.groups} groups; Keras' transposed convolutions "
            'have one. Use target="polyphase".'
        )
    kind, config = kinds.TRANSPOSED.keras[layer.rank], _config(layer, build)
    del config["groups"]
    return _step(kind.from_config(config), _weights(layer))


def _up_sample_conv(layer: Any, build: Build) -> Step:
    if set(layer.size) == {1} and kernels.get(layer.interpolation).interpolates:
        kind = kinds.CONVOLUTION.keras[layer.rank]
        return _step(kind.from_config(_config(layer, build)), _weights(layer))
    if _bakes(layer) and not _mixes_first(layer):
        return _baked(layer, build)
    return _upsampled(layer, build)


def undoes(layer: Any) -> bool:
    """Return whether a layer of ours becomes an upsampling and a convolution behind it."""
    kind = kinds.nearest(layer)
    if kind is kinds.CONCATENATED:
        small = zip(layer.channels, layer.size, strict=True)
        fewest = min((channels for channels, size in small if set(size) != {1}), default=0)
        first = set(layer.kernel_size) == {1} and layer.filters <= fewest
        return layer.interpolation != "nearest" and not first
    if kind not in kinds.UPSAMPLED or max(layer.size) == 1:
        return False
    return not (kind is kinds.UPSAMPLED_CONVOLUTION and (_bakes(layer) or _mixes_first(layer)))


def _bakes(layer: Any) -> bool:
    """Return whether a transposed convolution computes it."""
    plain = layer.groups == 1 and set(layer.dilation_rate) == {1}
    return plain and layer.interpolation == "nearest" and keras_agrees("nearest", layer.size)


def _mixes_first(layer: Any) -> bool:
    """Return whether a convolution may and should come before its upsampling.

    One tap mixes channels, upsampling mixes pixels => fewer products, unless that leaves more
    channels to interpolate.
    """
    if kinds.exact(layer) is not kinds.UPSAMPLED_CONVOLUTION or set(layer.kernel_size) != {1}:
        return False
    if watched(layer):
        return False
    if layer.interpolation == "nearest":
        return pixelwise(layer.activation, layer.data_format)
    return linear(layer.activation) and layer.filters <= layer.kernel.shape[-2]


def _upsampled(layer: Any, build: Build) -> Step:
    """Return upsampling and the same kernel's convolution, in the order that is due."""
    upsampling = kinds.UPSAMPLING.ours[layer.rank](
        layer.size,
        layer.data_format,
        layer.interpolation,
        name=build.name(f"{layer.name}_upsampling"),
        dtype=layer.dtype_policy,
    )
    before = _up_sampling(upsampling, build)
    kind = kinds.exact(layer).convolution
    assert kind is not None
    plain = kind.keras[layer.rank].from_config(_config(layer, build))
    convolution = _step(plain, _weights(layer))
    if _mixes_first(layer):
        return lambda x: before(convolution(x))
    return lambda x: convolution(before(x))


def _baked(layer: Any, build: Build) -> Step:
    """Return the transposed convolution that nearest upsampling and convolution are."""
    size = layer.size
    kernel, *bias = _weights(layer)
    same = layer.padding == "same" and all(k % 2 for k in layer.kernel_size)
    crop = tuple(upsample_conv_crop(k, layer.padding) for k in layer.kernel_size)
    cropped = not same and any(map(any, crop))
    # A function of single pixels before the crop is the same after it; others, and losses, are not.
    after = watched(layer) or not pixelwise(layer.activation, layer.data_format)
    baked = {
        "kernel_size": tuple(k + s - 1 for k, s in zip(layer.kernel_size, size, strict=True)),
        "strides": size,
        "padding": "same" if same else "valid",
        "kernel_regularizer": None,
        "kernel_constraint": None,
        **(_BARE if cropped and after else {}),
    }
    dropped = ("groups", "rank")
    kept = {name: value for name, value in _config(layer, build).items() if name not in dropped}
    transposed = _step(
        kinds.TRANSPOSED.keras[layer.rank].from_config(kept | baked),
        [upsample_conv_to_conv_transpose(kernel, size), *bias],
    )
    if not cropped:
        return transposed
    name = build.name(f"{layer.name}_cropping")
    cut = cropping(crop, layer.data_format, name=name, dtype=layer.dtype_policy)
    if not after:
        return lambda x: cut(transposed(x))
    activation = _activation(layer, build)
    return lambda x: activation(cut(transposed(x)))


def _concat_conv(layer: Any, build: Build) -> Step:
    """Return the sum of one convolution per input; the last has the bias."""
    kernel, *bias = _weights(layer)
    parts: list[Step] = []
    end = 0
    for channels, size in zip(layer.channels, layer.size, strict=True):
        end += channels
        last = end == kernel.shape[-2]
        config = _config(
            layer,
            build,
            size=size,
            interpolation="nearest" if set(size) == {1} else layer.interpolation,
            name=build.name(f"{layer.name}_part"),
            use_bias=bool(bias) and last,
            **_BARE,
        )
        part = kinds.UPSAMPLED_CONVOLUTION.ours[layer.rank].from_config(config)
        part.build(_shape(layer, channels))
        part.set_weights([kernel[..., end - channels : end, :], *(bias if last else [])])
        parts.append(_up_sample_conv(part, build))
    add = layers.Add(name=build.name(f"{layer.name}_sum"), dtype=layer.dtype_policy)
    activation = _activation(layer, build, layer.name)
    return lambda inputs: activation(add([part(x) for part, x in zip(parts, inputs, strict=True)]))


def _up_sample_conv_apart(layer: Any, build: Build) -> Step:
    """Return upsampling, unless it does nothing, and then the same kernel's convolution."""
    if set(layer.size) == {1} and kernels.get(layer.interpolation).interpolates:
        return _up_sample_conv(layer, build)
    return _upsampled(layer, build)


def _concat_conv_apart(layer: Any, build: Build) -> Step:
    """Return upsamplings, their concatenation, and the same kernel's convolution."""
    parts: list[Step] = []
    for size in layer.size:
        if set(size) == {1}:  # is taken as it is, whatever the interpolation
            parts.append(lambda x: x)
            continue
        name = build.name(f"{layer.name}_upsampling")
        upsampling = kinds.UPSAMPLING.ours[layer.rank](
            size, layer.data_format, layer.interpolation, name=name, dtype=layer.dtype_policy
        )
        parts.append(_up_sampling(upsampling, build))
    axis = layout.channel(layer.data_format)
    name = build.name(f"{layer.name}_concatenate")
    concatenate = layers.Concatenate(axis, name=name, dtype=layer.dtype_policy)
    plain = kinds.CONVOLUTION.keras[layer.rank].from_config(_config(layer, build))
    convolution = _step(plain, _weights(layer))

    def step(inputs: list[Tensor]) -> Tensor:
        return convolution(concatenate([part(x) for part, x in zip(parts, inputs, strict=True)]))

    return step


def _shape(layer: Any, channels: int) -> tuple[int | None, ...]:
    space = (None,) * layer.rank
    last = layer.data_format == "channels_last"
    return (None, *space, channels) if last else (None, channels, *space)


def _sub_pixel(layer: Any, build: Build) -> Step:
    """Return a convolution in the order "dcr", and what moves its channels into space.

    Channels last Keras' operations have that order on every backend, channels first not => there
    the image goes through channels last, so that the model computes the same wherever it is loaded.
    """
    size = layer.size[0]
    if layer.rank > 2 or set(layer.size) != {size}:
        raise ValueError(
            f"The layer {layer.name!r} moves channels into {layer.size} pixels; Keras knows "
            'signals and squares of images only. Use target="polyphase".'
        )
    config = _config(layer, build, filters=layer.filters, strides=1, **_BARE)
    phases = math.prod(layer.size)
    channels = dcr_channels(layer.filters, phases, layer.order)
    weights = [weight[..., channels] for weight in _weights(layer)]
    convolution = _step(kinds.CONVOLUTION.keras[layer.rank].from_config(config), weights)
    activation, name = _activation(layer, build), build.name(f"{layer.name}_space")
    if layer.rank == 1:  # "dcr": the phase is slowest => a signal's samples are in order already
        woven: Step = layers.Reshape((-1, layer.filters // phases), name=name)
    else:

        def woven(x: Tensor) -> Tensor:
            return ops.depth_to_space(x, size, "channels_last")

    weave = channels_last(woven, layer.data_format, layer.rank, name)
    return lambda x: activation(weave(convolution(x)))


# Of every kind that a class of ours is of.
STEPS: dict[Kind, Callable[[Any, Build], Step]] = {
    kinds.UPSAMPLING: _up_sampling,
    kinds.TRANSPOSED: _conv_transpose,
    kinds.UPSAMPLED_CONVOLUTION: _up_sample_conv,
    **dict.fromkeys((kinds.UPSAMPLED_DEPTHWISE, kinds.UPSAMPLED_SEPARABLE), _upsampled),
    kinds.CONCATENATED: _concat_conv,
    kinds.SUB_PIXEL: _sub_pixel,
    kinds.UPSAMPLING_LIKE: _refused("takes the sides of another image"),
    **dict.fromkeys(kinds.LEARNED, _refused("upsamples by weights that it predicts")),
}
# The same, of kernels that stay as they are.
_APART: dict[Kind, Callable[[Any, Build], Step]] = {
    kinds.UPSAMPLED_CONVOLUTION: _up_sample_conv_apart,
    kinds.CONCATENATED: _concat_conv_apart,
}
