"""PyTorch's convolutions of `(n, *space, c)`, called in the way in which its CPU is quick.

- A signal is an image one pixel high: conv1d copies what lies channels last, conv2d does not. But
  the gradient of a transposed one of a large kernel is quicker of what lies channels first.
- One volume is convolved by a loop that takes several times as long as two volumes do, up to 20480
  numbers in a slice across the last axis.
- A bias makes a transposed convolution take half as long again where a stride does not divide the
  kernel.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from polyphase.algebra.geometry import Axis, conv_axis
from polyphase.ops import device, layout
from polyphase.ops.axes import biased, pad, window

Tensor = Any

_FEW, _WORTH_IT = 20480, 16384


def convolution(x: Tensor, kernel: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Convolve by a kernel `(*taps, c_in / groups, c_out)`, with padding and dilation of axes.

    Keras' copies an image twice, to channels first and back.
    """
    from torch.nn import functional

    if _is_a_signal(x):
        return convolution(x[:, None], kernel[None], (Axis(1), *axes))[:, 0]
    if kernel.shape[-2] == x.shape[-1] and is_slow(x, kernel.shape[:-2]):
        return _in_halves(x, kernel, axes)
    rank = len(axes)
    for dim, (before, after) in enumerate((axis.padding for axis in axes), start=1):
        x = pad(x, dim, 0, after - before)
    y = getattr(functional, f"conv{rank}d")(
        layout.from_last(x, "channels_first"),
        kernel.permute(rank + 1, rank, *range(rank)),
        padding=[axis.padding[0] for axis in axes],
        dilation=[axis.dilation for axis in axes],
        groups=x.shape[-1] // kernel.shape[-2],
    )
    return layout.to_last(y, "channels_first")


def conv_transpose(
    x: Tensor, kernel: Tensor, bias: Tensor | None, groups: int = 1, **options: Sequence[int]
) -> Tensor:
    """Call PyTorch's own, which takes a kernel `(c_in, c_out / groups, *taps)`.

    Args:
        x: the images.
        kernel: the kernel.
        bias: `(c_out,)`, or None.
        groups: of the channels.
        **options: "stride", and others of PyTorch's, one number per axis.
    """
    import torch

    if _is_a_signal(x):
        neutral = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        lifted = {name: (neutral[name], *values) for name, values in options.items()}
        x, kernel = x[:, None], kernel[:, :, None]
        trained = torch.is_grad_enabled() and (x.requires_grad or kernel.requires_grad)
        if trained and kernel.numel() > x.numel():
            first = layout.from_last(x, "channels_first").contiguous()
            x, kernel = layout.to_last(first, "channels_first"), kernel.contiguous()
        return conv_transpose(x, kernel, bias, groups, **lifted)[:, 0]
    taps = kernel.shape[2:]
    divides = not any(k % stride for k, stride in zip(taps, options["stride"], strict=True))
    within, after = (bias, None) if divides else (None, bias)
    alone = kernel.shape[1] > 1 == groups and is_slow(x, taps)
    if alone:
        x = ops.concatenate([x, ops.zeros_like(x)], axis=0)
    function = getattr(torch.nn.functional, f"conv_transpose{len(taps)}d")
    image = layout.from_last(x, "channels_first")
    y = layout.to_last(function(image, kernel, within, groups=groups, **options), "channels_first")
    return biased(y[:1] if alone else y, after)


def is_slow(x: Tensor, taps: Sequence[int]) -> bool:
    """Return whether PyTorch takes the loop for `(1, *space, c)`, and two volumes pay."""
    if len(taps) != 3 or not _on_cpu(x):
        return False
    import torch

    batch, depth, height, _, channels = x.shape
    loop = batch == 1 and channels * depth * height <= _FEW and min(taps[1:]) <= 3
    pays = depth > 1 < max(taps) and math.prod(x.shape) >= _WORTH_IT
    return loop and pays and torch.backends.mkldnn.is_available()


def _is_a_signal(x: Tensor) -> bool:
    """Return whether this is a signal whose channels lie side by side."""
    return len(x.shape) == 3 and x.stride(-1) == 1 and _on_cpu(x)


def _on_cpu(x: Tensor) -> bool:
    """Return whether a CPU computes this, in float32; a trace keeps what it sees => not there."""
    import torch

    return device.is_torch_cpu() and x.dtype == torch.float32


def _in_halves(x: Tensor, kernel: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Convolve the halves of a volume, which overlap, as a batch of two."""
    for dim, axis in enumerate(axes, start=1):
        x = pad(x, dim, *axis.padding)
    span = axes[0].span
    size = x.shape[1] - span
    half = -(-size // 2)
    x = pad(x, 1, 0, 2 * half - size)
    halves = ops.concatenate([window(x, 1, start, half + span) for start in (0, half)], axis=0)
    valid = [conv_axis(axis.taps, "valid", axis.dilation) for axis in axes]
    y = convolution(halves, kernel, valid)
    return window(ops.concatenate([y[:1], y[1:]], axis=1), 1, 0, size)
