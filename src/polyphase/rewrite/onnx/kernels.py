"""Kernels of ONNX convolutions in other forms: float64 inside, the kernel's own dtype outside.

`Conv` stores `(c_out, c_in / groups, *size)`, `ConvTranspose` `(c_in, c_out / groups, *size)`. One
axis: a transposed convolution of stride `s` is `y[n + before] = sum_i x[i] W[n + before - s*i]`,
`before` being cut off.
"""

import math
from collections.abc import Sequence

import numpy as np

from polyphase.algebra.equivalence import transposed_taps
from polyphase.algebra.phases import mapped
from polyphase.rewrite.delayed import Margin


def transposed(
    kernel: np.ndarray, factor: Sequence[int], dilation: Sequence[int], groups: int
) -> np.ndarray:
    """Return the kernel of `ConvTranspose` that is nearest upsampling and `Conv`.

    Args:
        kernel: of the `Conv`.
        factor: of the upsampling, per axis; the new strides.
        dilation: of the `Conv`.
        groups: of channels, of both.

    Returns:
        `(c_in, c_out / groups, *K)`, `K = (k - 1) * dilation + s` per axis.

    Example:
        >>> transposed(np.ones((8, 4, 3, 3)), (2, 2), (1, 1), 1).shape
        (4, 8, 4, 4)
    """
    taps = np.moveaxis(dilated(kernel, dilation), (0, 1), (-2, -1))
    maps = (transposed_taps(k, s) for k, s in zip(taps.shape[:-2], factor, strict=True))
    new = mapped(taps, maps)  # (*K, c_out, c_in / groups)
    outputs, inputs = new.shape[-2:]
    new = new.reshape(*new.shape[:-2], groups, outputs // groups, inputs)
    new = np.moveaxis(new, (-3, -1, -2), (0, 1, 2))
    return new.reshape(groups * inputs, outputs // groups, *new.shape[3:])


def dilated(kernel: np.ndarray, dilation: Sequence[int]) -> np.ndarray:
    """Return a kernel with zeros between its taps, float64."""
    size = [(k - 1) * rate + 1 for k, rate in zip(kernel.shape[2:], dilation, strict=True)]
    new = np.zeros((*kernel.shape[:2], *size))
    every = (slice(None), slice(None), *(slice(None, None, rate) for rate in dilation))
    new[every] = kernel
    return new


def phases(kernel: np.ndarray, strides: Sequence[int], groups: int, major: str) -> np.ndarray:
    """Return the kernel of a `Conv` to all phases of a transposed convolution.

    Phase `r`, `y[s*j + r] = sum_t x[j - t] W[r + s*t]`, has `T = ceil(K / s)` taps, the last first.

    Args:
        kernel: of the `ConvTranspose`.
        strides: its own, `s`, per axis.
        groups: of channels.
        major: of the new output channels: "channel" (`c * s*s + phase`; `DepthToSpace`'s CRD) or
            "phase" (`phase * c_out + c`; DCR; without groups).

    Returns:
        `(c_out * prod(s), c_in / groups, *T)`.

    Example:
        >>> phases(np.ones((4, 8, 4, 4)), (2, 2), 1, "channel").shape
        (32, 4, 2, 2)
    """
    inputs, outputs, *size = kernel.shape
    rank = len(size)
    taps = [-(-k // s) for k, s in zip(size, strides, strict=True)]
    whole = [(0, t * s - k) for t, s, k in zip(taps, strides, size, strict=True)]
    new = np.pad(kernel.astype("float64"), [(0, 0), (0, 0), *whole])
    split = [n for pair in zip(taps, strides, strict=True) for n in pair]
    new = new.reshape(groups, inputs // groups, outputs, *split)
    tap_axes, phase_axes = range(3, 3 + 2 * rank, 2), range(4, 4 + 2 * rank, 2)
    channels = (0, 2, *phase_axes) if major == "channel" else (0, *phase_axes, 2)
    new = np.flip(new.transpose(*channels, 1, *tap_axes), tuple(range(-rank, 0)))
    return new.reshape(groups * outputs * math.prod(strides), inputs // groups, *taps)


def cut(size: Sequence[int], pads: Margin, dilation: Sequence[int]) -> Margin:
    """Return what is cut off a transposed convolution that is upsampling and a `Conv`.

    Args:
        size: of the `Conv`'s kernel.
        pads: its zeros.
        dilation: its own.

    Example:
        >>> cut((3, 3), ((1, 1), (0, 0)), (1, 1))
        ((1, 1), (2, 2))
    """
    spans = [(k - 1) * rate for k, rate in zip(size, dilation, strict=True)]
    return tuple(
        (span - before, span - after) for span, (before, after) in zip(spans, pads, strict=True)
    )
