"""UpSampleLike: bring images to the sides of another image."""

from typing import Any

import keras

from polyphase.layers import mixins
from polyphase.ops import arguments, axes, choice, upsample

Tensor = Any


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleLike(mixins.Configured):
    """Upsample images to the height and width of another: what a U-Net of odd sides asks for.

    Args:
        interpolation: "nearest", "bilinear", "bicubic" (`keys(a=-0.5)`), "mitchell",
            "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: how to compute it, as in `polyphase.ops.upsample`.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Input: a list `[x, like]` of `(batch, height, width, channels)`, or channels first; sides may
    be unknown. Of `like` only height and width matter; they are at least those of `x`.
    Output: `(batch, height of like, width of like, channels)`. No weights.

    Raises:
        ValueError: for an unknown name, another number of inputs, a rank other than 4, sides of
            `like` below those of `x`.

    Exactness: `polyphase.ops.upsample` with `output_size`: half-pixel centres, the scale is output
    side / input side; integer multiples are UpSampling2D by that factor.

    Example:
        >>> import numpy as np
        >>> x, skip = np.ones((1, 4, 6, 3), "float32"), np.ones((1, 9, 13, 8), "float32")
        >>> tuple(UpSampleLike("bilinear")([x, skip]).shape)
        (1, 9, 13, 3)
    """

    _added = ("interpolation", "data_format", "lowering")

    def __init__(
        self,
        interpolation: str = "nearest",
        data_format: str | None = None,
        *,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.interpolation = mixins.interpolation(interpolation)
        self.data_format = arguments.data_format(data_format)
        self.lowering = lowering
        self.supports_jit = choice.compiles(self.interpolation)

    def build(self, input_shape: Any) -> None:
        """Check the shapes of both images; there are no weights."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return the first image, upsampled to the sides of the second."""
        x, like = inputs
        return upsample(
            x,
            output_size=[axes.length(like, axis) for axis in axes.spatial(self.data_format)],
            interpolation=self.interpolation,
            data_format=self.data_format,
            lowering=self.lowering,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        if [len(shape) if isinstance(shape, (tuple, list)) else 0 for shape in input_shape] != [
            4,
            4,
        ]:
            raise ValueError(
                "UpSampleLike takes a list of two images of rank 4, [x, like]. Received: "
                f"shapes {input_shape}."
            )
        shape, like = (list(one) for one in input_shape)
        for axis in axes.spatial(self.data_format):
            if None not in (shape[axis], like[axis]) and like[axis] < shape[axis]:
                raise ValueError(
                    "UpSampleLike does not shrink: both sides of `like` must be at least those of "
                    f"`x`. Received: shapes {shape} and {like}. Exchange them?"
                )
            shape[axis] = like[axis]
        return tuple(shape)
