"""The U-Net whose upsampling a comparison replaces."""

import re

import keras
from keras.layers import Concatenate, Conv2D, Cropping2D, Input, MaxPooling2D

from polyphase.models import decoders
from polyphase.models.autoencoders import excess, require_halved


def comparison_unet(
    decoder: str,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    widths: tuple[int, int] | None = None,
    width: int = 8,
) -> keras.Model:
    """Return a U-Net of three halvings and three x2 stages, with a skip connection at each level.

    A stage doubles the image of the level below. Rows and columns beyond the side of its own level
    are cropped, and the result is concatenated with what the encoder made at that level. At the end
    a 3x3 convolution with a sigmoid makes the image; all other layers have ReLU. The stages are
    called `up_1`, `up_2` and `up_3`.

    Args:
        decoder: a name that `decoders.stages` takes.
        image_shape: `(height, width, channels)`, sides of at least 8 pixels.
        widths: channels of the first stage, and of the two others, at least 1; default: `width`.
        width: channels of the encoder, at least 1.

    Returns:
        A model from such images to images in 0..1.

    Raises:
        ValueError: for an unknown decoder, or images that are too small.

    Reference: Ronneberger et al., "U-Net: convolutional networks for biomedical image
    segmentation", 2015.

    Example:
        >>> comparison_unet("nearest").output_shape
        (None, 32, 32, 3)
    """
    doubling = decoders.stages(decoder, 3)
    require_halved(image_shape)
    first, others = widths or (width, width)
    image = x = Input(image_shape)
    across = []
    for _ in range(3):
        x = _convolution(width, "relu")(x)
        across.append(x)
        x = MaxPooling2D((2, 2), padding="same")(x)
    x = _convolution(width, "relu")(x)
    for number, level in enumerate((2, 1, 0), start=1):
        x = doubling[number - 1](first if number == 1 else others, "relu", f"up_{number}")(x)
        beyond = excess(image_shape, level)
        if any(beyond):
            x = Cropping2D(((0, beyond[0]), (0, beyond[1])), name=f"crop_{number}")(x)
        x = Concatenate()([x, across[level]])
    output = _convolution(image_shape[2], "sigmoid")(x)
    return keras.Model(image, output, name="unet_" + re.sub(r"\W", "_", decoder))


def _convolution(filters: int, activation: str) -> keras.Layer:
    return Conv2D(
        filters, 3, activation=activation, kernel_initializer="he_uniform", padding="same"
    )
