"""Gather every pixel's neighbours in its row, one matrix product, add up the rows.

Best where there are few channels, too few for a convolution to pay.
"""

from typing import Any

import numpy as np
from keras import ops

from polyphase.ops import axes
from polyphase.ops.banks import Bank, upsample_conv_banks
from polyphase.ops.overlap import Gather, Side, Spread, overlapped
from polyphase.ops.plans import Convolution, Transposed

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Multiply the patches of the small image by the kernels of all phases at once; weave.

    No dilation, one group => the same operator, up to the border. Where the kernel cannot be
    folded (other interpolations and sizes), the patches are those of the upsampled image; with
    fewer output than input channels every pixel is multiplied by all taps instead.
    """
    plan.require_plain(x, kernel, "patches")
    factors = plan.nearest_factors("patches") if plan.folds else (1, 1)
    image = x if plan.folds else plan.upsample(x, plan.upsampling)
    if not plan.folds and kernel.shape[3] < kernel.shape[2]:
        return convolution(image, kernel, bias, plan)
    banks = upsample_conv_banks(kernel, plan, factors)
    if plan.data_format == "channels_last":
        return axes.biased(_gather(image, kernel, *banks), bias, 3)
    banks = [Bank(bank.axis - 1, bank.phases, bank.extra) for bank in banks]
    y = _gather(ops.transpose(image, (0, 2, 3, 1)), kernel, *banks)
    return axes.biased(ops.transpose(y, (0, 3, 1, 2)), bias, 1)


def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Convolve an image that is upsampled already: transpose-convolve by the flipped kernel."""
    reach = [(k - 1) * d for k, d in zip(kernel.shape, plan.dilation, strict=False)]
    transposition = Transposed(
        data_format=plan.data_format,
        strides=(1, 1),
        padding=plan.padding,
        output_padding=None,
        dilation=plan.dilation,
        crop=(reach[0] - plan.pads[0][0], reach[1] - plan.pads[1][0]),
        extra=(sum(plan.pads[0]) - reach[0], sum(plan.pads[1]) - reach[1]),
    )
    flipped = ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2))
    return conv_transpose(x, flipped, bias, transposition)


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Multiply every pixel by the whole kernel, then add up what overlaps: patches, adjoint."""
    first = plan.data_format == "channels_first"
    image = ops.transpose(x, (0, 2, 3, 1)) if first else x
    y = overlapped(
        image,
        ops.transpose(kernel, (0, 1, 3, 2)),
        bias,
        (_side(kernel.shape[0], plan, 0), _side(kernel.shape[1], plan, 1)),
        _spread(plan.dilation),
        _cut(plan.dilation),
    )
    return ops.transpose(y, (0, 3, 1, 2)) if first else y


def _side(taps: int, plan: Transposed, i: int) -> Side:
    factor, span = plan.strides[i], (taps - 1) * plan.dilation[i] // plan.strides[i]
    pixel, turn = divmod(plan.crop[i], factor)
    return Side(i + 1, factor, plan.extra[i], pixel - span, turn, span)


def _spread(dilation: tuple[int, int]) -> Spread:
    """Return what adds each tap to its phase."""

    def spread(products: Tensor, side: Side, count: Any) -> list[Tensor]:
        sums: dict[int, Tensor] = {}
        for tap in range(products.shape[side.place]):
            pixels, phase = divmod(tap * dilation[side.axis - 1], side.factor)
            part = axes.window(products, side.place, tap, 1)
            part = axes.window(part, side.axis, side.span - pixels, count)
            sums[phase] = sums[phase] + part if phase in sums else part
        zero = ops.zeros_like(sums[0])
        phases = [sums.get(phase, zero) for phase in range(side.factor)]
        return [ops.concatenate(phases, axis=side.place)]

    return spread


def _cut(dilation: tuple[int, int]) -> Gather:
    """Return the adjoint of `_spread`."""

    def cut(g: Tensor, taps: int, side: Side) -> Tensor:
        parts = []
        for tap in range(taps):
            pixels, phase = divmod(tap * dilation[side.axis - 1], side.factor)
            part = axes.window(g, side.place, phase, 1)
            parts.append(axes.pad(part, side.axis, side.span - pixels, pixels))
        return ops.concatenate(parts, axis=side.place)

    return cut


def _gather(x: Tensor, kernel: Tensor, rows: Bank, columns: Bank) -> Tensor:
    padded = columns.pad(rows.pad(x))
    start = columns.first - columns.start
    neighbours = [
        axes.window(padded, 2, start + b, columns.positions(x)) for b in range(columns.taps)
    ]
    patches = ops.stack(neighbours, axis=3)
    batch, height, width = ops.shape(patches)[:3]
    patches = ops.reshape(patches, (batch, height, width, columns.taps * kernel.shape[2]))
    products = axes.product(patches, _matrix(kernel, rows, columns))
    taps = sum(phase.taps for phase in rows.phases)
    shape = (batch, height, width, taps, columns.factor, kernel.shape[3])
    phases = _add_rows(ops.reshape(products, shape), x, rows)
    return columns.crop(x, rows.crop(x, axes.weave(phases)))


def _matrix(kernel: Tensor, rows: Bank, columns: Bank) -> Tensor:
    """Return `(taps * c_in, all taps of all row phases * s_w * c_out)`."""
    kernel = axes.fold(kernel, np.concatenate([phase.fold for phase in rows.phases]), axis=0)
    kernel = axes.fold(kernel, columns.fold, axis=1)
    c_in, c_out = kernel.shape[2:]
    split = ops.reshape(kernel, (-1, columns.factor, columns.taps, c_in, c_out))
    return ops.reshape(ops.transpose(split, (2, 3, 0, 1, 4)), (columns.taps * c_in, -1))


def _add_rows(products: Tensor, x: Tensor, rows: Bank) -> Tensor:
    """Add up what belongs to each row phase: `(n, h, w, s_h, s_w, c_out)`."""
    sums, place = [], 0
    for phase in rows.phases:
        parts = [
            axes.window(
                axes.window(products, 3, place + t, 1),
                1,
                phase.first - rows.start + t,
                rows.positions(x),
            )
            for t in range(phase.taps)
        ]
        place += phase.taps
        sums.append(sum(parts[1:], parts[0]) if parts else None)
    zero = ops.zeros_like(next(one for one in sums if one is not None))
    return ops.concatenate([zero if one is None else one for one in sums], axis=3)
