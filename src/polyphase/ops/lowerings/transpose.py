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
    kernel = _folded(kernel, factors)
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
    kernel = _folded(kernel, factors)
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


def _folded(kernel: Tensor, factors: tuple[int, int]) -> Tensor:
    """Return the kernel with its taps summed per stride, size k + s - 1, mirrored.

    Summed are `s` neighbours at every place => a pooling whose divisor is 1, which PyTorch starts
    in a fraction of the time that it needs to start the sums one by one.
    """
    if backend.backend() == "torch":
        return _torch_folded(kernel, factors)
    for side, factor in enumerate(factors):
        kernel = axes.fold(kernel, transposed_taps(kernel.shape[side], factor), axis=side)
    return kernel


def _torch_folded(kernel: Tensor, factors: tuple[int, int]) -> Tensor:
    import torch

    rows, columns = (factor - 1 for factor in factors)
    wide = kernel.float() if kernel.dtype in (torch.float16, torch.bfloat16) else kernel
    padded = torch.nn.functional.pad(wide.permute(2, 3, 0, 1), (columns, columns, rows, rows))
    sums = torch.nn.functional.avg_pool2d(padded, factors, stride=1, divisor_override=1)
    return sums.flip(2, 3).to(kernel.dtype).permute(2, 3, 0, 1)
