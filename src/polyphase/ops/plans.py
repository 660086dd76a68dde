"""What an operation is to do, decided once and independent of how it is then computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from polyphase.algebra.geometry import upsampled_length
from polyphase.algebra.kernels import get
from polyphase.algebra.resampling import resampling_matrix, resampling_table
from polyphase.ops import axes

Tensor = Any


@dataclass(frozen=True)
class Resampling:
    """Upsampling along one axis.

    Attributes:
        size: output side / input side, at least 1; the output side is rounded down.
        interpolation: the kernel's name.
    """

    size: int | float
    interpolation: str

    def table(self, x: Tensor, axis: int) -> tuple[Any, Any]:
        """Return `columns (N_out, taps)` integers inside the image and `weights` of that shape.

        Known sizes: NumPy, float64. Sizes known only when run: tensors, by the same formula.
        """
        length = axes.length(x, axis)
        if isinstance(length, int):
            table = resampling_matrix(
                length, upsampled_length(length, self.size), self.interpolation
            )
            return table.columns, table.weights
        length = ops.cast(length, "int64")
        out_length = ops.cast(ops.floor(ops.cast(length, "float64") * self.size), "int64")
        kernel = get(self.interpolation)
        first, weights = resampling_table(kernel, length, out_length, xp=ops)
        columns = first[:, None] + np.arange(kernel.diameter)
        return ops.clip(columns, 0, length - 1), weights


@dataclass(frozen=True)
class Convolution:
    """Upsampling by integer or real sizes, then a convolution with stride 1.

    Attributes:
        data_format: "channels_last" or "channels_first".
        resamplings: one per spatial axis.
        padding: "same" or "valid".
        pads: zeros `(before, after)` the padding puts around the upsampled image, per axis.
        dilation: distance between the kernel's taps, per axis.
        upsample: how `direct` upsamples one axis: the lowering that `auto` takes for it.
    """

    data_format: str
    resamplings: tuple[Resampling, Resampling]
    padding: str
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    upsample: Callable[[Tensor, int, Resampling], Tensor]

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of `(height, width)`."""
        return axes.spatial(self.data_format)

    @property
    def channel(self) -> int:
        """The axis of the channels."""
        return axes.channel(self.data_format)

    @property
    def folds(self) -> bool:
        """Whether the kernel can be folded: nearest by integer factors."""
        return all(
            resampling.interpolation == "nearest" and isinstance(resampling.size, int)
            for resampling in self.resamplings
        )

    def nearest_factors(self, lowering: str) -> tuple[int, int]:
        """Return the factors of both axes, or say why the lowering cannot fold the kernel."""
        if not self.folds:
            raise ValueError(
                f'lowering="{lowering}" needs interpolation="nearest" and integer factors. '
                f'Received: {self.resamplings}. Use lowering="direct" or "auto".'
            )
        rows, columns = (int(resampling.size) for resampling in self.resamplings)
        return rows, columns

    def require_plain(self, x: Tensor, kernel: Tensor, lowering: str) -> None:
        """Say why the lowering cannot compute a dilated or grouped convolution."""
        if self.dilation != (1, 1) or kernel.shape[2] != x.shape[self.channel]:
            raise ValueError(
                f'lowering="{lowering}" needs dilation_rate=1 and one group. Received: '
                f"dilation_rate={self.dilation}, kernel shape {tuple(kernel.shape)}, image with "
                f'{x.shape[self.channel]} channels. Use lowering="phases" or "auto".'
            )


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution.

    Attributes:
        data_format: "channels_last" or "channels_first".
        strides: `(s_h, s_w)`.
        padding: "same" or "valid".
        output_padding: Keras' argument, per axis, or None.
        dilation: distance between the kernel's taps, per axis.
        crop: samples cropped in front of the full output, per axis.
        extra: the output length is `s * N + extra`, per axis.
    """

    data_format: str
    strides: tuple[int, int]
    padding: str
    output_padding: tuple[int, int] | None
    dilation: tuple[int, int]
    crop: tuple[int, int]
    extra: tuple[int, int]

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of `(height, width)`."""
        return axes.spatial(self.data_format)

    @property
    def channel(self) -> int:
        """The axis of the channels."""
        return axes.channel(self.data_format)
