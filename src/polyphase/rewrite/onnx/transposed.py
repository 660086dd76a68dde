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


def by_depth_to_space(put: Nodes, tensor: Tensor, one: Transposed, name: str) -> Tensor:
    """Put a `Conv` to all phases, a `DepthToSpace`, and what cuts off the rest."""
    small, rest = _in_phases(put, tensor, one, name, "channel" if put.opset > 10 else "phase")
    return put.cut(put.depth_to_space(small, one.strides[0], name), rest, 2, name)


def woven(put: Nodes, tensor: Tensor, one: Transposed, name: str) -> Tensor:
    """Put a `Conv` to all phases, and a `ConvTranspose` that puts each number in its place.

    A group per channel, of kernels of a single 1: the same finite numbers as `DepthToSpace`, for
    every rank and all strides; it cuts off the rest itself, and onnxruntime computes it faster.
    """
    small, rest = _in_phases(put, tensor, one, name, "channel")
    channels, phases = one.kernel.shape[1] * one.groups, math.prod(one.strides)
    units = np.eye(phases, dtype=one.kernel.dtype).reshape(phases, 1, *one.strides)
    kernel = np.tile(units, (channels, *[1] * (units.ndim - 1)))
    return put.conv_transpose(small, kernel, None, one.strides, rest, channels, name)


def _in_phases(
    put: Nodes, tensor: Tensor, one: Transposed, name: str, major: str
) -> tuple[Tensor, Margin]:
    """Put a convolution to all phases; return what is to be cut off them, side by side, too.

    Whole small pixels that are cut off are not computed.
    """
    every = _phases(one, major)
    taps = every.kernel.shape[2:]
    skipped = [
        (min(a // s, t - 1), min(b // s, t - 1))
        for (a, b), t, s in zip(every.cuts, taps, one.strides, strict=True)
    ]
    pads = tuple((t - 1 - a, t - 1 - b) for t, (a, b) in zip(taps, skipped, strict=True))
    small = put.conv(tensor, every.kernel, every.bias, pads, (1,) * len(taps), one.groups, name)
    rest = tuple(
        (a - c * s, b - d * s)
        for (a, b), (c, d), s in zip(every.cuts, skipped, one.strides, strict=True)
    )
    return small, rest


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
