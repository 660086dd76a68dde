"""A transposed convolution, written as one or as a convolution to all its phases."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polyphase.rewrite.delayed import Margin
from polyphase.rewrite.onnx import kernels
from polyphase.rewrite.onnx.nodes import Nodes, Tensor


@dataclass(frozen=True, eq=False)
class Transposed:
    """What a transposed convolution computes.

    Attributes:
        kernel: as `ConvTranspose` stores it.
        bias: a number per channel, or None.
        strides: per axis.
        cuts: what is cut off both ends, per axis.
        groups: of channels.
    """

    kernel: np.ndarray
    bias: np.ndarray | None
    strides: Sequence[int]
    cuts: Margin
    groups: int


def splits(one: Transposed, opset: int) -> bool:
    """Return whether `DepthToSpace` puts phases side by side: of images, as squares.

    Before version 11 of the operators its channels were not those of groups.
    """
    square = len(one.strides) == 2 and len(set(one.strides)) == 1
    return square and (one.groups == 1 or opset > 10)


def as_one(put: Nodes, tensor: Tensor, one: Transposed, name: str) -> Tensor:
    """Put a `ConvTranspose`."""
    return put.conv_transpose(tensor, one.kernel, one.bias, one.strides, one.cuts, one.groups, name)


def in_phases(put: Nodes, tensor: Tensor, one: Transposed, name: str) -> Tensor:
    """Put a `Conv` to all phases, a `DepthToSpace`, and what cuts off the rest.

    Whole small pixels that are cut off are not computed.
    """
    s = one.strides[0]
    every = _phases(one, "channel" if put.opset > 10 else "phase")
    taps = every.kernel.shape[2:]
    skipped = [
        (min(a // s, t - 1), min(b // s, t - 1)) for (a, b), t in zip(every.cuts, taps, strict=True)
    ]
    pads = tuple((t - 1 - a, t - 1 - b) for t, (a, b) in zip(taps, skipped, strict=True))
    ones = (1,) * len(taps)
    small = put.conv(tensor, every.kernel, every.bias, pads, ones, one.groups, name)
    rest = tuple((a - c * s, b - d * s) for (a, b), (c, d) in zip(every.cuts, skipped, strict=True))
    return put.cut(put.depth_to_space(small, s, name), rest, 2, name)


def _phases(one: Transposed, major: str) -> Transposed:
    """Return kernel and bias of the convolution to all phases, and what is then cut off."""
    kernel = kernels.phases(one.kernel, one.strides, one.groups, major).astype(one.kernel.dtype)
    count = math.prod(one.strides)
    bias = one.bias
    if bias is not None:
        bias = np.repeat(bias, count) if major == "channel" else np.tile(bias, count)
    taps = zip(kernel.shape[2:], one.strides, one.kernel.shape[2:], strict=True)
    cuts = tuple((a, b + t * s - k) for (a, b), (t, s, k) in zip(one.cuts, taps, strict=True))
    return replace(one, kernel=kernel, bias=bias, cuts=cuts)
