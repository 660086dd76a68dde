"""What an operation is to do, decided once and independent of how it is then computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from polyphase.algebra.geometry import (
    conv_transpose_crop,
    conv_transpose_length,
    upsampled_length,
)
from polyphase.algebra.kernels import get
from polyphase.algebra.resampling import ResamplingMatrix, resampling_matrix, resampling_table
from polyphase.ops import axes

Tensor = Any

_POWERS = tuple(2**n for n in range(10))
_FLOAT32 = 2**22


@dataclass(frozen=True)
class Upsampling:
    """Upsampling along both spatial axes.

    Attributes:
        data_format: "channels_last" or "channels_first".
        sizes: output side / input side, per axis, at least 1; None where only `output` says it.
        interpolation: the kernel's name.
        output: the output's sides `(height, width)`, integers or integer scalars; None: from
            `sizes`, as `algebra.geometry.upsampled_length` rounds.
    """

    data_format: str
    sizes: tuple[Any, Any]
    interpolation: str
    output: tuple[Any, Any] | None = None

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of `(height, width)`."""
        return axes.spatial(self.data_format)

    @property
    def integer(self) -> bool:
        """Whether both sizes are integers, so that phases exist."""
        return all(isinstance(size, int) for size in self.sizes)

    @property
    def dyadic(self) -> bool:
        """Whether both sizes are powers of two up to 512.

        At other sizes a resize that computes coordinates in float32 is off by more the further
        from the corner: 1e-4 at 2048 pixels, x3.
        """
        return all(size in _POWERS for size in self.sizes)

    def fits_float32(self, x: Tensor) -> bool:
        """Return whether float32 holds the coordinates that a backend's own resize computes.

        Output sides up to 2^22, as far as they are known => the centre `n + 1/2` is exact, and so
        is its quotient by a power of two, less 1/2; by another integer `s` it is off by less than
        its distance to the next integer, at least `1 / 2s`, which is all that nearest asks.
        """
        sides = [
            (axes.length(x, axis), size) for axis, size in zip(self.axes, self.sizes, strict=True)
        ]
        return all(not isinstance(n, int) or n * (size or 1) <= _FLOAT32 for n, size in sides)

    def length(self, x: Tensor, side: int) -> Any:
        """Return the output's side along one axis: an int, or an int64 scalar."""
        if self.output is not None:
            return self.output[side]
        length = axes.length(x, self.axes[side])
        return upsampled_length(length, self.sizes[side], None if isinstance(length, int) else ops)

    def factors(self, lowering: str) -> tuple[int, int]:
        """Return the sizes as integers, or say that the lowering needs them."""
        if not self.integer:
            raise ValueError(
                f'lowering="{lowering}" needs integer factors. '
                f'Received: size={self.sizes}. Use lowering="direct" or "auto".'
            )
        return int(self.sizes[0]), int(self.sizes[1])

    def matrix(self, x: Tensor, side: int) -> ResamplingMatrix | None:
        """Return the table of one axis; None where its size is known only when run."""
        sides = axes.fixed(axes.length(x, self.axes[side])), axes.fixed(self.length(x, side))
        if not all(isinstance(n, int) for n in sides):
            return None
        return resampling_matrix(*sides, self.interpolation)

    def table(self, x: Tensor, side: int) -> tuple[Any, Any]:
        """Return `columns (N_out, taps)` integers inside the image and `weights` of that shape.

        Known sizes: NumPy, float64. Sizes known only when run: tensors, by the same formula.
        """
        matrix = self.matrix(x, side)
        if matrix is not None:
            return matrix.columns, matrix.weights
        length = ops.cast(axes.length(x, self.axes[side]), "int64")
        out_length = ops.cast(self.length(x, side), "int64")
        kernel = get(self.interpolation)
        first, weights = resampling_table(kernel, length, out_length, xp=ops)
        columns = first[:, None] + np.arange(kernel.diameter)
        return ops.clip(columns, 0, length - 1), weights


@dataclass(frozen=True)
class Convolution:
    """Upsampling by integer or real sizes, then a convolution with stride 1.

    Attributes:
        upsampling: of the image.
        padding: "same" or "valid".
        pads: zeros `(before, after)` the padding puts around the upsampled image, per axis.
        dilation: distance between the kernel's taps, per axis.
        upsample: how `direct` and `patches` upsample: as `auto` chooses.
    """

    upsampling: Upsampling
    padding: str
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    upsample: Callable[[Tensor, Upsampling], Tensor]

    @property
    def data_format(self) -> str:
        """Either "channels_last" or "channels_first"."""
        return self.upsampling.data_format

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of `(height, width)`."""
        return self.upsampling.axes

    @property
    def channel(self) -> int:
        """The axis of the channels."""
        return axes.channel(self.data_format)

    @property
    def folds(self) -> bool:
        """Whether the kernel can be folded: nearest by integer factors."""
        return self.upsampling.interpolation == "nearest" and self.upsampling.integer

    @property
    def enlarges(self) -> bool:
        """Whether both sizes are integers, and not both 1."""
        return self.upsampling.integer and max(self.upsampling.sizes) > 1

    def nearest_factors(self, lowering: str) -> tuple[int, int]:
        """Return the factors of both axes, or say why the lowering cannot fold the kernel."""
        if not self.folds:
            raise ValueError(
                f'lowering="{lowering}" needs interpolation="nearest" and integer factors. '
                f"Received: interpolation={self.upsampling.interpolation!r}, "
                f'size={self.upsampling.sizes}. Use lowering="direct" or "auto".'
            )
        return self.upsampling.factors(lowering)

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


def transposed(
    kernel_size: Sequence[int],
    data_format: str,
    strides: tuple[int, int],
    padding: str,
    output_padding: tuple[int, int] | None = None,
    dilation: tuple[int, int] = (1, 1),
) -> Transposed:
    """Return the plan of a transposed convolution with these arguments of Keras'."""
    sides = list(
        zip(
            kernel_size,
            strides,
            (padding, padding),
            output_padding or (None, None),
            dilation,
            strict=True,
        )
    )
    return Transposed(
        data_format=data_format,
        strides=strides,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        crop=(conv_transpose_crop(*sides[0]), conv_transpose_crop(*sides[1])),
        extra=(conv_transpose_length(0, *sides[0]), conv_transpose_length(0, *sides[1])),
    )
