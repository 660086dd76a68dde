"""The tutorials' two autoencoders, and the one whose decoder a comparison replaces."""

import re
from types import ModuleType

import keras
from keras.layers import Conv2D, Cropping2D, Input, MaxPooling2D

from polyphase import layers as polyphase_layers
from polyphase.models import decoders


def upsampling_autoencoder(layers: ModuleType = polyphase_layers) -> keras.Model:
    """Return the tutorial's autoencoder with UpSampling2D: bilinear, then 2x2 convolutions.

    Its code has the shape 4x4x8.

    Args:
        layers: where UpSampling2D comes from: `polyphase.layers` or `keras.layers`.

    Returns:
        A model for 28x28x1 images in 0..1, with 1,393 parameters.

    Example:
        >>> upsampling_autoencoder().count_params()
        1393
    """
    return keras.Sequential(
        [
            Input((28, 28, 1)),
            *_even_encoder(),
            layers.UpSampling2D((2, 2), interpolation="bilinear"),
            Conv2D(8, (2, 2), activation="relu"),
            layers.UpSampling2D((2, 2), interpolation="bilinear"),
            _convolution(8, "relu"),
            layers.UpSampling2D((2, 2), interpolation="bilinear"),
            _convolution(1, "sigmoid"),
        ],
        name="upsampling_autoencoder",
    )


def transposed_autoencoder(layers: ModuleType = polyphase_layers) -> keras.Model:
    """Return the tutorial's autoencoder with Conv2DTranspose: 3x3 kernels throughout.

    Three convolutions are followed by three transposed ones. Its "code" has the shape 22x22x8, so
    it compresses nothing.

    Args:
        layers: where Conv2DTranspose comes from: `polyphase.layers` or `keras.layers`.

    Returns:
        A model for 28x28x1 images in 0..1, with 12,785 parameters.

    Example:
        >>> transposed_autoencoder().count_params()
        12785
    """
    style = {"activation": "relu", "kernel_initializer": "he_normal"}
    return keras.Sequential(
        [
            Input((28, 28, 1)),
            *[Conv2D(filters, (3, 3), **style) for filters in (32, 16, 8)],
            *[layers.Conv2DTranspose(filters, (3, 3), **style) for filters in (8, 16, 32)],
            Conv2D(1, (3, 3), activation="sigmoid", padding="same"),
        ],
        name="transposed_autoencoder",
    )


def comparison_autoencoder(
    decoder: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    widths: tuple[int, int] | None = None,
    width: int = 8,
    encoder: str = "centred",
) -> keras.Model:
    """Return an encoder that halves the image three times, with a decoder of three x2 stages.

    Every stage is one that `decoder` makes. After each, rows and columns beyond the encoder's side
    at the same level are cropped (for 28x28: 4 -> 8, cropped to 7, -> 14 -> 28). Activations are
    ReLU, and a sigmoid at the end. The stages are called `up_1`, `up_2` and `up_3`; `up_1` takes
    the code.

    Args:
        decoder: a name that `decoders.stages` takes.
        image_shape: `(height, width, channels)`, sides of at least 8 pixels.
        widths: channels of the decoder's first and second stage, at least 1; default: `width`.
        width: channels of the encoder and of the code, at least 1.
        encoder: one of `ENCODERS`. "centred" has 3x3 convolutions and 2x2 poolings; sample `j` of
            its code sees pixels around `8 j + 3.5`, and nearest and bilinear upsampling put it
            there. "even" has the tutorial's 2x2 convolutions; sample `j` of its code sees pixels
            around `8 j + 9`.

    Returns:
        A model for such images in 0..1.

    Raises:
        ValueError: for an unknown decoder or encoder, or images that are too small.

    Example:
        >>> comparison_autoencoder("nearest").output_shape
        (None, 28, 28, 1)
    """
    doubling = decoders.stages(decoder, 3)
    if encoder not in ENCODERS:
        raise ValueError(f"Unknown encoder {encoder!r}. Choose from: {', '.join(ENCODERS)}.")
    require_halved(image_shape)
    inner = widths or (width, width)
    stages: list[keras.Layer] = []
    for level in (2, 1, 0):
        filters, activation = (inner[2 - level], "relu") if level else (image_shape[2], "sigmoid")
        stages.append(doubling[2 - level](filters, activation, f"up_{3 - level}"))
        beyond = excess(image_shape, level)
        if any(beyond):
            stages.append(Cropping2D(((0, beyond[0]), (0, beyond[1])), name=f"crop_{3 - level}"))
    name = "autoencoder_" + re.sub(r"\W", "_", decoder)
    return keras.Sequential([Input(image_shape), *ENCODERS[encoder](width), *stages], name=name)


def require_halved(image_shape: tuple[int, int, int]) -> None:
    """Say it if images are too small to be halved three times."""
    if min(image_shape[:2]) < 8:
        raise ValueError(
            "The autoencoders halve the image three times and need sides of at least 8 pixels. "
            f"Received: {image_shape[0]} x {image_shape[1]}."
        )


def excess(image_shape: tuple[int, int, int], level: int) -> list[int]:
    """Return by how many pixels a doubled side exceeds that of a level; level 0 is the image."""
    sides = [[-(-side // 2**n) for side in image_shape[:2]] for n in (level, level + 1)]
    return [2 * small - large for large, small in zip(*sides, strict=True)]


def _centred_encoder(width: int) -> list[keras.Layer]:
    """Return three halvings by pooling, which nearest upsampling undoes in place."""
    layers: list[keras.Layer] = []
    for _ in range(3):
        layers += [_convolution(width, "relu", 3), MaxPooling2D((2, 2), padding="same")]
    return [*layers, _convolution(width, "relu", 3)]


def _even_encoder(width: int = 8) -> list[keras.Layer]:
    """Return the tutorial's encoder: three halvings, kernels of 2x2."""
    return [
        _convolution(width, "relu"),
        MaxPooling2D((2, 2), padding="same"),
        _convolution(width, "relu"),
        MaxPooling2D((2, 2), padding="same"),
        _convolution(width, "relu", strides=2),
        _convolution(width, "relu"),
    ]


def _convolution(
    filters: int, activation: str, kernel_size: int = 2, strides: int = 1
) -> keras.Layer:
    return Conv2D(
        filters,
        kernel_size,
        strides=strides,
        activation=activation,
        kernel_initializer="he_uniform",
        padding="same",
    )


ENCODERS = {"centred": _centred_encoder, "even": _even_encoder}
