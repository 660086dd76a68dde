"""GuidedUpSampling2D: joint bilateral upsampling, whose kernels follow a large image's edges."""

import itertools
from typing import Any

import keras
from keras import ops

from polyphase.layers import mixins, shapes
from polyphase.ops import arguments, axes, layout
from polyphase.ops.reassemble import reassembled, unwoven

Tensor = Any


@keras.saving.register_keras_serializable(package="polyphase")
class GuidedUpSampling2D(mixins.Configured):
    """Upsample images so that they follow the edges of a guide, an image of the output's size.

    Every output pixel `p` is a weighted mean of the input pixels `q` around it. The weight is
    larger the nearer they are and the more alike the guide is at both:
    `exp(-|p - q|**2 / (2 sigma**2) - |f(p) - f(q)|**2 / 2)`. Here `f` is a learned projection of
    the guide; for an input pixel `q` it is averaged over the pixel's cell.

    Args:
        radius: radius of the neighbourhood, in input pixels, at least 1.
        size: upsampling factor, an int or two, `(height, width)`, at least 1: the guide's side /
            the image's side.
        projection: number of channels that the guide is projected to.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        **kwargs: as for every Keras layer (`name`, `dtype`, ...).

    Weights: the projection's kernel `(guide channels, projection)`, and `log_sigma`, one number
    that starts at 0 (`sigma` is in input pixels).

    Input: a list `[x, guide]` of `(batch, height, width, c)` and `(batch, s_h * height,
    s_w * width, guide channels)`, or channels first; sizes may be unknown.
    Output: `(batch, s_h * height, s_w * width, c)`.

    Raises:
        ValueError: for a radius or size below 1, a number of inputs other than two, or a guide that
            does not have the output's size.

    Exactness: the weights of a pixel sum to 1, so a constant image stays constant.

    Reference: Kopf et al., "Joint Bilateral Upsampling", 2007; learned in Fu et al., arXiv
    2403.10516.

    Example:
        >>> import numpy as np
        >>> x, guide = np.ones((1, 5, 7, 16), "float32"), np.ones((1, 10, 14, 3), "float32")
        >>> tuple(GuidedUpSampling2D(radius=1)([x, guide]).shape)
        (1, 10, 14, 16)
    """

    _added = ("radius", "size", "projection", "data_format")

    def __init__(
        self,
        radius: int = 2,
        size: Any = 2,
        projection: int = 32,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.radius,) = arguments.integers(radius, "radius", 1)
        self.size = arguments.integers(size, "size", 2)
        (self.projection,) = arguments.integers(projection, "projection", 1)
        self.data_format = arguments.data_format(data_format)

    def build(self, input_shape: Any) -> None:
        """Make the weights, for a guide of these channels."""
        self.compute_output_shape(input_shape)
        channels = input_shape[1][layout.channel(self.data_format)]
        self.kernel = self.add_weight(
            (channels, self.projection), initializer="glorot_uniform", name="kernel"
        )
        self.log_sigma = self.add_weight((), initializer="zeros", name="log_sigma")

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return the first image, upsampled along the edges of the second."""
        x, guide = (layout.to_last(one, self.data_format) for one in inputs)
        features = unwoven(axes.product(guide, ops.cast(self.kernel, guide.dtype)), self.size)
        kernels = ops.softmax(ops.cast(self._alike(features), "float32") + self._near())
        y = reassembled(x, kernels, self.size, 1)
        return layout.from_last(y, self.data_format)

    def _alike(self, features: Tensor) -> Tensor:
        """Return `-|f(p) - f(q)|**2 / 2` for every phase and tap, but for what all taps share."""
        sizes, k = ops.shape(features)[1:3], 2 * self.radius + 1
        padded = ops.mean(features, axis=3)
        for dim in (1, 2):
            padded = axes.edged(padded, dim, self.radius)
        return ops.stack(
            [
                ops.sum(part[..., None, :] * (features - part[..., None, :] / 2), axis=-1)
                for _, part in axes.windows(padded, [range(k)] * 2, sizes)
            ],
            axis=-1,
        )

    def _near(self) -> Tensor:
        """Return `-|p - q|**2 / (2 sigma**2)`: `(phases, taps)`."""
        offsets = range(-self.radius, self.radius + 1)
        squares = [
            [
                sum(
                    ((phase + 0.5) / s - 0.5 - offset) ** 2
                    for phase, s, offset in zip(phases, self.size, taps, strict=True)
                )
                for taps in itertools.product(offsets, repeat=2)
            ]
            for phases in itertools.product(*map(range, self.size))
        ]
        precision = ops.exp(-2 * ops.cast(self.log_sigma, "float32"))
        return ops.convert_to_tensor(squares, "float32") * (-0.5 * precision)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        ranks = [len(one) if isinstance(one, (tuple, list)) else 0 for one in input_shape]
        if ranks != [4, 4]:
            raise ValueError(
                "GuidedUpSampling2D takes a list of two images, [x, guide]. "
                f"Received: shapes {input_shape}."
            )
        shape, guide = input_shape
        output, space = (
            shapes.upsampled(shape, self.size, self.data_format),
            layout.space(self.data_format),
        )
        pairs = zip((guide[0], *guide[space]), (output[0], *output[space]), strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ValueError(
                f"GuidedUpSampling2D with size={self.size} needs a guide of the output's sides, "
                f"{tuple(output[space])}. Received: a guide of shape {tuple(guide)}."
            )
        return output
