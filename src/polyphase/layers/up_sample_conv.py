"""UpSampleConv2D: UpSampling2D and Conv2D as one layer."""

from typing import Any

import keras

from polyphase.algebra import geometry
from polyphase.layers import mixins, shapes
from polyphase.ops import arguments, choice, layout, upsample_conv

Tensor = Any


class UpSampleConv(mixins.Upsampled):
    """What `UpSampleConv2D` adds to the layer of Keras that is its next base class."""

    _added = ("size", "interpolation", "lowering")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        size: Any = 2,
        padding: str = "valid",
        interpolation: str = "nearest",
        *,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, size=size, padding=padding, lowering=lowering, **kwargs
        )
        self.interpolation = arguments.interpolation(interpolation, self.rank)
        self.supports_jit = choice.compiles(self.interpolation)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the upsampled and convolved images, with bias and activation."""
        outputs = upsample_conv(
            inputs,
            self.kernel,
            size=self.size,
            interpolation=self.interpolation,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            lowering=self.lowering,
        )
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        shape = list(shapes.upsampled(input_shape, self.size, self.data_format))
        shape[layout.channel(self.data_format)] = self.filters
        space = layout.space(self.data_format)
        shape[space] = [
            None if side is None else geometry.conv_length(side, k, self.padding, dilation)
            for side, k, dilation in zip(
                shape[space], self.kernel_size, self.dilation_rate, strict=True
            )
        ]
        return tuple(shape)


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleConv2D(UpSampleConv, keras.layers.Conv2D):
    """Upsample images, then convolve them: `UpSampling2D(size)` and `Conv2D(...)` in one layer.

    The weights are those of the Conv2D, so they can be moved over with `set_weights`.

    Args:
        filters: number of output channels, at least 1.
        kernel_size: an int or two, at least 1.
        size: upsampling factor, a number of at least 1, or two.
        padding: "valid" or "same", of the upsampled image.
        interpolation: as in `UpSampling2D`.
        lowering: how the result is computed, as in `polyphase.ops.upsample_conv`.
        **kwargs: Conv2D's other arguments: `activation`, `use_bias`, `kernel_initializer`,
            `dilation_rate`, `groups`, `data_format`, regularizers, constraints, `dtype`, ...

    Input: `(batch, height, width, c_in)`, or channels first; sizes may be unknown.
    Output: `(batch, floor(height * size), floor(width * size), filters)` for "same"; for
    "valid" each side is smaller by `(k - 1) * dilation_rate`.

    Raises:
        ValueError: for arguments that Conv2D refuses, strides, or a size below 1.

    Exactness: computes what the two Keras layers compute; float32 results differ by rounding.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleConv2D(4, 3, size=2, padding="same", activation="relu")
        >>> tuple(layer(np.ones((1, 5, 7, 3), "float32")).shape)
        (1, 10, 14, 4)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleConv1D(UpSampleConv, keras.layers.Conv1D):
    """Upsample signals, then convolve them: `UpSampling1D(size)` and `Conv1D(...)` in one layer.

    Arguments, weights, errors and exactness are those of `UpSampleConv2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleConv1D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 10, 4)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleConv3D(UpSampleConv, keras.layers.Conv3D):
    """Upsample volumes, then convolve them: `UpSampling3D(size)` and `Conv3D(...)` in one layer.

    Arguments, weights, errors and exactness are those of `UpSampleConv2D`, for three axes.

    Input: `(batch, depth, height, width, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampleConv3D(4, 3, size=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 7, 4, 3), "float32")).shape)
        (1, 10, 14, 8, 4)
    """
