"""Conv1DTranspose, 2D and 3D: Keras' layers, computed in phases where that is faster."""

from typing import Any

import keras

from polyphase.layers.mixins import OfOneRank
from polyphase.ops import arguments, conv_transpose

Tensor = Any


class ConvTranspose(OfOneRank):
    """What `Conv2DTranspose` adds to the layer of Keras that is its next base class."""

    _added = ("groups", "lowering")

    def __init__(self, *args: Any, groups: int = 1, lowering: str = "auto", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = arguments.groups(groups, self.filters, "filters")
        self.lowering = lowering

    def add_weight(self, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Make a weight; the kernel `(*kernel_size, filters / groups, c_in)`."""
        if kwargs.get("name") == "kernel":
            *taps, filters, channels = shape
            arguments.groups(self.groups, channels, "input channels")
            shape = (*taps, filters // self.groups, channels)
        return super().add_weight(shape, *args, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the transpose-convolved images, with bias and activation."""
        outputs = conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            lowering=self.lowering,
            groups=self.groups,
        )
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="polyphase")
class Conv2DTranspose(ConvTranspose, keras.layers.Conv2DTranspose):
    """Apply a transposed convolution to images; a drop-in for `keras.layers.Conv2DTranspose`.

    Args:
        filters: number of output channels, at least 1.
        kernel_size: an int or two, at least 1.
        strides: upsampling factor, an int or two, at least 1.
        padding: "valid" or "same".
        output_padding: None, or an int or two, at least 0 and less than the stride.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        dilation_rate: distance between the kernel's taps, an int or two, at least 1.
        activation: name or function; default: none.
        *args: the Keras layer's next arguments, in its order: `use_bias`, `kernel_initializer`, ...
        groups: number of groups of channels, as in `polyphase.ops.conv_transpose`; Keras' layer has
            no such argument. It must divide `filters` and the number of input channels. The kernel
            is then `(*kernel_size, filters / groups, c_in)`.
        lowering: how the result is computed, as in `polyphase.ops.conv_transpose`.
        **kwargs: the Keras layer's other arguments: `use_bias`, `kernel_initializer`,
            regularizers, constraints, `dtype`, ...

    Input: `(batch, height, width, c_in)`, or channels first; sizes may be unknown.
    Output: `(batch, height * s, width * s, filters)` for "same",
    `((height - 1) * s + max(k, s), ...)` for "valid".

    Raises:
        ValueError: for arguments that Keras' layer refuses.

    Exactness: computes what Keras' layer computes; float32 results differ by rounding.

    Example:
        >>> import numpy as np
        >>> layer = Conv2DTranspose(1, (1, 1), strides=(2, 2))
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> layer.build(x.shape)
        >>> layer.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
        >>> keras.ops.convert_to_numpy(layer(x))[0, :, :, 0].astype(int).tolist()
        [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    """


@keras.saving.register_keras_serializable(package="polyphase")
class Conv1DTranspose(ConvTranspose, keras.layers.Conv1DTranspose):
    """Apply a transposed convolution to signals; a drop-in for `keras.layers.Conv1DTranspose`.

    Arguments, weights, errors and exactness are those of `Conv2DTranspose`, for one axis; the
    arguments have the order of Keras' layer.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = Conv1DTranspose(4, 3, strides=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 10, 4)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class Conv3DTranspose(ConvTranspose, keras.layers.Conv3DTranspose):
    """Apply a transposed convolution to volumes; a drop-in for `keras.layers.Conv3DTranspose`.

    Arguments, weights, errors and exactness are those of `Conv2DTranspose`, for three axes; the
    arguments have the order of Keras' layer.

    Input: `(batch, depth, height, width, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = Conv3DTranspose(4, 3, strides=2, padding="same")
        >>> tuple(layer(np.ones((1, 5, 7, 4, 3), "float32")).shape)
        (1, 10, 14, 8, 4)
    """
