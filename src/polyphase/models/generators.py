"""The tutorial's two GAN generators, which differ in their last, upsampling step.

Each turns a latent vector of 100 numbers into a 10x10 image of one channel.
"""

from types import ModuleType

import keras

from polyphase import layers as polyphase_layers


def upsampling_generator(layers: ModuleType = polyphase_layers) -> keras.Model:
    """Return the generator whose last layers are an upsampling and a convolution.

    They are `UpSampling2D()` and `Conv2D(1, (3, 3), padding="same")`.

    Args:
        layers: where UpSampling2D comes from: `polyphase.layers` or `keras.layers`.

    Returns:
        A model from `(batch, 100)` to `(batch, 10, 10, 1)`, float32, with 324,353 parameters.

    Example:
        >>> upsampling_generator().count_params()
        324353
    """
    return _generator(
        "upsampling_generator",
        [layers.UpSampling2D(), keras.layers.Conv2D(1, (3, 3), padding="same")],
    )


def transposed_generator(layers: ModuleType = polyphase_layers) -> keras.Model:
    """Return the generator whose last layer is a transposed convolution.

    It is `Conv2DTranspose(1, (3, 3), strides=(2, 2), padding="same")`.

    Args:
        layers: where Conv2DTranspose comes from: `polyphase.layers` or `keras.layers`.

    Returns:
        A model from `(batch, 100)` to `(batch, 10, 10, 1)`, float32, with 324,353 parameters.

    Example:
        >>> transposed_generator().output_shape
        (None, 10, 10, 1)
    """
    return _generator(
        "transposed_generator",
        [layers.Conv2DTranspose(1, (3, 3), strides=(2, 2), padding="same")],
    )


def _generator(name: str, last: list[keras.Layer]) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((100,)),
            keras.layers.Dense(128 * 5 * 5),
            keras.layers.Reshape((5, 5, 128)),
            *last,
        ],
        name=name,
    )
