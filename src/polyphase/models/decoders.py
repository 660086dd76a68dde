"""The decoder registry: ways to double an image's side that a comparison can choose from.

A decoder is a function `(filters, activation, name) -> layer` of one x2 stage. Kernels are
He-uniform, padding is `same`; only the operator differs.
"""

import importlib
import os
import sys
from collections.abc import Callable

import keras

from polyphase.layers import Conv2DTranspose, SubPixelConv2D, UpSampleConv2D

Stage = Callable[[int, str, str], keras.Layer]


def _resize_convolution(interpolation: str) -> Stage:
    def stage(filters: int, activation: str, name: str) -> keras.Layer:
        return UpSampleConv2D(
            filters,
            3,
            size=2,
            padding="same",
            interpolation=interpolation,
            activation=activation,
            kernel_initializer="he_uniform",
            name=name,
        )

    return stage


def _transposed(kernel_size: int) -> Stage:
    def stage(filters: int, activation: str, name: str) -> keras.Layer:
        return Conv2DTranspose(
            filters,
            kernel_size,
            strides=2,
            padding="same",
            activation=activation,
            kernel_initializer="he_uniform",
            name=name,
        )

    return stage


def _sub_pixel(filters: int, activation: str, name: str) -> keras.Layer:
    return SubPixelConv2D(
        filters,
        3,
        size=2,
        padding="same",
        activation=activation,
        kernel_initializer="he_uniform",
        name=name,
    )


DECODERS: dict[str, Stage] = {
    "nearest": _resize_convolution("nearest"),
    "bilinear": _resize_convolution("bilinear"),
    "transposed-3": _transposed(3),
    "transposed-4": _transposed(4),
    "subpixel": _sub_pixel,
}


def decoder(name: str) -> Stage:
    """Return a decoder by its name, or a user's own as `package.module:function`.

    Modules are looked for where Python does, and in the current folder.

    Raises:
        ValueError: for an unknown name, a module that cannot be imported, or a function whose layer
            does not make `(8, 8, filters)` of `(4, 4, channels)`.

    Example:
        >>> decoder("nearest")(3, "relu", "up").compute_output_shape((None, 4, 4, 8))
        (None, 8, 8, 3)
    """
    if name in DECODERS:
        return DECODERS[name]
    module, _, function = name.partition(":")
    if not function:
        raise ValueError(
            f"Unknown decoder {name!r}. Choose from: {', '.join(DECODERS)}; or give your own as "
            "package.module:function."
        )
    stage = _imported(module, function, name)
    _require_doubling(stage, name)
    return stage


def _imported(module: str, function: str, name: str) -> Stage:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # a user's module may raise anything
        raise ValueError(f"The decoder {name!r} cannot be imported: {error}.") from error
    if not callable(found):
        raise ValueError(f"The decoder {name!r} is no function but {type(found).__name__}.")
    return found


def _require_doubling(stage: Stage, name: str) -> None:
    """Say what is wrong with what a user's function makes."""
    try:
        made = stage(3, "relu", "up")(keras.Input((4, 4, 8)))
        shape = tuple(made.shape)
    except Exception as error:  # a user's function may raise anything
        raise ValueError(
            f"The decoder {name!r} fails when called as function(filters, activation, name) and on "
            f"images of (4, 4, 8): {error}"
        ) from error
    if shape != (None, 8, 8, 3):
        raise ValueError(
            f"The decoder {name!r} must double the sides: make (8, 8, 3) of (4, 4, 8) for 3 "
            f"filters. Received: {shape[1:]}."
        )
