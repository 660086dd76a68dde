"""SubPixelConv2D: a convolution into s*s phases, rearranged into an image s times larger."""

import math
from typing import Any

import keras

from polyphase.algebra.channel_order import ORDERS
from polyphase.layers import shapes
from polyphase.layers.mixins import OfOneRank
from polyphase.ops import arguments, axes, depth_to_space, layout, upsample_conv

Tensor = Any


class SubPixelConv(OfOneRank):
    """What `SubPixelConv2D` adds to the layer of Keras that is its next base class."""

    _added = ("size", "order")
    _removed = ("strides",)

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        size: Any = 2,
        padding: str = "valid",
        *,
        order: str = "dcr",
        **kwargs: Any,
    ) -> None:
        arguments.no_strides(kwargs, type(self).__name__)
        self.order = arguments.one_of(order, "order", ORDERS)
        self.size = arguments.integers(size, "size", self.rank)
        super().__init__(filters * math.prod(self.size), kernel_size, padding=padding, **kwargs)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Return the convolved images, before bias and weaving."""
        # Size 1: a plain convolution, in the layout that the device can compute.
        return upsample_conv(
            inputs,
            kernel,
            size=1,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            lowering="direct",
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolved images, woven, with bias and activation."""
        outputs = self.convolution_op(inputs, self.kernel)
        if self.use_bias:
            channel = layout.channel(self.data_format)
            outputs = outputs + axes.along(self.bias, outputs, channel)
        outputs = depth_to_space(outputs, self.size, self.data_format, self.order)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        shape = list(super().compute_output_shape(input_shape))
        shape[layout.channel(self.data_format)] //= math.prod(self.size)
        return shapes.upsampled(shape, self.size, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return super().get_config() | {"filters": self.filters // math.prod(self.size)}


@keras.saving.register_keras_serializable(package="polyphase")
class SubPixelConv2D(SubPixelConv, keras.layers.Conv2D):
    """Convolve into `s_h * s_w * filters` channels, then rearrange them into a larger image.

    Args:
        filters: number of output channels, at least 1.
        kernel_size: an int or two, at least 1, in input pixels.
        size: upsampling factor, an int or two, at least 1.
        padding: "valid" or "same", of the input image.
        order: order of the convolution's channels, as in `polyphase.ops.depth_to_space`. In "dcr"
            the phase (the output pixel's position in its block) varies slowest; in "crd" it varies
            fastest, as in weights made for PyTorch's `PixelShuffle`.
        **kwargs: Conv2D's other arguments. With
            `kernel_initializer=polyphase.initializers.ICNR(size, order=order)` the layer starts
            without a checkerboard.

    Weights: kernel `(k_h, k_w, c_in, s_h * s_w * filters)`, bias `(s_h * s_w * filters,)`, in the
    same order in both data formats.

    Input: `(batch, height, width, c_in)`, or channels first; sizes may be unknown.
    Output: `(batch, s_h * height, s_w * width, filters)` for "same".

    Raises:
        ValueError: for arguments that Conv2D refuses, strides, a size below 1, or an unknown order.

    Reference: Shi et al., arXiv 1609.05158.

    Example:
        >>> import numpy as np
        >>> layer = SubPixelConv2D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 7, 3), "float32")).shape)
        (1, 10, 14, 4)
    """

    rank = 2


@keras.saving.register_keras_serializable(package="polyphase")
class SubPixelConv1D(SubPixelConv, keras.layers.Conv1D):
    """Convolve signals into `s * filters` channels, then rearrange them into longer signals.

    Arguments, weights, errors and exactness are those of `SubPixelConv2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = SubPixelConv1D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 10, 4)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="polyphase")
class SubPixelConv3D(SubPixelConv, keras.layers.Conv3D):
    """Convolve volumes into `s_d * s_h * s_w * filters` channels, then rearrange them into space.

    Arguments, weights, errors and exactness are those of `SubPixelConv2D`, for three axes.

    Input: `(batch, depth, height, width, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = SubPixelConv3D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 7, 4, 3), "float32")).shape)
        (1, 10, 14, 8, 4)
    """

    rank = 3
