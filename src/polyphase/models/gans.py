"""The generator whose upsampling can be chosen, and the discriminator that trains it."""

import itertools
import re
from typing import Any

import keras
import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input, Reshape

from polyphase.algebra.geometry import strided_padding
from polyphase.models import decoders

LATENT = 64
_SLOPE = "leaky_relu"
_BLUR = np.array([1, 3, 3, 1]) / 8


def gan_generator(
    decoder: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    widths: tuple[int, int] | None = None,
    width: int = 32,
) -> keras.Model:
    """Return a generator of two x2 stages, the last of which makes the image.

    A Dense layer makes an image with a fourth of the sides and `2 * width` channels. Then follow a
    3x3 convolution, the stage `up_1`, a 3x3 convolution and the stage `up_2`. The last has a
    sigmoid, all others have leaky ReLU.

    Args:
        decoder: the decoder of both stages: a name that `decoders.stages` takes.
        image_shape: `(height, width, channels)`, sides divisible by 4, at least 8 pixels.
        widths: channels of the first stage, and of the convolution after it, at least 1; default:
            `width`.
        width: half the number of channels before them, at least 1.

    Returns:
        A model from latent vectors `(batch, 64)` to images in 0..1.

    Raises:
        ValueError: for an unknown decoder, or sides that are not divisible by 4 or below 8 pixels.

    Example:
        >>> gan_generator("nearest").output_shape
        (None, 28, 28, 1)
    """
    first, last = decoders.stages(decoder, 2)
    inner, behind = widths or (width, width)
    height, wide, channels = image_shape
    if height % 4 or wide % 4 or min(height, wide) < 8:
        raise ValueError(
            "The generator doubles its image twice: sides must be divisible by 4 and at least 8 "
            f"pixels. Received: {height} x {wide}. Resize the images."
        )
    small = (height // 4, wide // 4, 2 * width)
    return keras.Sequential(
        [
            Input((LATENT,)),
            Dense(int(np.prod(small)), activation=_SLOPE, kernel_initializer="he_uniform"),
            Reshape(small),
            _convolution(2 * width),
            first(inner, _SLOPE, "up_1"),
            _convolution(behind),
            last(channels, "sigmoid", "up_2"),
        ],
        name="generator_" + re.sub(r"\W", "_", decoder),
    )


def discriminator(
    image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 32, blurred: bool = False
) -> keras.Model:
    """Return a network that scores images: two halvings, leaky ReLU, no normalisation.

    Args:
        image_shape: `(height, width, channels)`, sides of at least 4 pixels.
        width: channels at full size; each halving doubles them.
        blurred: whether images are blurred by (1, 3, 3, 1) / 8 along both axes before pixels are
            left out. Otherwise the convolutions have strides, and see aliases.

    Returns:
        A model from images to scores `(batch, 1)`, any real numbers.

    Example:
        >>> discriminator((10, 10, 1), blurred=True).output_shape
        (None, 1)
    """
    layers: list[keras.Layer] = [Input(image_shape), _convolution(width)]
    for filters in (2 * width, 4 * width):
        layers.append(_convolution(filters, 1 if blurred else 2))
        if blurred:
            layers.append(_Halving())
    return keras.Sequential([*layers, Flatten(), Dense(1)], name="discriminator")


class _Halving(keras.Layer):
    """Blur by (1, 3, 3, 1) / 8 along both axes, then leave out every second pixel.

    A product with a matrix for each axis, which is what a depthwise convolution of stride 2 between
    zeros computes; by that a step of training with penalties takes JAX four times as long.
    """

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the matrices of an image's sides."""
        self._matrices = [_halving(side) for side in input_shape[1:3]]

    def call(self, x: Any) -> Any:
        """Return `(batch, ceil(height / 2), ceil(width / 2), channels)`."""
        rows, columns = (keras.ops.cast(matrix, x.dtype) for matrix in self._matrices)
        x = keras.ops.einsum("oh,bhwc->bowc", rows, x)
        return keras.ops.einsum("ow,bhwc->bhoc", columns, x)


def _halving(side: int) -> np.ndarray:
    """Return the matrix `(ceil(side / 2), side)` that blurs and leaves out."""
    before = strided_padding(side, len(_BLUR), 2)
    matrix = np.zeros((-(-side // 2), side), np.float32)
    for output, (tap, weight) in itertools.product(range(len(matrix)), enumerate(_BLUR)):
        place = 2 * output + tap - before
        if 0 <= place < side:
            matrix[output, place] = weight
    return matrix


def _convolution(filters: int, strides: int = 1) -> keras.Layer:
    return Conv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        activation=_SLOPE,
        kernel_initializer="he_uniform",
    )
