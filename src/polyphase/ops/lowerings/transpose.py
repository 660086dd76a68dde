"""Nearest upsampling and convolution as one transposed convolution, stride s, size k + s - 1."""

from typing import Any

from keras import backend, ops

from polyphase.algebra.equivalence import transposed_taps, upsample_conv_crop
from polyphase.ops import axes
from polyphase.ops.lowerings import direct
from polyphase.ops.plans import Convolution, transposed

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Sum the kernel's taps per stride, transpose-convolve, crop.

    Nearest, integer factors, no dilation, one group => the same operator, up to the border.
    An odd kernel with "same" padding => the crop is that of Keras' own "same".
    """
    factors = plan.nearest_factors("transpose")
    plan.require_plain(x, kernel, "transpose")
    for side, factor in enumerate(factors):
        kernel = axes.fold(kernel, transposed_taps(kernel.shape[side], factor), axis=side)
    taps = [size - factor + 1 for size, factor in zip(kernel.shape, factors, strict=False)]
    cropped = plan.padding == "same" and all(size % 2 for size in taps)
    transposition = transposed(
        kernel.shape[:2], plan.data_format, factors, "same" if cropped else "valid"
    )
    full = direct.conv_transpose(x, ops.transpose(kernel, (0, 1, 3, 2)), bias, transposition)
    if cropped:
        return full
    for side, axis in enumerate(plan.axes):
        front, behind = upsample_conv_crop(taps[side], plan.padding)
        full = axes.window(full, axis, front, axes.length(full, axis) - front - behind)
    return full


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Transpose-convolve every channel alone, which of the backends PyTorch can.

    It crops both ends alike; what is more in front, of an even kernel, is cut off afterwards.
    """
    factors = plan.nearest_factors("transpose")
    if backend.backend() != "torch" or plan.dilation != (1, 1):
        raise ValueError(
            'lowering="transpose" of a depthwise convolution needs PyTorch and dilation_rate=1. '
            f"Received: backend {backend.backend()}, dilation_rate={plan.dilation}. "
            'Use lowering="phases" or "auto".'
        )
    import torch

    crops = [upsample_conv_crop(size, plan.padding) for size in kernel.shape[:2]]
    for side, factor in enumerate(factors):
        kernel = axes.fold(kernel, transposed_taps(kernel.shape[side], factor), axis=side)
    last = plan.data_format == "channels_last"
    y = torch.nn.functional.conv_transpose2d(
        x.permute(0, 3, 1, 2) if last else x,
        kernel.permute(2, 3, 0, 1),
        bias,
        stride=factors,
        padding=[behind for _, behind in crops],
        groups=kernel.shape[2],
    )
    y = y[:, :, crops[0][0] - crops[0][1] :, crops[1][0] - crops[1][1] :]
    return y.permute(0, 2, 3, 1) if last else y
