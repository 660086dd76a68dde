"""Sizes, padding, cropping and phases of one axis: integer arithmetic only.

All lengths are in samples (pixels of one axis). `before` and `after` count the samples that are
padded or cropped at the two ends of the axis.
"""

import functools
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution after nearest upsampling, or of a transposed convolution.

    Through tap `a`, output `n` reads pixel `floor((n + first + a * dilation) / factor)`. In a
    transposed convolution it reads pixel `(n + first - a * dilation) / factor` where that is an
    integer.

    Attributes:
        taps: number of taps of the kernel, at least 1.
        factor: number of output phases `s`, at least 1.
        dilation: distance between taps in output pixels, at least 1.
        first: for a convolution, minus the number of output pixels padded before; for a transposed
            one, the number of output pixels cropped before.
        extra: an input of `N` pixels has an output of `s * N + extra` pixels.
    """

    taps: int
    factor: int = 1
    dilation: int = 1
    first: int = 0
    extra: int = 0

    @property
    def span(self) -> int:
        """Output pixels from the first tap to the last."""
        return (self.taps - 1) * self.dilation

    @property
    def padding(self) -> tuple[int, int]:
        """The zeros that a convolution (not a transposed one) reads before and after."""
        return -self.first, self.extra + self.span + self.first

    @property
    def offset(self) -> int:
        """The phase offset: output `n` is phase `(n + offset) % s`."""
        return self.first % self.factor

    @property
    def surplus(self) -> int:
        """How many positions, of `s` outputs each, the output needs beyond `N`."""
        return -(-self.extra // self.factor)

    def pads(self, lowest: int, highest: int) -> tuple[int, int]:
        """Return the zeros needed if position `i` reads from `i + lowest` to `i + highest`."""
        return max(0, -lowest), max(0, highest + self.surplus)


def same_padding(kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """Return the zeros that `same` padding adds before and after: `(k-1)//2` and the rest.

    Args:
        kernel_size: taps of the kernel, at least 1.
        dilation: distance between taps in pixels, at least 1.

    Returns:
        `(before, after)` in pixels.

    Example:
        >>> same_padding(3), same_padding(4)
        ((1, 1), (1, 2))
    """
    span = (kernel_size - 1) * dilation
    return span // 2, span - span // 2


def strided_padding(length: int | None, kernel_size: int, stride: int, dilation: int = 1) -> int:
    """Return the zeros that Keras' `same` adds before an axis, for a window with a stride.

    Args:
        length: the side in pixels; None: not known, and assumed to be divisible by the stride.
        kernel_size: taps of the window, at least 1.
        stride: pixels from window to window, at least 1.
        dilation: distance between taps in pixels, at least 1.

    Example:
        >>> strided_padding(8, 3, 2), strided_padding(7, 3, 2), strided_padding(7, 3, 1)
        (0, 1, 1)
    """
    span = (kernel_size - 1) * dilation + 1
    rest = length % stride if length else 0
    return max(span - (rest or stride), 0) // 2


def padding_amounts(kernel_size: int, padding: str, dilation: int = 1) -> tuple[int, int]:
    """Return the zeros that `padding` ("same" or "valid") adds before and after.

    Example:
        >>> padding_amounts(3, "valid"), padding_amounts(5, "same")
        ((0, 0), (2, 2))
    """
    _check_padding(padding)
    return (0, 0) if padding == "valid" else same_padding(kernel_size, dilation)


def conv_length(length: int, kernel_size: int, padding: str, dilation: int = 1) -> int:
    """Return the output length of a convolution with stride 1.

    Raises:
        ValueError: if nothing is left (`valid` and the kernel is longer than the input).

    Example:
        >>> conv_length(8, 3, "valid"), conv_length(8, 3, "same")
        (6, 8)
    """
    before, after = padding_amounts(kernel_size, padding, dilation)
    out = length + before + after - (kernel_size - 1) * dilation
    if out < 1:
        raise ValueError(
            f"A kernel of {kernel_size} taps (dilation {dilation}) does not fit into {length} "
            f'pixels. Use padding="same", a smaller kernel or a larger input.'
        )
    return out


@functools.lru_cache
def conv_axis(kernel_size: int, padding: str, dilation: int = 1) -> Axis:
    """Return the axis of a convolution with stride 1.

    Example:
        >>> conv_axis(3, "same"), conv_axis(3, "valid").extra
        (Axis(taps=3, factor=1, dilation=1, first=-1, extra=0), -2)
    """
    before, after = padding_amounts(kernel_size, padding, dilation)
    extra = before + after - (kernel_size - 1) * dilation
    return Axis(kernel_size, 1, dilation, -before, extra)


def upsampled_length(length: Any, size: int | float, xp: ModuleType | None = None) -> Any:
    """Return `floor(length * size)`, the output side of upsampling.

    A float stands for the ratio of integers that rounds to it: if `n / length` is `size`, the
    output is `n`. So the size `out / length` gives `out` for any two sides.

    Args:
        length: the input side in pixels; an int, or an integer scalar of `xp`.
        size: output side / input side, at least 1.
        xp: `keras.ops` if the side is known only when the model runs.

    Returns:
        The output side in pixels; an int, or an int64 scalar of `xp`.

    Example:
        >>> upsampled_length(5, 2), upsampled_length(5, 1.5), upsampled_length(88, 120 / 88)
        (10, 7, 120)
    """
    if isinstance(size, int):
        return length * size
    # A product is rounded, up to an integer or down below one; a quotient of integers is the
    # float next to it => n / length exceeds the size only where n exceeds the exact product.
    if xp is None:
        nearest = round(length * size)
        return nearest - int(length > 0 and nearest / length > size)
    side = xp.cast(length, "float64")
    nearest = xp.round(side * size)
    return xp.cast(nearest - xp.cast(nearest / side > size, "float64"), "int64")


def conv_transpose_length(
    length: int,
    kernel_size: int,
    stride: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int:
    """Return the output length of Keras' transposed convolution.

    The full length is `(N-1)*s + k`. `valid` keeps it, but gives at least `N*s`; `same` gives
    `N*s`. With `output_padding`, `valid` gives `(N-1)*s + k + output_padding` and `same` gives
    `(N-1)*s + k%2 + output_padding`.

    Example:
        >>> conv_transpose_length(5, 3, 2, "valid"), conv_transpose_length(5, 3, 2, "same")
        (11, 10)
    """
    _check_padding(padding)
    span = (kernel_size - 1) * dilation + 1
    base = (length - 1) * stride
    if padding == "valid":
        extra = max(stride - span, 0) if output_padding is None else output_padding
        return base + span + extra
    return base + (stride if output_padding is None else span % 2 + output_padding)


def conv_transpose_crop(
    kernel_size: int,
    stride: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int:
    """Return how many samples Keras crops at the start of the full transposed convolution.

    It is half of the surplus, rounded down, and never negative. The crop at the end follows from
    the output length (`conv_transpose_length`); beyond the full length there are zeros.

    Example:
        >>> conv_transpose_crop(4, 2, "same"), conv_transpose_crop(3, 2, "same")
        (1, 0)
    """
    _check_padding(padding)
    if padding == "valid":
        return 0
    full = (kernel_size - 1) * dilation + 1
    kept = conv_transpose_length(1, kernel_size, stride, padding, output_padding, dilation)
    return max((full - kept) // 2, 0)


@functools.lru_cache
def conv_transpose_axis(kernel_size: int, stride: int, *arguments: Any) -> Axis:
    """Return the axis of Keras' transposed convolution; arguments as `conv_transpose_length` has.

    Example:
        >>> conv_transpose_axis(4, 2, "same", None, 1)
        Axis(taps=4, factor=2, dilation=1, first=1, extra=0)
    """
    crop = conv_transpose_crop(kernel_size, stride, *arguments)
    extra = conv_transpose_length(0, kernel_size, stride, *arguments)
    return Axis(kernel_size, stride, arguments[-1], crop, extra)


def _check_padding(padding: str) -> None:
    if padding not in ("valid", "same"):
        raise ValueError(f'`padding` must be "valid" or "same". Received: padding={padding!r}.')
