"""Whole models: some from Keras' layers or from ours, whose weights fit both, some to be folded."""

from collections.abc import Callable
from types import ModuleType

import keras
from keras.layers import (
    Activation,
    Add,
    Attention,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv3D,
    Conv3DTranspose,
    Dense,
    GroupNormalization,
    Input,
    LeakyReLU,
    MaxPooling3D,
    Reshape,
    UpSampling2D,
    UpSampling3D,
)

from polyphase import layers as polyphase_layers
from polyphase.models import (
    transposed_autoencoder,
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


def vae_blocks(layers: ModuleType) -> keras.Model:
    """Nothing but the upsampling blocks of an image-VAE's decoder: x2 + 3x3 at 512, 512, 256."""
    x = inputs = Input((16, 16, 512))
    for filters in (512, 512, 256):
        x = Activation("silu")(GroupNormalization(32)(x))
        x = _resize_convolution(x, filters, layers)
    return keras.Model(inputs, Conv2D(3, 3, padding="same")(x))


def vae_decoder(layers: ModuleType) -> keras.Model:
    """The whole decoder of a latent-diffusion VAE, a quarter of its sides and channels.

    16x16x4 to 128x128x3: residual blocks with attention in the middle, then four levels of three
    blocks at 4, 4, 2 and 1 times 32 channels, upsampling between the levels; group normalisation
    in 8 groups and SiLU throughout.
    """
    x = inputs = Input((16, 16, 4))
    x = Conv2D(128, 3, padding="same")(x)
    x = _residual(_attention(_residual(x, 128)), 128)
    for level, filters in enumerate((128, 128, 64, 32)):
        x = _resize_convolution(x, x.shape[3], layers) if level else x
        for _ in range(3):
            x = _residual(x, filters)
    return keras.Model(inputs, Conv2D(3, 3, padding="same")(_normalised(x)))


def _normalised(x: Tensor) -> Tensor:
    return Activation("silu")(GroupNormalization(8)(x))


def _residual(x: Tensor, filters: int) -> Tensor:
    y = Conv2D(filters, 3, padding="same")(_normalised(x))
    y = Conv2D(filters, 3, padding="same")(_normalised(y))
    return Add()([x if x.shape[3] == filters else Conv2D(filters, 1)(x), y])


def _attention(x: Tensor) -> Tensor:
    """One head over all pixels, around which the image goes too."""
    _, height, width, channels = x.shape
    normalised = GroupNormalization(8)(x)
    query, key, value = (
        Reshape((height * width, channels))(Conv2D(channels, 1)(normalised)) for _ in range(3)
    )
    y = Attention(use_scale=True)([query, value, key])
    return Add()([x, Conv2D(channels, 1)(Reshape((height, width, channels))(y))])


MODELS: dict[str, tuple[Callable[[ModuleType], keras.Model], int]] = {
    "generator with UpSampling2D": (upsampling_generator, 64),
    "generator with Conv2DTranspose": (transposed_generator, 64),
    "autoencoder with UpSampling2D": (upsampling_autoencoder, 25),
    "DCGAN-size generator": (dcgan, 16),
    "U-Net decoder": (unet_decoder, 2),
    "image-VAE, upsampling blocks only": (vae_blocks, 1),
    "image-VAE, whole decoder": (vae_decoder, 1),
}


def residual_unet() -> keras.Model:
    """A residual U-Net's way up: the shortcut is upsampling and a 1x1 convolution."""
    x = inputs = Input((16, 16, 256))
    for filters in (128, 64, 32):
        up = UpSampling2D()(x)
        way = Activation("relu")(BatchNormalization()(Conv2D(filters, 3, padding="same")(up)))
        way = Conv2D(filters, 3, padding="same")(way)
        x = Activation("relu")(Add()([way, Conv2D(filters, 1)(up)]))
    return keras.Model(inputs, Conv2D(2, 1)(x))


def plain_unet(interpolation: str = "nearest") -> keras.Model:
    """A U-Net's way up as most write it: upsample, concatenate with the skip, convolve."""
    x = inputs = Input((16, 16, 256))
    skips = []
    for side, filters in ((32, 128), (64, 64), (128, 32)):
        skip = Input((side, side, filters))
        skips.append(skip)
        x = Concatenate()([UpSampling2D(interpolation=interpolation)(x), skip])
        for _ in range(2):
            x = Activation("relu")(BatchNormalization()(Conv2D(filters, 3, padding="same")(x)))
    return keras.Model([inputs, *skips], Conv2D(2, 1)(x))


def diffusion_unet() -> keras.Model:
    """A diffusion U-Net's way up: bilinear, concatenate, normalise, convolve."""
    x = inputs = Input((8, 8, 96))
    skips = []
    for side, filters in ((16, 96), (32, 64), (64, 32)):
        skip = Input((side, side, filters))
        skips.append(skip)
        x = Concatenate()([UpSampling2D(interpolation="bilinear")(x), skip])
        x = Conv2D(filters, 3, padding="same", activation="silu")(BatchNormalization()(x))
        x = Add()([x, Conv2D(filters, 3, padding="same", activation="silu")(x)])
    return keras.Model([inputs, *skips], Conv2D(3, 1)(x))


def pyramid() -> keras.Model:
    """A feature pyramid: nearest, added to what a 1x1 convolution makes of the finer level."""
    levels = [Input((side, side, c)) for side, c in ((8, 512), (16, 256), (32, 128))]
    x = Conv2D(128, 1)(levels[0])
    outputs = [Conv2D(128, 3, padding="same")(x)]
    for level in levels[1:]:
        x = Add()([UpSampling2D()(x), Conv2D(128, 1)(level)])
        outputs.append(Conv2D(128, 3, padding="same")(x))
    return keras.Model(levels, outputs)


def segmentation_head() -> keras.Model:
    """A DeepLab-like head: bilinear x4, concatenate, convolve, bilinear x4 to the classes."""
    x, low = Input((16, 16, 128)), Input((64, 64, 48))
    joined = Concatenate()([UpSampling2D(4, interpolation="bilinear")(x), low])
    y = Conv2D(64, 3, padding="same", use_bias=False)(joined)
    y = Activation("relu")(BatchNormalization()(y))
    return keras.Model([x, low], Conv2D(21, 1)(UpSampling2D(4, interpolation="bilinear")(y)))


def volume_unet(transposed: bool = False) -> keras.Model:
    """A 3-D U-Net, down from 32 voxels a side and up again, at 16 to 128 channels.

    Up by nearest upsampling, skip and two convolutions, or, as medical segmentation also has it, by
    a transposed convolution of 4 taps, skip and one convolution; normalised in batches.
    """
    x = inputs = Input((32, 32, 32, 1))
    skips = []
    for filters in (16, 32, 64):
        skips.append(_normalised_volume(_normalised_volume(x, filters), filters))
        x = MaxPooling3D()(skips[-1])
    x = _normalised_volume(x, 128)
    for filters, skip in zip((64, 32, 16), reversed(skips), strict=True):
        if transposed:
            x = Conv3DTranspose(filters, 4, strides=2, padding="same")(x)
            x = Activation("relu")(BatchNormalization()(x))
        else:
            x = UpSampling3D()(x)
        x = _normalised_volume(Concatenate()([x, skip]), filters)
        x = x if transposed else _normalised_volume(x, filters)
    return keras.Model(inputs, Conv3D(2, 1)(x))


def _normalised_volume(x: Tensor, filters: int) -> Tensor:
    x = Conv3D(filters, 3, padding="same", use_bias=False)(x)
    return Activation("relu")(BatchNormalization()(x))


def volume_decoder() -> keras.Model:
    """The way up of a volume autoencoder: nearest and one convolution per level, from 4 voxels."""
    x = inputs = Input((4, 4, 4, 128))
    for filters in (64, 32, 16):
        x = Conv3D(filters, 3, padding="same", activation="relu")(UpSampling3D()(x))
    return keras.Model(inputs, Conv3D(1, 3, padding="same")(x))


def vocoder() -> keras.Model:
    """A vocoder's way up, HiFi-GAN's at a quarter of the channels: 32 frames, x8, x8, x2, x2."""
    x = inputs = Input((32, 80))
    x = Conv1D(128, 7, padding="same")(x)
    for strides, taps, filters in ((8, 16, 64), (8, 16, 32), (2, 4, 16), (2, 4, 8)):
        x = Conv1DTranspose(filters, taps, strides=strides, padding="same")(LeakyReLU(0.1)(x))
        for dilation in (1, 3):
            y = Conv1D(filters, 3, padding="same", dilation_rate=dilation)(LeakyReLU(0.1)(x))
            x = Add()([x, y])
    return keras.Model(inputs, Conv1D(1, 7, padding="same", activation="tanh")(LeakyReLU(0.1)(x)))


# Signals and volumes that `fold` is to take, with a batch size.
VOLUMETRIC: dict[str, tuple[Callable[[], keras.Model], int]] = {
    "3-D U-Net, nearest and skips": (volume_unet, 2),
    "3-D U-Net, Conv3DTranspose and skips": (lambda: volume_unet(transposed=True), 2),
    "3-D decoder, nearest": (volume_decoder, 2),
    "vocoder, Conv1DTranspose": (vocoder, 4),
}


# What `fold` is to take: made of Keras' layers, with a batch size.
FOLDABLE: dict[str, tuple[Callable[[], keras.Model], int]] = {
    "generator with UpSampling2D": (lambda: upsampling_generator(keras.layers), 64),
    "generator with Conv2DTranspose": (lambda: transposed_generator(keras.layers), 64),
    "autoencoder with UpSampling2D": (lambda: upsampling_autoencoder(keras.layers), 25),
    "autoencoder with Conv2DTranspose": (lambda: transposed_autoencoder(keras.layers), 25),
    "DCGAN-size generator": (lambda: dcgan(keras.layers), 16),
    "U-Net, nearest and skips": (plain_unet, 4),
    "U-Net, bilinear and skips": (lambda: plain_unet("bilinear"), 4),
    "residual U-Net": (residual_unet, 4),
    "diffusion U-Net, bilinear": (diffusion_unet, 8),
    "feature pyramid": (pyramid, 8),
    "DeepLab-like head": (segmentation_head, 4),
    "image-VAE, upsampling blocks only": (lambda: vae_blocks(keras.layers), 4),
    "image-VAE, whole decoder": (lambda: vae_decoder(keras.layers), 1),
}
