"""Upsample by kernels of every output pixel's own, as content-aware upsampling does."""

import math
from typing import Any

import keras
from keras import ops

from polyphase.ops import arguments, axes, choice, layout
from polyphase.ops.traces import opaque

Tensor = Any


def reassemble(
    x: Tensor,
    kernels: Tensor,
    size: Any = 2,
    groups: int = 1,
    data_format: str | None = None,
    lowering: str = "auto",
) -> Tensor:
    """Return, for every output pixel, a weighted sum of the input pixels around it.

    `y[s m + p] = sum over t of kernels[s m + p, t] * x[m + t - r]`, per axis, where `k = 2 r + 1`
    and `0 <= p < s`. Outside the image, the pixel at its border is used.

    Args:
        x: `(batch, *space, channels)` with 1, 2 or 3 spatial axes, or channels first; any real
            dtype. The batch may be empty.
        kernels: `(batch, *(size * space), groups * k**rank)`, in the same data format. An output
            pixel has `k` taps along every axis (`k` odd), row by row: those of the first group of
            channels, then those of the next. They may have any sum; with the sum 1, a constant
            stays constant.
        size: factor, an int or one per axis, at least 1.
        groups: number of groups of channels; the channels of a group share a kernel. It must divide
            the number of channels.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: "auto", "reference", "phases" or "bands".

    Returns:
        `(batch, *(size * space), channels)`, in the dtype that `x` and `kernels` are promoted to
        (half precision is summed in float32).

    Raises:
        ValueError: for kernels of the wrong rank, batch or size, an even number of taps per axis,
            or a number of channels that `groups` does not divide.

    Exactness: every lowering computes the same operator, also at the border; results differ by
    rounding.

    Reference: Wang et al., arXiv 1905.02188, equation 4.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 2.0, 4.0]])[..., None]
        >>> left = np.tile([1.0, 0.0, 0.0], (1, 6, 1))  # one kernel per output: the pixel before
        >>> np.array(reassemble(x, left, 2)).ravel().tolist()
        [1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    """
    x = arguments.tensor(x, "reassemble")
    kernels = arguments.tensor(kernels, "reassemble")
    rank = len(x.shape) - 2
    factors = arguments.integers(size, "size", rank)
    data_format = arguments.data_format(data_format)
    _require_kernels(x, kernels, factors, data_format)
    x, kernels = arguments.promoted("reassemble", x, kernels)
    image, weights = (layout.to_last(one, data_format) for one in (x, kernels))
    y = reassembled(image, unwoven(weights, factors), factors, groups, lowering)
    return layout.from_last(y, data_format)


@opaque
def reassembled(
    x: Tensor, kernels: Tensor, factors: tuple[int, ...], groups: int, lowering: str = "auto"
) -> Tensor:
    """Return `(n, *space, c)` reassembled by kernels in phases.

    Args:
        x: the image.
        kernels: `(n, *space, phases, groups * k**rank)`, the phases row by row.
        factors: one per axis.
        groups: of channels.
        lowering: its name.
    """
    rank = len(factors)
    groups = arguments.groups(groups, axes.fixed(x.shape[-1]), "channels")
    taps = _taps(axes.fixed(kernels.shape[-1]), groups, rank)
    dtype = keras.backend.standardize_dtype(x.dtype)
    computed = "float64" if dtype == "float64" else "float32"
    compute = choice.function(
        "reassemble",
        lowering,
        channels=axes.fixed(x.shape[-1]) // groups,
        pixels=axes.pixels(x),
        side=axes.side(x),
        dtype=computed,
        rank=rank,
    )
    *space, phases, _ = ops.shape(kernels)
    weights = ops.reshape(ops.cast(kernels, computed), (*space, phases, groups, taps**rank))
    return ops.cast(compute(ops.cast(x, computed), weights, factors, taps), dtype)


def unwoven(kernels: Tensor, factors: tuple[int, ...]) -> Tensor:
    """Return `(n, *(factors * space), c)` as `(n, *space, phases, c)`."""
    rank = len(factors)
    batch, *sides, channels = ops.shape(kernels)
    split = [one for n, s in zip(sides, factors, strict=True) for one in (n // s, s)]
    order = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
    parts = ops.transpose(ops.reshape(kernels, (batch, *split, channels)), order)
    return ops.reshape(parts, (batch, *split[::2], math.prod(factors), channels))


def _taps(numbers: int, groups: int, rank: int) -> int:
    """Return how many taps a kernel has per axis."""
    taps = round((numbers // groups) ** (1 / rank))
    if groups * taps**rank != numbers or taps % 2 == 0:
        raise ValueError(
            f"`reassemble` expects, for each of {groups} groups, a kernel with an odd number of "
            f"taps per axis: {groups} * k**{rank} numbers per output pixel. Received: {numbers}."
        )
    return taps


def _require_kernels(
    x: Tensor, kernels: Tensor, factors: tuple[int, ...], data_format: str
) -> None:
    """Say what kernels an image needs."""
    shape, space = tuple(kernels.shape), layout.space(data_format)
    sides = zip(x.shape[space], factors, strict=True)
    expected = [x.shape[0], *(None if n is None else n * s for n, s in sides)]
    found = [shape[0], *shape[space]]
    if len(found) != len(expected) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(found, expected, strict=False)
    ):
        raise ValueError(
            f"`reassemble` by {' x '.join(map(str, factors))} expects kernels for every output "
            f"pixel, of batch and sides {tuple(expected)}. Received: kernels of shape {shape}, "
            f"an image of shape {tuple(x.shape)}."
        )
