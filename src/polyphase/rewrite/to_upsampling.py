"""The reverse of folding: write a transposed convolution as upsampling and a convolution."""

from typing import Any

import keras

from polyphase.algebra.equivalence import conv_transpose_to_upsample_conv
from polyphase.algebra.geometry import (
    conv_transpose_crop,
    conv_transpose_length,
    padding_amounts,
)
from polyphase.layers import kinds
from polyphase.rewrite.build import Build
from polyphase.rewrite.copying import own_objects
from polyphase.rewrite.effective import effective, set_first
from polyphase.rewrite.frames import channels_last
from polyphase.rewrite.graph import require_graph
from polyphase.rewrite.walk import rewritten

# A kernel that was summed in float32 is off by rounding; one that was trained is off by far more.
TOLERANCE = 1e-5


def to_upsampling(layer_or_model: Any) -> keras.Model:
    """Turn transposed convolutions into nearest upsampling and a convolution, in Keras' own layers.

    Upsampling and a convolution with the kernel `w` always equal one transposed convolution, whose
    kernel `W` is a linear map of `w` ("Upsample, then convolve" in docs/mathematics.md). The
    reverse exists only for a kernel that lies in the image of this map. Then `w` is unique, and is
    recovered by least squares.

    Args:
        layer_or_model: a built transposed convolution, or a Functional or Sequential model with
            some. It does not change.

    Returns:
        For a layer, a Sequential of `UpSampling2D`, `ZeroPadding2D` if needed, and `Conv2D`, or of
        the layers for signals or volumes. For a model, a new model with those in place of its
        transposed convolutions.

    Raises:
        TypeError: if it is neither a transposed convolution nor a model.
        ValueError: if a kernel lies outside the image of the map; the message has the residual
            `||W - M w|| / ||W||`. Also for strides of 1, dilation, a kernel smaller than the
            stride, or a layer that is not built.

    Exactness: the same operator; the kernel is recovered to rounding.

    Example:
        >>> import numpy as np
        >>> layer = keras.layers.Conv2DTranspose(1, 2, strides=2)
        >>> layer.build((None, 4, 4, 1))
        >>> layer.set_weights([np.full((2, 2, 1, 1), 3.0), np.zeros(1)])
        >>> [type(one).__name__ for one in to_upsampling(layer).layers]
        ['UpSampling2D', 'Conv2D']
    """
    if kinds.nearest(layer_or_model) is kinds.TRANSPOSED:
        return _sequential(layer_or_model)
    require_graph(layer_or_model, "to_upsampling")
    return _model(layer_or_model)


def _model(model: keras.Model) -> keras.Model:
    made: dict[int, Any] = {}

    def value(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
        if kinds.nearest(layer) is not kinds.TRANSPOSED or max(layer.strides) == 1:
            return build.call(layer, *args, **kwargs)
        if id(layer) not in made:
            made[id(layer)] = _steps(layer, build)
        return made[id(layer)](*args, **kwargs)

    return rewritten(model, value)[0]


def _sequential(layer: Any) -> keras.Model:
    if not layer.built:
        raise ValueError(
            f"The layer {layer.name!r} is not built and has no kernel. Call it on an image first."
        )
    channels = layer.kernel.shape[kinds.nearest(layer).inputs]
    last = layer.data_format == "channels_last"
    space = (None,) * layer.rank
    inputs = keras.Input((*space, channels) if last else (channels, *space))
    build = Build(())
    outputs = _steps(layer, build)(inputs)
    build.move_weights()
    steps = keras.Model(inputs, outputs).layers
    return keras.Sequential(steps, name=f"{layer.name}_as_upsampling")


def _steps(layer: Any, build: Build) -> Any:
    """Return what upsamples, puts zeros or cuts, and convolves, with the layer's weights."""
    (kernel,), bias = effective(layer)
    recovered = _recovered(layer, kernel)
    margin = _margin(layer, recovered.shape[:-2])
    same = margin == tuple(padding_amounts(k, "same") for k in recovered.shape[:-2])
    config = {
        name: value for name, value in build.config(layer).items() if name not in _TRANSPOSED_ONLY
    }
    upsampling = _upsampling(layer, build)
    changes = {
        "kernel_size": recovered.shape[:-2],
        "padding": "same" if same else "valid",
        "strides": 1,
    }
    with keras.saving.custom_object_scope(own_objects(layer)):
        convolution = kinds.CONVOLUTION.keras[layer.rank].from_config(config | changes)

    def steps(x: Any) -> Any:
        upsampled = upsampling(x)
        framed = upsampled if same else build.framed(upsampled, margin, layer)
        y = convolution(framed)
        set_first(convolution, [recovered, *bias])
        return y

    return steps


def _upsampling(layer: Any, build: Build) -> Any:
    """Return Keras' upsampling by a layer's strides."""
    name = build.name(f"{layer.name}_upsampling")
    kind, dtype = kinds.UPSAMPLING.keras[layer.rank], layer.dtype_policy
    if layer.rank == 1:
        upsampling = kind(layer.strides[0], name=name, dtype=dtype)
        return channels_last(upsampling, layer.data_format, 1, name)
    return kind(layer.strides, layer.data_format, name=name, dtype=dtype)


_TRANSPOSED_ONLY = (
    "output_padding",
    "groups",
    "lowering",
    "kernel_regularizer",
    "kernel_constraint",
)


def _recovered(layer: Any, kernel: Any) -> Any:
    """Return the kernel of the convolution."""
    groups = getattr(layer, "groups", 1)
    plain = max(layer.strides) > 1 and {*layer.dilation_rate, groups} == {1}
    if not plain:
        raise ValueError(
            f"{layer.name!r} cannot be written as upsampling and a convolution. Received: strides="
            f"{layer.strides}, dilation_rate={layer.dilation_rate}, groups={groups}. Expected: a "
            "stride of at least 2, no dilation and one group."
        )
    recovered, residual = conv_transpose_to_upsample_conv(kernel, layer.strides)
    if not residual <= TOLERANCE:
        raise ValueError(
            f"The kernel of {layer.name!r} cannot be written as upsampling and a convolution: the "
            f"nearest kernel that can differs by {residual:.2g} of its norm. "
            "`polyphase.algebra.equivalence` computes that one."
        )
    return recovered


def _margin(layer: Any, kernel_size: tuple[int, ...]) -> Any:
    """Return the zeros around the upsampled image, per axis; negative: what is cut."""
    padding = layer.output_padding
    more = padding if isinstance(padding, (tuple, list)) else (padding,) * layer.rank
    margin = []
    for full, k, stride, one in zip(
        layer.kernel_size, kernel_size, layer.strides, more, strict=True
    ):
        front = k - 1 - conv_transpose_crop(full, stride, layer.padding, one)
        extra = conv_transpose_length(0, full, stride, layer.padding, one)
        margin.append((front, extra + k - 1 - front))
    return tuple(margin)
