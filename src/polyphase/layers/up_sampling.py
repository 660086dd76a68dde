"""UpSampling1D, 2D and 3D: Keras' layers, the same numbers on every backend, any size."""

from typing import Any

import keras

from polyphase.layers import mixins, shapes
from polyphase.ops import arguments, choice, upsample

Tensor = Any


class UpSampling(mixins.Configured):
    """What `UpSampling2D` adds to the layer of Keras that is its next base class."""

    _added = ("data_format", "interpolation", "align_corners", "lowering")

    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        *,
        align_corners: bool = False,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rank = self.input_spec.ndim - 2
        self.size = arguments.sizes(size, self.rank)
        self.data_format = arguments.data_format(data_format)
        self.interpolation = arguments.interpolation(interpolation, self.rank)
        self.align_corners = arguments.corners(align_corners, self.interpolation)
        self.lowering = lowering
        self.supports_jit = choice.compiles(self.interpolation)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the upsampled images."""
        return upsample(
            inputs,
            self.size,
            self.interpolation,
            self.data_format,
            self.lowering,
            align_corners=self.align_corners,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        return shapes.upsampled(input_shape, self.size, self.data_format)


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampling2D(UpSampling, keras.layers.UpSampling2D):
    """Upsample images by a factor; a drop-in for `keras.layers.UpSampling2D`.

    Args:
        size: a number of at least 1, or two, `(height, width)`; the output side is
            `floor(side * size)`.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        interpolation: "nearest", "bilinear", "bicubic" (`keys(a=-0.5)`), "mitchell",
            "lanczos3" or "lanczos5".
        align_corners: whether the centres of the corner pixels of input and output coincide, as in
            some saved models, instead of the edges of the images; not for nearest.
        lowering: how the result is computed, as in `polyphase.ops.upsample`.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Input: `(batch, height, width, channels)`, or channels first; sizes may be unknown.
    Output: `(batch, floor(height * size), floor(width * size), channels)`. No weights.

    Raises:
        ValueError: for a size below 1 or an unknown name.

    Exactness: nearest equals Keras' layer bit for bit; the others follow the formula of
    `polyphase.ops.upsample` on every backend, within 1e-6 in float32.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> keras.ops.convert_to_numpy(UpSampling2D()(x))[0, :, :, 0].astype(int).tolist()
        [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampling1D(UpSampling, keras.layers.UpSampling1D):
    """Upsample signals by a factor; a drop-in for `keras.layers.UpSampling1D`.

    Arguments, weights, errors and exactness are those of `UpSampling2D`, for one axis.

    Input: `(batch, length, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampling1D(1.5, interpolation="linear")
        >>> tuple(layer(np.ones((1, 5, 3), "float32")).shape)
        (1, 7, 3)
    """


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampling3D(UpSampling, keras.layers.UpSampling3D):
    """Upsample volumes by a factor; a drop-in for `keras.layers.UpSampling3D`.

    Arguments, weights, errors and exactness are those of `UpSampling2D`, for three axes.

    Input: `(batch, depth, height, width, channels)`, or channels first; sizes may be unknown.

    Example:
        >>> import numpy as np
        >>> layer = UpSampling3D(2, interpolation="trilinear")
        >>> tuple(layer(np.ones((1, 5, 7, 4, 3), "float32")).shape)
        (1, 10, 14, 8, 3)
    """
