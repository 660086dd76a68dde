"""Whole models, built once from Keras' layers and once from ours: the same weights fit both."""

from collections.abc import Callable
from types import ModuleType

import keras
from keras.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    GroupNormalization,
    Input,
    LeakyReLU,
    Reshape,
)

from polyphase import layers as polyphase_layers
from polyphase.models import (
    transposed_generator,
    upsampling_autoencoder,
    upsampling_generator,
)

Tensor = keras.KerasTensor


def _resize_convolution(x: Tensor, filters: int, layers: ModuleType) -> Tensor:
    """Nearest x2 and 3x3: two of Keras' layers, or one of ours."""
    if layers is polyphase_layers:
        return layers.UpSampleConv2D(filters, 3, size=2, padding="same")(x)
    return Conv2D(filters, 3, padding="same")(layers.UpSampling2D(2)(x))


def dcgan(layers: ModuleType) -> keras.Model:
    """A generator of 64x64x3 from 100 numbers: 4x4x512, then four times nearest + conv."""
    x = inputs = Input((100,))
    x = Reshape((4, 4, 512))(Dense(4 * 4 * 512)(x))
    for filters in (256, 128, 64):
        x = _resize_convolution(x, filters, layers)
        x = LeakyReLU(0.2)(BatchNormalization()(x))
    return keras.Model(inputs, Activation("tanh")(_resize_convolution(x, 3, layers)))


def unet_decoder(layers: ModuleType) -> keras.Model:
    """A U-Net's way up: 16x16x256 with skips of 128, 64 and 32 channels, to 128x128."""
    x = inputs = Input((16, 16, 256))
    skips = []
    for side, filters in ((32, 128), (64, 64), (128, 32)):
        skip = Input((side, side, filters))
        skips.append(skip)
        x = Activation("relu")(_resize_convolution(x, filters, layers))
        x = Conv2D(filters, 3, padding="same", activation="relu")(Concatenate()([x, skip]))
    return keras.Model([inputs, *skips], Conv2D(2, 1)(x))


def vae_decoder(layers: ModuleType) -> keras.Model:
    """The upsampling blocks of an image-VAE's decoder: nearest x2 + 3x3 at 512, 512, 256."""
    x = inputs = Input((16, 16, 512))
    for filters in (512, 512, 256):
        x = Activation("silu")(GroupNormalization(32)(x))
        x = _resize_convolution(x, filters, layers)
    return keras.Model(inputs, Conv2D(3, 3, padding="same")(x))


MODELS: dict[str, tuple[Callable[[ModuleType], keras.Model], int]] = {
    "R4, generator with UpSampling2D": (upsampling_generator, 64),
    "R5, generator with Conv2DTranspose": (transposed_generator, 64),
    "R6, autoencoder with UpSampling2D": (upsampling_autoencoder, 25),
    "DCGAN-size generator": (dcgan, 16),
    "U-Net decoder": (unet_decoder, 2),
    "image-VAE decoder": (vae_decoder, 1),
}
