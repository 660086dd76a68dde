"""UpSampleDepthwiseConv2D: UpSampling2D and DepthwiseConv2D as one layer."""

from typing import Any

import keras

from polyphase.layers.mixins import Upsampled
from polyphase.ops import upsample_depthwise_conv

Tensor = Any


class UpSampleDepthwiseConv(Upsampled):
    """What `UpSampleDepthwiseConv2D` adds to the layer of Keras that is its next base class."""

    def __init__(
        self,
        kernel_size: Any,
        size: Any = 2,
        padding: str = "valid",
        *,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(kernel_size, size=size, padding=padding, lowering=lowering, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the upsampled and convolved images, with bias and activation."""
        outputs = upsample_depthwise_conv(
            inputs,
            self.kernel,
            size=self.size,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            lowering=self.lowering,
        )
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleDepthwiseConv2D(UpSampleDepthwiseConv, keras.layers.DepthwiseConv2D):
    """Upsample images (nearest), then convolve every channel separately, in one layer.

    The weights are those of the DepthwiseConv2D, so they can be moved over with `set_weights`.

    Args:
        kernel_size: an int or two, at least 1.
        size: upsampling factor, a number of at least 1, or two.
        padding: "valid" or "same", of the upsampled image.
        lowering: how the result is computed, as in `polyphase.ops.upsample_depthwise_conv`.
        **kwargs: DepthwiseConv2D's other arguments, except strides: `depth_multiplier`,
            `activation`, `use_bias`, `dilation_rate`, `data_format`, `dtype`, ...

    Input: `(batch, height, width, c)`, or channels first; sizes may be unknown.
    Output: `(batch, floor(height * size), floor(width * size), c * depth_multiplier)` for "same";
    for "valid" each side is smaller by `(k - 1) * dilation_rate`.

    Raises:
        ValueError: for arguments that DepthwiseConv2D refuses, strides, or a size below 1.

    Exactness: computes what the two Keras layers compute; float32 results differ by rounding.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleDepthwiseConv2D(3, size=2, padding="same", depth_multiplier=2)
        >>> tuple(layer(np.ones((1, 5, 7, 3), "float32")).shape)
        (1, 10, 14, 6)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleDepthwiseConv1D(UpSampleDepthwiseConv, keras.layers.DepthwiseConv1D):
    """Upsample signals (nearest), then convolve every channel separately, in one layer.

    Arguments, weights, errors and exactness are those of `UpSampleDepthwiseConv2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleDepthwiseConv1D(3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 10, 3)
    """
