"""UpSampleSeparableConv2D: UpSampling2D and SeparableConv2D as one layer."""

from typing import Any

import keras

from polyphase.layers.mixins import Upsampled
from polyphase.ops import upsample_conv, upsample_depthwise_conv

Tensor = Any


class UpSampleSeparableConv(Upsampled):
    """What `UpSampleSeparableConv2D` adds to the layer of Keras that is its next base class."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        size: Any = 2,
        padding: str = "valid",
        *,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, size=size, padding=padding, lowering=lowering, **kwargs
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the upsampled and convolved images, with bias and activation."""
        separate = upsample_depthwise_conv(
            inputs,
            self.depthwise_kernel,
            size=self.size,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            lowering=self.lowering,
        )
        # Size 1: a plain 1x1 convolution, in the layout that the device can compute.
        outputs = upsample_conv(
            separate,
            self.pointwise_kernel,
            size=1,
            data_format=self.data_format,
            bias=self.bias,
        )
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleSeparableConv2D(UpSampleSeparableConv, keras.layers.SeparableConv2D):
    """Upsample images (nearest), convolve every channel separately, then mix the channels.

    The weights are those of the SeparableConv2D, so they can be moved over with `set_weights`.

    Args:
        filters: number of output channels, at least 1.
        kernel_size: an int or two, at least 1.
        size: upsampling factor, a number of at least 1, or two.
        padding: "valid" or "same", of the upsampled image.
        lowering: how the result is computed, as in `polyphase.ops.upsample_depthwise_conv`.
        **kwargs: SeparableConv2D's other arguments, except strides: `depth_multiplier`,
            `activation`, `use_bias`, `dilation_rate`, `data_format`, `dtype`, ...

    Input: `(batch, height, width, c)`, or channels first; sizes may be unknown.
    Output: `(batch, floor(height * size), floor(width * size), filters)` for "same"; for
    "valid" each side is smaller by `(k - 1) * dilation_rate`.

    Raises:
        ValueError: for arguments that SeparableConv2D refuses, strides, or a size below 1.

    Exactness: computes what the two Keras layers compute; float32 results differ by rounding.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleSeparableConv2D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 7, 3), "float32")).shape)
        (1, 10, 14, 4)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleSeparableConv1D(UpSampleSeparableConv, keras.layers.SeparableConv1D):
    """Upsample signals (nearest), convolve every channel separately, then mix the channels.

    Arguments, weights, errors and exactness are those of `UpSampleSeparableConv2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleSeparableConv1D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 10, 4)
    """
