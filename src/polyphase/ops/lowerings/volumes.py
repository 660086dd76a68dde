"""One volume on PyTorch's CPU: it takes its quick kernels for a batch, or for many numbers.

Up to 20480 numbers in a slice across the last axis, one volume is convolved by a loop that takes
several times as long; two volumes are not.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from polyphase.ops import axes, device
from polyphase.ops.plans import Convolution

Tensor = Any

_FEW, _WORTH_IT = 20480, 16384


def is_slow(x: Tensor, taps: Sequence[int]) -> bool:
    """Return whether PyTorch takes the loop for `(1, *space, c)`, and halves pay.

    A trace keeps what its example was computed by => none there.
    """
    if backend.backend() != "torch" or len(taps) != 3 or device.in_use("torch") != "cpu":
        return False
    import torch

    batch, depth, height, _, channels = x.shape
    loop = batch == 1 and channels * depth * height <= _FEW and min(taps[1:]) <= 3
    return (
        loop
        and depth > 1 < max(taps)
        and math.prod(x.shape) >= _WORTH_IT
        and x.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and not torch.jit.is_tracing()
    )


def convolution(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Convolve the halves of a volume, which overlap, as a batch of two."""
    for dim, axis in enumerate(plan.axes, start=1):
        x = axes.pad(x, dim, -axis.first, axis.extra + axis.span + axis.first)
    span = plan.axes[0].span
    size = axes.length(x, 1) - span
    half = -(-size // 2)
    x = axes.pad(x, 1, 0, 2 * half - size)
    halves = [axes.window(x, 1, start, half + span) for start in (0, half)]
    y = ops.conv(
        ops.concatenate(halves, axis=0),
        kernel,
        padding="valid",
        data_format="channels_last",
        dilation_rate=plan.dilation,
    )
    whole = ops.concatenate([y[:1], y[1:]], axis=1)
    return axes.window(whole, 1, 0, size)
