"""Gather every pixel's neighbours along the last axis, one matrix product, add up the others.

Best where there are few channels, too few for a convolution to pay.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from polyphase.algebra.geometry import Axis
from polyphase.algebra.phases import Phase, aligned, reach, upsample_conv_phases
from polyphase.ops import axes
from polyphase.ops.overlap import overlapped, tap_axis
from polyphase.ops.plans import Convolution, Transposed

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Multiply the patches of the small image by the kernels of all phases at once; weave.

    No dilation, one group => the same operator, up to the border. With fewer output than input
    channels, and nothing to upsample, every pixel is multiplied by all taps instead.
    """
    plan.require_plain(x, kernel, "patches")
    folded = plan.folded("patches")
    if plan.upsampling.identity and kernel.shape[-1] < kernel.shape[-2]:
        return convolution(x, kernel, bias, plan)
    return axes.biased(_gathered(x, kernel, folded), bias)


def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Convolve an image that is upsampled already: transpose-convolve by the flipped kernel."""
    rank = len(plan.axes)
    flipped = ops.swapaxes(ops.flip(kernel, tuple(range(rank))), rank, rank + 1)
    shifted = tuple(replace(axis, first=axis.span + axis.first) for axis in plan.axes)
    return conv_transpose(x, flipped, bias, Transposed(shifted, plan.padding))


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Multiply every pixel by the whole kernel, then add up what overlaps: patches, adjoint."""
    if plan.groups > 1:
        raise ValueError(
            'lowering="patches" has one group. Received: '
            f'groups={plan.groups}. Use lowering="phases" or "auto".'
        )
    spans = [axis.span // axis.factor for axis in plan.axes]
    offset = [
        replace(axis, first=axis.first - span * axis.factor)
        for axis, span in zip(plan.axes, spans, strict=True)
    ]

    def spread(products: Tensor, i: int, count: Any) -> list[Tensor]:
        return [_spread(products, i + 1, offset[i], spans[i], count)]

    def gather(g: Tensor, i: int) -> Tensor:
        return _cut(g, i + 1, offset[i], spans[i])

    swapped = ops.swapaxes(kernel, len(spans), len(spans) + 1)
    return overlapped(x, swapped, bias, offset, spans, spread, gather)


def _spread(products: Tensor, dim: int, axis: Axis, span: int, count: Any) -> Tensor:
    """Add each tap to its phase."""
    tap_dim = tap_axis(products, dim)
    sums: dict[int, Tensor] = {}
    for tap in range(axis.taps):
        pixels, phase = divmod(tap * axis.dilation, axis.factor)
        part = axes.window(products, tap_dim, tap, 1)
        part = axes.window(part, dim, span - pixels, count)
        sums[phase] = sums[phase] + part if phase in sums else part
    zero = ops.zeros_like(sums[0])
    return ops.concatenate([sums.get(phase, zero) for phase in range(axis.factor)], axis=tap_dim)


def _cut(g: Tensor, dim: int, axis: Axis, span: int) -> Tensor:
    """Return the adjoint of `_spread`."""
    tap_dim, parts = tap_axis(g, dim), []
    for tap in range(axis.taps):
        pixels, phase = divmod(tap * axis.dilation, axis.factor)
        part = axes.window(g, tap_dim, phase, 1)
        parts.append(axes.pad(part, dim, span - pixels, pixels))
    return ops.concatenate(parts, axis=tap_dim)


def _gathered(x: Tensor, kernel: Tensor, plan: Sequence[Axis]) -> Tensor:
    banks = [upsample_conv_phases(a.taps, a.factor, -a.first, a.dilation) for a in plan]
    sizes = ops.shape(x)[1:-1]
    counts = [size + axis.surplus for size, axis in zip(sizes, plan, strict=True)]
    for dim, (axis, bank) in enumerate(zip(plan, banks, strict=True), start=1):
        x = axes.pad(x, dim, *axis.pads(*reach(bank)))
    last = len(plan)
    first, end = reach(banks[-1])
    neighbours = [
        axes.window(x, last, first + tap - min(0, first), counts[-1])
        for tap in range(end - first + 1)
    ]
    patches = ops.stack(neighbours, axis=last + 1)
    *space, taps, c_in = ops.shape(patches)
    products = axes.product(
        ops.reshape(patches, (*space, taps * c_in)), _matrix(kernel, banks, taps)
    )
    rows = [sum(phase.taps for phase in bank) for bank in banks[:-1]]
    shape = (*space, *rows, plan[-1].factor, kernel.shape[-1])
    products = ops.reshape(products, shape)
    for dim, (bank, count) in enumerate(zip(banks[:-1], counts, strict=False), start=1):
        products = _add_taps(products, dim, bank, count)
    return axes.crop(axes.weave(products), sizes, plan)


def _matrix(kernel: Tensor, banks: Sequence[Sequence[Phase]], taps: int) -> Tensor:
    """Return `(taps * c_in, all taps of all phases of the other axes * s * c_out)`."""
    for i, bank in enumerate(banks[:-1]):
        kernel = axes.fold(kernel, np.concatenate([phase.fold for phase in bank]), axis=i)
    rank = len(banks)
    kernel = axes.fold(kernel, aligned(banks[-1]), axis=rank - 1)
    *rows, _, c_in, c_out = kernel.shape
    split = ops.reshape(kernel, (*rows, len(banks[-1]), taps, c_in, c_out))
    order = (rank, rank + 1, *range(rank), rank + 2)
    columns = math.prod(rows) * len(banks[-1]) * c_out
    return ops.reshape(ops.transpose(split, order), (taps * c_in, columns))


def _add_taps(products: Tensor, dim: int, bank: Sequence[Phase], count: Any) -> Tensor:
    """Add up what belongs to each phase of an axis."""
    tap_dim, origin = tap_axis(products, dim), min(0, reach(bank)[0])
    sums, done = [], 0
    for phase in bank:
        parts = [
            axes.window(
                axes.window(products, tap_dim, done + t, 1), dim, phase.first - origin + t, count
            )
            for t in range(phase.taps)
        ]
        done += phase.taps
        sums.append(sum(parts[1:], parts[0]))
    return ops.concatenate(sums, axis=tap_dim)
