"""What an operation is to do, decided once and independent of how it is then computed.

Images are `(n, *space, c)`; a plan has a number, or an `Axis`, per spatial axis.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from polyphase.algebra.geometry import Axis, conv_transpose_axis, upsampled_length
from polyphase.algebra.kernels import get
from polyphase.algebra.resampling import ResamplingMatrix, resampling_matrix, resampling_table
from polyphase.ops import axes

Tensor = Any

_POWERS = tuple(2**n for n in range(10))
_FLOAT32 = 2**22


@dataclass(frozen=True)
class Upsampling:
    """Upsampling along all spatial axes.

    Attributes:
        sizes: output side / input side, per axis, at least 1; None where only `output` says it.
        interpolation: the kernel's name.
        output: the output's sides, integers or integer scalars; None: from `sizes`, as
            `algebra.geometry.upsampled_length` rounds.
        align_corners: whether corner pixels lie on corner pixels, not sides on sides.
    """

    sizes: tuple[Any, ...]
    interpolation: str
    output: tuple[Any, ...] | None = None
    align_corners: bool = False

    @property
    def identity(self) -> bool:
        """Whether it copies every pixel once."""
        return self.interpolation == "nearest" and set(self.sizes) == {1}

    @property
    def integer(self) -> bool:
        """Whether all sizes are integers and no corners are aligned, so that phases exist."""
        return not self.align_corners and all(isinstance(size, int) for size in self.sizes)

    @property
    def dyadic(self) -> bool:
        """Whether all sizes are powers of two up to 512.

        At other sizes a resize that computes coordinates in float32 is off by more the further
        from the corner: 1e-4 at 2048 pixels, x3.
        """
        return not self.align_corners and all(size in _POWERS for size in self.sizes)

    def fits_float32(self, x: Tensor) -> bool:
        """Return whether float32 holds the coordinates that a backend's own resize computes.

        Output sides up to 2^22, as far as they are known => the centre `n + 1/2` is exact, and so
        is its quotient by a power of two, less 1/2; by another integer `s` it is off by less than
        its distance to the next integer, at least `1 / 2s`, which is all that nearest asks.
        """
        sides = zip(x.shape[1:-1], self.sizes, strict=True)
        return all(not isinstance(n, int) or n * (size or 1) <= _FLOAT32 for n, size in sides)

    def length(self, x: Tensor, i: int) -> Any:
        """Return the output's side along spatial axis `i`: an int, or an int64 scalar."""
        if self.output is not None:
            return self.output[i]
        length = axes.length(x, i + 1)
        return upsampled_length(length, self.sizes[i], None if isinstance(length, int) else ops)

    def factors(self, lowering: str) -> tuple[int, ...]:
        """Return the sizes as integers, or say that the lowering needs them."""
        if not self.integer:
            raise ValueError(
                f'lowering="{lowering}" needs integer factors and align_corners=False. '
                f"Received: size={self.sizes}, align_corners={self.align_corners}. "
                'Use lowering="direct" or "auto".'
            )
        return self.sizes

    def matrix(self, x: Tensor, i: int) -> ResamplingMatrix | None:
        """Return the table of spatial axis `i`; None where its size is known only when run."""
        sides = axes.fixed(axes.length(x, i + 1)), axes.fixed(self.length(x, i))
        if not all(isinstance(n, int) for n in sides):
            return None
        return resampling_matrix(*sides, self.interpolation, self.align_corners)

    def table(self, x: Tensor, i: int) -> tuple[Any, Any]:
        """Return `columns (N_out, taps)` integers inside the image and `weights` of that shape.

        Known sizes: NumPy, float64. Sizes known only when run: tensors, by the same formula.
        """
        matrix = self.matrix(x, i)
        if matrix is not None:
            return matrix.columns, matrix.weights
        length = ops.cast(axes.length(x, i + 1), "int64")
        out_length = ops.cast(self.length(x, i), "int64")
        kernel = get(self.interpolation)
        first, weights = resampling_table(kernel, length, out_length, ops, self.align_corners)
        columns = first[:, None] + np.arange(kernel.diameter)
        return ops.clip(columns, 0, length - 1), weights


@dataclass(frozen=True)
class Convolution:
    """Upsampling by integer or real sizes, then a convolution with stride 1.

    Attributes:
        axes: of the convolution of the upsampled image; of `folded`, with the sizes as factors.
        upsampling: of the image.
        padding: "same" or "valid", as `axes` have it.
    """

    axes: tuple[Axis, ...]
    upsampling: Upsampling
    padding: str

    @property
    def dilation(self) -> tuple[int, ...]:
        """Distance between the kernel's taps, per axis."""
        return tuple(axis.dilation for axis in self.axes)

    @property
    def folds(self) -> bool:
        """Whether the kernel can be folded: nearest by integer factors."""
        return self.upsampling.interpolation == "nearest" and self.upsampling.integer

    @property
    def alone(self) -> "Convolution":
        """The convolution without the upsampling."""
        upsampling = Upsampling((1,) * len(self.axes), "nearest")
        return dataclasses.replace(self, upsampling=upsampling)

    def folded(self, lowering: str) -> tuple[Axis, ...]:
        """Return the axes with their factors, or say why the lowering cannot fold the kernel."""
        if not self.folds:
            raise ValueError(
                f'lowering="{lowering}" needs interpolation="nearest" and integer factors. '
                f"Received: interpolation={self.upsampling.interpolation!r}, "
                f'size={self.upsampling.sizes}. Use lowering="direct" or "auto".'
            )
        return tuple(
            dataclasses.replace(axis, factor=factor)
            for axis, factor in zip(self.axes, self.upsampling.sizes, strict=True)
        )

    def require_plain(self, x: Tensor, kernel: Tensor, lowering: str) -> None:
        """Say why the lowering cannot compute a dilated or grouped convolution."""
        if max(self.dilation) > 1 or kernel.shape[-2] != x.shape[-1]:
            raise ValueError(
                f'lowering="{lowering}" needs dilation_rate=1 and one group. Received: '
                f"dilation_rate={self.dilation}, kernel shape {tuple(kernel.shape)}, image with "
                f'{x.shape[-1]} channels. Use lowering="phases" or "auto".'
            )


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution.

    Attributes:
        axes: with the strides as factors.
        padding: "same" or "valid", as `axes` have it.
        output_padding: Keras' argument, per axis, or None.
        groups: of the channels.
    """

    axes: tuple[Axis, ...]
    padding: str
    output_padding: tuple[int, ...] | None = None
    groups: int = 1

    @property
    def strides(self) -> tuple[int, ...]:
        """Output pixels per input pixel, per axis."""
        return tuple(axis.factor for axis in self.axes)

    @property
    def dilation(self) -> tuple[int, ...]:
        """Distance between the kernel's taps, per axis."""
        return tuple(axis.dilation for axis in self.axes)

    def convolving(self, kernel: Tensor) -> Tensor:
        """Return a kernel `(*taps, c_out / groups, c_in)` as `(*taps, c_in / groups, c_out)`."""
        *taps, filters, channels = kernel.shape
        split = ops.reshape(kernel, (*taps, filters, self.groups, channels // self.groups))
        *dims, o, g, i = range(len(taps) + 3)
        swapped = ops.transpose(split, (*dims, i, g, o))
        return ops.reshape(swapped, (*taps, channels // self.groups, self.groups * filters))


def transposed(
    kernel_size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: tuple[int, ...] | None = None,
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Transposed:
    """Return the plan of a transposed convolution with these arguments of Keras'."""
    rank = len(kernel_size)
    more, rates = output_padding or (None,) * rank, dilation or (1,) * rank
    each = zip(kernel_size, strides, [padding] * rank, more, rates, strict=True)
    axes = tuple(conv_transpose_axis(*one) for one in each)
    return Transposed(axes, padding, output_padding, groups)
