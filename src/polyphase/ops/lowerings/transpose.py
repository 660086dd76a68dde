"""Nearest upsampling and convolution as one transposed convolution, stride s, size k + s - 1."""

from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from polyphase.algebra.equivalence import transposed_taps, upsample_conv_crop
from polyphase.algebra.geometry import Axis
from polyphase.ops import axes
from polyphase.ops.lowerings import direct, torch_convolution
from polyphase.ops.plans import Convolution, transposed

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Sum the kernel's taps per stride, transpose-convolve, crop.

    Nearest, integer factors, no dilation, one group => the same operator, up to the border.
    An odd kernel with "same" padding => the crop is that of Keras' own "same".
    """
    folded = plan.folded("transpose")
    plan.require_plain(x, kernel, "transpose")
    cropped = plan.padding == "same" and all(axis.taps % 2 for axis in folded)
    kernel = _folded(kernel, folded)
    rank = len(folded)
    transposition = transposed(
        kernel.shape[:-2], [axis.factor for axis in folded], "same" if cropped else "valid"
    )
    y = direct.conv_transpose(x, ops.swapaxes(kernel, rank, rank + 1), bias, transposition)
    if cropped:
        return y
    for dim, axis in enumerate(folded, start=1):
        before, after = upsample_conv_crop(axis.taps, plan.padding)
        y = axes.window(y, dim, before, axes.length(y, dim) - before - after)
    return y


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Transpose-convolve every channel alone, which of the backends PyTorch can.

    It crops both ends alike; the surplus before, of an even kernel, is cut off afterwards.
    """
    folded = plan.folded("transpose")
    if backend.backend() != "torch" or max(plan.dilation) > 1:
        raise ValueError(
            'lowering="transpose" of a depthwise convolution needs PyTorch and dilation_rate=1. '
            f"Received: backend {backend.backend()}, dilation_rate={plan.dilation}. "
            'Use lowering="phases" or "auto".'
        )
    crops = [upsample_conv_crop(axis.taps, plan.padding) for axis in folded]
    rank = len(folded)
    y = torch_convolution.conv_transpose(
        x,
        _folded(kernel, folded).permute(rank, rank + 1, *range(rank)),
        bias,
        stride=tuple(axis.factor for axis in folded),
        padding=tuple(after for _, after in crops),
        groups=kernel.shape[-2],
    )
    return y[(slice(None), *(slice(before - after, None) for before, after in crops))]


def _folded(kernel: Tensor, folded: Sequence[Axis]) -> Tensor:
    """Return the kernel with its taps summed per stride, size k + s - 1, mirrored."""
    for i, axis in enumerate(folded):
        kernel = axes.fold(kernel, transposed_taps(axis.taps, axis.factor), axis=i)
    return kernel
