"""DySample2D: upsampling by reading the image at positions that are predicted from it."""

import math
from typing import Any

import keras
from keras import ops

from polyphase.layers import mixins, shapes
from polyphase.layers.up_sample_conv import UpSampleConv2D
from polyphase.ops import arguments, depth_to_space, layout
from polyphase.ops.sample import sampled

Tensor = Any

STYLES = ("lp", "pl")
_REACH = 0.25  # of a pixel, by which an offset of 1 moves a place


@keras.saving.register_keras_serializable(package="polyphase")
class DySample2D(mixins.Configured):
    """Upsample images by reading them, bilinearly, at positions that are predicted from them.

    Bilinear upsampling reads each output pixel at a fixed position in the image. Here a 1x1
    convolution predicts how far to move each of these positions; at the start they hardly move.

    Args:
        size: upsampling factor, an int or two, `(height, width)`, at least 1.
        groups: number of groups of channels, each with its own positions; it must divide the number
            of channels.
        style: "lp" convolves first and then rearranges channels into space; "pl" does so in the
            opposite order. "pl" has fewer parameters and needs a number of channels divisible by
            `s_h * s_w`.
        dynamic_scope: whether a second convolution, through a sigmoid, limits how far positions
            may move.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Weights: "lp": kernel `(1, 1, c, 2 * groups * s_h * s_w)` and a bias; "pl": kernel
    `(1, 1, c / (s_h * s_w), 2 * groups)` and a bias. With `dynamic_scope`, a second kernel of the
    same shape, without a bias.

    Input: `(batch, height, width, c)`, or channels first; sizes may be unknown.
    Output: `(batch, s_h * height, s_w * width, c)`.

    Raises:
        ValueError: for a size below 1, an unknown style, a number of channels that `groups` does
            not divide, or one that "pl" cannot rearrange.

    Exactness: where positions do not move, the layer is bilinear upsampling.

    Reference: Liu et al., arXiv 2308.15085.

    Example:
        >>> import numpy as np
        >>> layer = DySample2D(2)
        >>> tuple(layer(np.ones((1, 5, 7, 16), "float32")).shape)
        (1, 10, 14, 16)
        >>> layer.count_params() == (16 + 1) * 2 * 4 * 4
        True
    """

    _added = ("size", "groups", "style", "dynamic_scope", "data_format")

    def __init__(
        self,
        size: Any = 2,
        groups: int = 4,
        style: str = "lp",
        dynamic_scope: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = arguments.integers(size, "size", 2)
        self.groups = arguments.groups(groups, None, "channels")
        self.style = arguments.one_of(style, "style", STYLES)
        self.dynamic_scope = dynamic_scope
        self.data_format = arguments.data_format(data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape: Any) -> None:
        """Make the convolutions, for an input of these channels."""
        channel, phases = layout.channel(self.data_format), math.prod(self.size)
        channels = input_shape[channel]
        arguments.groups(self.groups, channels, "channels")
        if self.style == "pl" and channels % phases:
            raise ValueError(
                f'DySample2D with style="pl" needs a number of channels divisible by {phases}. '
                f'Received: {channels} channels. Use style="lp".'
            )
        moved = phases if self.style == "pl" else 1  # into space, before they are convolved
        numbers = 2 * self.groups * phases // moved

        def convolution(name: str, **arguments: Any) -> Any:
            layer = UpSampleConv2D(
                numbers,
                1,
                size=1,
                data_format="channels_last",  # every device convolves so
                dtype=self.dtype_policy,
                name=name,
                **arguments,
            )
            layer.build((None, None, None, channels // moved))
            return layer

        near = keras.initializers.RandomNormal(stddev=0.001)
        self.offset = convolution("offset", kernel_initializer=near)
        if self.dynamic_scope:
            self.scope = convolution("scope", kernel_initializer="zeros", use_bias=False)
        self.input_spec = keras.InputSpec(ndim=4, axes={channel: channels})

    def call(self, inputs: Tensor) -> Tensor:
        """Return the images, read at their places."""
        moved = image = layout.to_last(inputs, self.data_format)
        if self.style == "pl":
            moved = depth_to_space(image, self.size, "channels_last")
        offsets = self.offset(moved) * _REACH
        if self.dynamic_scope:
            offsets = offsets * ops.sigmoid(self.scope(moved)) * 2
        if self.style == "lp":
            offsets = depth_to_space(offsets, self.size, "channels_last")
        # Half precision has too few digits for coordinates.
        double = keras.backend.standardize_dtype(offsets.dtype) == "float64"
        dtype = "float64" if double else "float32"
        places = ops.cast(offsets, dtype) + self._places(ops.shape(image)[1:3], dtype)
        return layout.from_last(sampled(image, places, self.groups), self.data_format)

    def _places(self, sides: Any, dtype: str) -> Tensor:
        """Return where bilinear upsampling reads: `(H, W, groups * 2)`, in pixels."""
        rows, columns = (
            (ops.cast(ops.arange(side * s), dtype) + 0.5) / s - 0.5
            for side, s in zip(sides, self.size, strict=True)
        )
        height, width = (side * s for side, s in zip(sides, self.size, strict=True))
        one = [
            ops.broadcast_to(rows[:, None], (height, width)),
            ops.broadcast_to(columns[None, :], (height, width)),
        ]
        return ops.stack(one * self.groups, axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        return shapes.upsampled(input_shape, self.size, self.data_format)
