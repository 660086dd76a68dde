"""UpSampleLike: bring images to the sides of another image."""

from typing import Any

import keras
from keras import ops

from polyphase.algebra import kernels
from polyphase.layers import mixins
from polyphase.ops import arguments, choice, layout, upsample

Tensor = Any


@keras.saving.register_keras_serializable(package="polyphase")
class UpSampleLike(mixins.Configured):
    """Upsample an image, signal or volume to the size of another, as a U-Net with odd sides needs.

    Args:
        interpolation: as in `polyphase.ops.upsample`: "nearest", "linear" ("bilinear" for images,
            "trilinear" for volumes), "cubic", "mitchell", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: how the result is computed, as in `polyphase.ops.upsample`.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Input: a list `[x, like]` of two tensors `(batch, *space, channels)` with 1, 2 or 3 spatial
    axes, or channels first; sizes may be unknown. Only the sides of `like` are used; each must be
    at least as large as that of `x`.
    Output: `(batch, *sides of like, channels)`. No weights.

    Raises:
        ValueError: for an unknown name, a number of inputs other than two, ranks that differ or
            are not 3 to 5, or sides of `like` below those of `x`.

    Exactness: computes `polyphase.ops.upsample` with `output_size`: half-pixel centres, and a scale
    of output side / input side. If that is an integer, the result is that of UpSampling2D.

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
        self.interpolation = arguments.one_of(interpolation, "interpolation", kernels.NAMES)
        self.data_format = arguments.data_format(data_format)
        self.lowering = lowering
        self.supports_jit = choice.compiles(self.interpolation)

    def build(self, input_shape: Any) -> None:
        """Check the shapes of both; there are no weights."""
        self.compute_output_shape(input_shape)
        arguments.interpolation(self.interpolation, len(input_shape[0]) - 2)

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return the first image, upsampled to the sides of the second."""
        x, like = inputs
        return upsample(
            x,
            output_size=ops.shape(like)[layout.space(self.data_format)],
            interpolation=self.interpolation,
            data_format=self.data_format,
            lowering=self.lowering,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        ranks = [len(one) if isinstance(one, (tuple, list)) else 0 for one in input_shape]
        if len(ranks) != 2 or ranks[0] != ranks[1] or ranks[0] not in (3, 4, 5):
            raise ValueError(
                "UpSampleLike takes a list of two signals, images or volumes, [x, like]: tensors "
                f"of the same rank, 3 to 5. Received: shapes {input_shape}."
            )
        shape, like = (list(one) for one in input_shape)
        space = layout.space(self.data_format)
        for side, wanted in zip(shape[space], like[space], strict=True):
            if None not in (side, wanted) and wanted < side:
                raise ValueError(
                    "UpSampleLike does not shrink: the sides of `like` must be at least those of "
                    f"`x`. Received: shapes {shape} and {like}. Are they in the wrong order?"
                )
        shape[space] = like[space]
        return tuple(shape)
