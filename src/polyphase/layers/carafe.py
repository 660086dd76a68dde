"""CARAFE2D: upsampling by kernels that are predicted from the image."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from polyphase.algebra.resampling import phase_taps
from polyphase.layers import mixins, shapes
from polyphase.layers.up_sample_conv import UpSampleConv2D
from polyphase.ops import arguments, layout
from polyphase.ops.reassemble import reassembled

Tensor = Any

_SPREAD = 0.05  # of the first kernels is even: a tap of weight 0 would never learn


@keras.saving.register_keras_serializable(package="polyphase")
class CARAFE2D(mixins.Configured):
    """Upsample images with kernels that are predicted from the image (content-aware).

    A 1x1 convolution compresses the channels. Another convolution predicts `k x k` numbers for
    every output pixel, and softmax turns them into a kernel. Each output pixel is then the sum of
    the `k x k` neighbours of its input pixel, weighted by that kernel (`polyphase.ops.reassemble`).
    At the start the kernels are those of bilinear upsampling, except that a twentieth of their
    weight is spread evenly over all taps.

    Args:
        size: upsampling factor, an int or two, `(height, width)`, at least 1.
        kernel_size: taps per axis of the predicted kernels, odd, at least 3.
        compression: number of channels from which the kernels are predicted.
        encoder_kernel_size: taps per axis of the convolution that predicts them, an int or two.
        groups: number of groups of channels, each with its own kernels; it must divide the number
            of channels.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Weights: those of two convolutions. The first has `c * compression` weights and `compression`
    biases. The second predicts `n = s_h * s_w * groups * k**2` numbers per input pixel, with
    `k_e**2 * compression * n` weights and `n` biases (`k_e` is `encoder_kernel_size`).

    Input: `(batch, height, width, c)`, or channels first; sizes may be unknown.
    Output: `(batch, s_h * height, s_w * width, c)`.

    Raises:
        ValueError: for a size below 1, an even kernel size, or a number of channels that `groups`
            does not divide.

    Exactness: the kernel of every pixel sums to 1, so a constant image stays constant, and no
    checkerboard arises from unequal gains. This holds at the border too: outside the image, the
    nearest pixel is used.

    Reference: Wang et al., arXiv 1905.02188.

    Example:
        >>> import numpy as np
        >>> layer = CARAFE2D(2)
        >>> tuple(layer(np.ones((1, 5, 7, 16), "float32")).shape)
        (1, 10, 14, 16)
        >>> layer.count_params() == (16 + 1) * 64 + (9 * 64 + 1) * 4 * 25
        True
    """

    _added = (
        *("size", "kernel_size", "compression", "encoder_kernel_size", "groups"),
        "data_format",
    )

    def __init__(
        self,
        size: Any = 2,
        kernel_size: int = 5,
        compression: int = 64,
        encoder_kernel_size: Any = 3,
        groups: int = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = arguments.integers(size, "size", 2)
        self.kernel_size = arguments.odd(kernel_size, "kernel_size")
        (self.compression,) = arguments.integers(compression, "compression", 1)
        self.encoder_kernel_size = arguments.integers(encoder_kernel_size, "encoder_kernel_size", 2)
        self.groups = arguments.groups(groups, None, "channels")
        self.data_format = arguments.data_format(data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape: Any) -> None:
        """Make the convolutions, for an input of these channels."""
        channels = input_shape[layout.channel(self.data_format)]
        arguments.groups(self.groups, channels, "channels")
        numbers = math.prod(self.size) * self.groups * self.kernel_size**2
        # Computed channels last, whatever the image's layout: every device convolves so.
        common: dict[str, Any] = {"size": 1, "padding": "same", "data_format": "channels_last"}
        common["dtype"] = self.dtype_policy
        self.compressor = UpSampleConv2D(self.compression, 1, name="compressor", **common)
        self.encoder = UpSampleConv2D(
            numbers,
            self.encoder_kernel_size,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            bias_initializer=self._bilinear,
            name="encoder",
            **common,
        )
        self.compressor.build((None, None, None, channels))
        self.encoder.build((None, None, None, self.compression))
        self.input_spec = keras.InputSpec(ndim=4, axes={layout.channel(self.data_format): channels})

    def _bilinear(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return the numbers whose softmax is nearly bilinear: of every phase and group."""
        rows, columns = (_taps(factor, self.kernel_size) for factor in self.size)
        kernels = np.einsum("pa,qb->pqab", rows, columns).reshape(-1, 1, self.kernel_size**2)
        mixed = (1 - _SPREAD) * kernels + _SPREAD / self.kernel_size**2
        every = np.tile(np.log(mixed), (1, self.groups, 1)).reshape(shape)
        return ops.convert_to_tensor(every, dtype=dtype)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the reassembled images."""
        image = layout.to_last(inputs, self.data_format)
        numbers = self.encoder(self.compressor(image))
        *space, _ = ops.shape(numbers)
        taps, phases = self.kernel_size**2, math.prod(self.size)
        rows = ops.softmax(ops.reshape(numbers, (-1, taps)))
        kernels = ops.reshape(rows, (*space, phases, self.groups * taps))
        y = reassembled(image, kernels, self.size, self.groups)
        return layout.from_last(y, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        return shapes.upsampled(input_shape, self.size, self.data_format)


def _taps(factor: int, kernel_size: int) -> np.ndarray:
    """Return the taps of linear upsampling, of each phase, in kernels of a size: `(s, k)`."""
    linear, kernels = phase_taps(factor, "linear"), np.zeros((factor, kernel_size))
    for phase, (first, weights) in enumerate(zip(linear.first, linear.weights, strict=True)):
        for tap, weight in enumerate(weights, start=first + kernel_size // 2):
            kernels[phase, tap] = weight
    return kernels
