"""The super-resolution network whose upsampling a comparison replaces."""

import re

import keras
from keras.layers import Add, Conv2D, Input

from polyphase.layers import UpSampling2D
from polyphase.models import decoders

_CONVOLUTIONS = 3


def comparison_upscaler(
    decoder: str,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    scale: int = 2,
    widths: tuple[int, int] | None = None,
    width: int = 8,
) -> keras.Model:
    """Return a network that enlarges images: bicubic upsampling, plus a learned correction.

    The correction comes from three 3x3 convolutions of the small image, the stage `up_1`, for a
    scale of 4 also `up_2`, and two 3x3 convolutions at full size. The last of them starts with
    weights of zero, so training starts from bicubic upsampling.

    Args:
        decoder: a name that `decoders.stages` takes.
        image_shape: `(height, width, channels)` of the large image, sides divisible by `scale`.
        scale: 2 or 4.
        widths: channels of the stages, and of the convolution after them, at least 1; default:
            `width`.
        width: channels of the convolutions of the small image, at least 1.

    Returns:
        A model from `(batch, height / scale, width / scale, channels)` to `(batch, height, width,
        channels)`; values may leave 0..1 a little, as those of bicubic upsampling do.

    Raises:
        ValueError: for an unknown decoder, another scale, or sides that are not divisible by it.

    Example:
        >>> model = comparison_upscaler("subpixel", (32, 32, 3), scale=4)
        >>> model.input_shape, model.output_shape
        ((None, 8, 8, 3), (None, 32, 32, 3))
    """
    height, wide, channels = image_shape
    if scale not in (2, 4) or height % scale or wide % scale:
        raise ValueError(
            "`scale` must be 2 or 4, and both sides of the image divisible by it. Received: "
            f"{scale}, {height} x {wide}."
        )
    doubling = decoders.stages(decoder, scale // 2)
    image = x = Input((height // scale, wide // scale, channels))
    for _ in range(_CONVOLUTIONS):
        x = _convolution(width)(x)
    stages, behind = widths or (width, width)
    for number, stage in enumerate(doubling, start=1):
        x = stage(stages, "relu", f"up_{number}")(x)
    x = _convolution(behind)(x)
    added = Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="added")(x)
    smooth = UpSampling2D(scale, interpolation="bicubic", name="bicubic")(image)
    name = f"upscaler_{scale}_" + re.sub(r"\W", "_", decoder)
    return keras.Model(image, Add()([smooth, added]), name=name)


def _convolution(filters: int) -> keras.Layer:
    return Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_uniform")
