"""Reads Keras' layers and ours: what each does, as a form."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, tree

from polyphase.layers import kinds
from polyphase.rewrite import frames, operations
from polyphase.rewrite.activations import LAYERS, Reach, reach, watched
from polyphase.rewrite.forms import (
    Concat,
    Conv,
    Form,
    Norm,
    Opaque,
    Operation,
    Pad,
    Pointwise,
    Sum,
    Upsample,
)
from polyphase.rewrite.operations import is_image, resized
from polyphase.rewrite.recognise import keras_means

UPSAMPLED = {
    "full": kinds.UPSAMPLED_CONVOLUTION,
    "depthwise": kinds.UPSAMPLED_DEPTHWISE,
    "separable": kinds.UPSAMPLED_SEPARABLE,
}
_WAYS = {kinds.CONVOLUTION: "full", kinds.DEPTHWISE: "depthwise", kinds.SEPARABLE: "separable"}
_POINTWISE: dict[Reach, Pointwise | Opaque] = {
    Reach.SAME: Pointwise(affine=True),
    Reach.ELEMENT: Pointwise(),
    Reach.LAST_AXIS: Pointwise(mixes=(-1,)),
    Reach.OTHER: Opaque(),
}


def read(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation:
    """Return one call of a layer or operation, `Opaque` if its arguments are more than images."""
    within = kinds.inner(layer)
    # Keras tells Resizing whether it is trained; it resizes the same.
    said = type(layer) is not layers.Resizing and _said(layer, kwargs)
    every = tree.flatten(args)
    inputs = tuple(filter(is_image, every))
    more = isinstance(layer, keras.Layer) and (len(args) > 1 or len(inputs) < len(every))
    return Operation(
        layer.name,
        Opaque() if said or more else form_of(layer, args),
        inputs,
        within,
        args,
        getattr(within, "compute_dtype", ""),
        watched(within),
        within is not layer,
    )


def _said(layer: Any, kwargs: dict[str, Any]) -> bool:
    """Return whether a call says anything by name but what it would be without."""
    parameters = inspect.signature(layer.call).parameters if kwargs else {}
    return any(
        value is not None and (name not in parameters or value is not parameters[name].default)
        for name, value in kwargs.items()
    )


def form_of(layer: Any, args: tuple[Any, ...] = ()) -> Form:
    """Return what a layer does when called so, or anyhow; of a TimeDistributed to every step."""
    within = kinds.inner(layer)
    if not isinstance(within, keras.Layer):
        return operations.form_of(within, args)
    kind = kinds.exact(within)
    if kind is kinds.RESIZING:
        known = args and within is layer and not watched(layer)
        return resized(layer, (layer.height, layer.width), args[0]) if known else Opaque()
    if kind in _BY_KIND:
        return _BY_KIND[kind](within)
    if type(within) in _BY_CLASS:
        return _BY_CLASS[type(within)](within)
    return Opaque()


def _upsampling(layer: Any) -> Form:
    """Of Keras' where their numbers are the formula's, and ours; not where a loss sees them."""
    size = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    interpolation = getattr(layer, "interpolation", "nearest")  # Keras' of signals, of volumes
    if watched(layer) or getattr(layer, "align_corners", False):
        return Opaque()
    if not kinds.is_ours(layer) and not keras_means(interpolation, size):
        return Opaque()
    return Upsample(size, interpolation, getattr(layer, "data_format", "channels_last"))


def _padding(layer: Any) -> Form:
    sign = -1 if kinds.exact(layer) is kinds.CROPPING else 1
    amounts = tuple((sign * before, sign * after) for before, after in frames.amounts(layer))
    return Pad(amounts, getattr(layer, "data_format", "channels_last"))  # Keras' Cropping1D


def _convolution(layer: Any) -> Form:
    return Conv(
        _WAYS[kinds.exact(layer)],
        layer.kernel_size,
        layer.strides,
        layer.dilation_rate,
        getattr(layer, "groups", 1),  # Keras' depthwise have none
        layer.padding,
        layer.data_format,
        _function(layer.activation),
    )


def _function(function: Any) -> Pointwise | Opaque:
    return _POINTWISE[reach(function)]


def _rescaling(layer: layers.Rescaling) -> Form:
    """One number each, or arrays, which are shaped like the image's last axes."""
    scale, offset = np.shape(layer.scale), np.shape(layer.offset)
    if scale and keras.config.image_data_format() == "channels_first":
        scale = (*scale, *[1] * (3 - len(scale)))  # as the layer shapes it
    varies = {
        axis - len(shape) for shape in (scale, offset) for axis, one in enumerate(shape) if one > 1
    }
    dims = max(len(scale), len(offset))
    return Pointwise(affine=True, varies=tuple(sorted(varies)), dims=dims)


def _prelu(layer: layers.PReLU) -> Form:
    shared = layer.shared_axes or ()
    rank = len(layer.alpha.shape)
    return Pointwise(varies=tuple(axis for axis in range(1, rank + 1) if axis not in shared))


def _spatial_dropout(layer: Any) -> Form:
    """One number per channel: the same mask, whatever the image's size."""
    last = getattr(layer, "data_format", "channels_last") == "channels_last"
    return Pointwise(affine=True, varies=(-1 if last else 1,))


def _of_axes(layer: Any) -> Form:
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else (layer.axis,)
    return Pointwise(mixes=tuple(axes))


def _batch_normalization(layer: layers.BatchNormalization) -> Form:
    return Norm((layer.axis,), batch=True, fixed=not layer.trainable)


def _normalization(layer: Any) -> Form:
    return Norm(tuple(layer.axis) if isinstance(layer.axis, (list, tuple)) else (layer.axis,))


_BY_KIND: Mapping[kinds.Kind, Callable[[Any], Form]] = {
    kinds.UPSAMPLING: _upsampling,
    **dict.fromkeys((kinds.ZERO_PADDING, kinds.CROPPING), _padding),
    **dict.fromkeys(kinds.CONVOLUTIONS, _convolution),
}
_BY_CLASS: Mapping[type, Callable[[Any], Form]] = {
    **dict.fromkeys((layers.Activation, *LAYERS), _function),
    layers.Rescaling: _rescaling,
    layers.PReLU: _prelu,
    layers.Identity: lambda layer: Pointwise(affine=True),
    **dict.fromkeys(
        (layers.Dropout, layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise),
        lambda layer: Pointwise(affine=True, at_inference=True),
    ),
    **dict.fromkeys(
        (layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
        _spatial_dropout,
    ),
    **dict.fromkeys((layers.Softmax, layers.UnitNormalization, layers.RMSNormalization), _of_axes),
    layers.BatchNormalization: _batch_normalization,
    **dict.fromkeys((layers.GroupNormalization, layers.LayerNormalization), _normalization),
    layers.Concatenate: lambda layer: Concat(layer.axis),
    **dict.fromkeys((layers.Add, layers.Subtract, layers.Average), lambda layer: Sum()),
    **dict.fromkeys((layers.Multiply, layers.Maximum, layers.Minimum), lambda layer: Pointwise()),
}
