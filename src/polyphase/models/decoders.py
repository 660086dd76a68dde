"""The decoder registry: ways to double an image's side that a comparison can choose from.

A decoder is a function `(filters, activation, name) -> layer` of one x2 stage. Kernels are
He-uniform, padding is `same`; only the operator differs.
"""

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
