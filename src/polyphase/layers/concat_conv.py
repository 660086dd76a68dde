"""ConcatConv2D: images upsampled, concatenated and convolved, without the concatenation."""

from typing import Any

import keras
from keras import ops

from polyphase.layers import mixins, shapes
from polyphase.ops import arguments, axes, layout, upsample_conv

Tensor = Any


class ConcatConv(mixins.Configured):
    """What `ConcatConv2D` adds to the layer of Keras that is its next base class."""

    _added = ("size", "interpolation", "lowering")
    _removed = ("strides", "groups")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        size: Any,
        padding: str = "valid",
        interpolation: str = "nearest",
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        for name in ("strides", "groups"):
            value = kwargs.pop(name, 1)
            if value not in (1, (1,) * self.rank, [1] * self.rank):
                raise ValueError(
                    f"{type(self).__name__} takes only {name}=1. Received: {name}={value!r}."
                )
        super().__init__(filters, kernel_size, padding=padding, **kwargs)
        self.input_spec = None  # Conv2D's: one image
        if not isinstance(size, (tuple, list)) or not size:
            raise ValueError(
                "`size` must be a list of one upsampling factor per input, such as (2, 1). "
                f"Received: size={size!r}."
            )
        self.size = tuple(arguments.sizes(one, self.rank) for one in size)
        self.interpolation = arguments.interpolation(interpolation, self.rank)
        self.lowering = lowering

    def build(self, input_shape: Any) -> None:
        """Make Conv2D's weights for all input channels together."""
        super().build(shapes.concatenated(input_shape, self.size, self.data_format))
        self.channels = tuple(shape[layout.channel(self.data_format)] for shape in input_shape)
        self.input_spec = None

    def call(self, inputs: Any) -> Tensor:
        """Return the sum of what each image contributes, with bias and activation."""
        several = isinstance(inputs, (list, tuple))
        self._joined([tuple(x.shape) for x in inputs] if several else tuple(inputs.shape))
        kernel = ops.convert_to_tensor(self.kernel)
        parts, start = [], 0
        for x, size, channels in zip(inputs, self.size, self.channels, strict=True):
            start += channels
            as_it_is = set(size) == {1}
            part = upsample_conv(
                x,
                kernel[..., start - channels : start, :],
                size=size,
                interpolation="nearest" if as_it_is else self.interpolation,
                padding=self.padding,
                data_format=self.data_format,
                dilation_rate=self.dilation_rate,
                lowering="auto" if as_it_is else self.lowering,
                bias=self.bias if start == kernel.shape[-2] else None,
            )
            parts.append(part)
        total = axes.total(parts)
        return total if self.activation is None else self.activation(total)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape, of a list of shapes or of the concatenation's."""
        several = isinstance(input_shape[0], (tuple, list))
        whole = self._joined(input_shape) if several else input_shape
        shape: tuple[Any, ...] = super().compute_output_shape(whole)
        return shape

    def _joined(self, input_shapes: Any) -> tuple[Any, ...]:
        """Return the shape of the concatenation of images that the layer was built for."""
        whole = shapes.concatenated(input_shapes, self.size, self.data_format)
        channels = tuple(shape[layout.channel(self.data_format)] for shape in input_shapes)
        if self.built and any(
            one is not None and one != made_for
            for one, made_for in zip(channels, self.channels, strict=True)
        ):
            raise ValueError(
                f"{type(self).__name__} was built for images of {self.channels} channels. "
                f"Received: {channels}."
            )
        return whole


@keras.saving.register_keras_serializable(package="polyphase")
class ConcatConv2D(ConcatConv, keras.layers.Conv2D):
    """Upsample images, each by its own factor, concatenate them and convolve the result.

    A U-Net's decoder does this with an image `x` and a skip connection `z`. The kernel is split by
    input channels: `Conv_w(concat(R x, z)) = Conv_{w_x}(R x) + Conv_{w_z}(z)`, where `R x` is the
    upsampled image. So the concatenation is never made, and neither is the upsampled image
    (nearest). The weights are those of the Conv2D.

    Args:
        filters: number of output channels, at least 1.
        kernel_size: an int or two, at least 1.
        size: a list with one upsampling factor per input: a number of at least 1, or two. An input
            of size 1 is used as it is, whatever the interpolation.
        padding: "valid" or "same", of the upsampled images.
        interpolation: for the inputs whose size is not 1, as in `UpSampling2D`. ("mitchell" also
            smooths along an axis of size 1 if the other axis is upsampled: for (1, 2), as
            `UpSampling2D((1, 2))` does.)
        lowering: how to compute the inputs whose size is not 1, as in
            `polyphase.ops.upsample_conv`.
        **kwargs: Conv2D's other arguments, except that strides and groups must be 1.

    Input: a list of `(batch, height, width, channels)`, or channels first. Once upsampled, all must
    have the same height and width; nothing is broadcast. Sizes that are known only when the model
    runs are checked then.
    Output: `(batch, floor(height * size), floor(width * size), filters)` for "same".

    Raises:
        ValueError: for strides or groups other than 1, a size below 1, a number of inputs other
            than that of sizes, and images that cannot be concatenated.

    Exactness: computes what UpSampling2D, Concatenate and Conv2D compute; float32 results differ by
    rounding.

    Reference: "What moves" in docs/folding.md.

    Example:
        >>> import numpy as np
        >>> layer = ConcatConv2D(4, 3, size=(2, 1), padding="same")
        >>> x, skip = np.ones((1, 5, 7, 3), "float32"), np.ones((1, 10, 14, 2), "float32")
        >>> tuple(layer([x, skip]).shape)
        (1, 10, 14, 4)
    """

    rank = 2


@keras.saving.register_keras_serializable(package="polyphase")
class ConcatConv1D(ConcatConv, keras.layers.Conv1D):
    """Upsample signals, each by its own factor, concatenate them and convolve the result.

    Arguments, weights, errors and exactness are those of `ConcatConv2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = ConcatConv1D(4, 3, size=(2, 1), padding="same")
        >>> x, skip = np.ones((1, 5, 3), "float32"), np.ones((1, 10, 2), "float32")
        >>> tuple(layer([x, skip]).shape)
        (1, 10, 4)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="polyphase")
class ConcatConv3D(ConcatConv, keras.layers.Conv3D):
    """Upsample volumes, each by its own factor, concatenate them and convolve the result.

    Arguments, weights, errors and exactness are those of `ConcatConv2D`, for three axes.

    Input: `(batch, depth, height, width, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = ConcatConv3D(4, 3, size=(2, 1), padding="same")
        >>> x, skip = np.ones((1, 5, 7, 4, 3), "float32"), np.ones((1, 10, 14, 8, 2), "float32")
        >>> tuple(layer([x, skip]).shape)
        (1, 10, 14, 8, 4)
    """

    rank = 3
