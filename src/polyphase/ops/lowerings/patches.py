"""Gather every pixel's neighbours in its row, one matrix product, add up the rows.

Best where there are few channels, too few for a convolution to pay.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from polyphase.ops import axes
from polyphase.ops.banks import Bank, conv_transpose_banks, upsample_conv_banks
from polyphase.ops.gradients import linear
from polyphase.ops.plans import Convolution, Transposed
from polyphase.ops.strips import in_strips

Tensor = Any
Pair = tuple[Any, Any]
Places = list[list[tuple[int, int]]]
Compute = Callable[[Tensor, Tensor, Bank, Bank], Tensor]


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Multiply the patches of the small image by the kernels of all phases at once; weave.

    No dilation, one group => the same operator, up to the border. Where the kernel cannot be
    folded (other interpolations and sizes), the patches are those of the upsampled image.
    """
    plan.require_plain(x, kernel, "patches")
    factors = plan.nearest_factors("patches") if plan.folds else (1, 1)
    image = x if plan.folds else plan.upsample(x, plan.upsampling)
    return _channels_last(image, kernel, upsample_conv_banks(kernel, plan, factors), _gather)


def conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Multiply every pixel by the whole kernel, then add up what overlaps: patches, adjoint."""
    return _channels_last(x, kernel, conv_transpose_banks(kernel, plan), _overlap)


def _channels_last(x: Tensor, kernel: Tensor, banks: list[Bank], compute: Compute) -> Tensor:
    """Return `compute`'s result; channels first goes through channels last."""
    if banks[0].axis == 1:
        return compute(x, kernel, *banks)
    banks = [Bank(bank.axis - 1, bank.phases, bank.extra) for bank in banks]
    y = compute(ops.transpose(x, (0, 2, 3, 1)), kernel, *banks)
    return ops.transpose(y, (0, 3, 1, 2))


def _overlap(x: Tensor, kernel: Tensor, rows: Bank, columns: Bank) -> Tensor:
    k_h, k_w, c_out, c_in = kernel.shape
    matrix = ops.reshape(ops.transpose(kernel, (3, 0, 1, 2)), (c_in, k_h * k_w * c_out))
    padded = columns.pad(rows.pad(x))
    across = columns.positions(x)
    places = [_places(bank) for bank in (rows, columns)]

    def compute(strip: Tensor, count: Any) -> Tensor:
        products = axes.product(strip, matrix)
        batch, height, width = ops.shape(products)[:3]
        split = (batch, height, width, k_h, k_w, c_out)
        factors = (rows.factor, columns.factor)
        woven = (batch, count, factors[0], across, factors[1], c_out)
        return linear(
            ops.reshape(products, split),
            lambda products: _add(products, places, factors, (count, across)),
            lambda g: _cut(ops.reshape(g, woven), places, (height, width)),
        )

    row_bytes = 4 * ops.shape(padded)[2] * k_h * k_w * c_out
    y = in_strips(padded, rows.positions(x), rows.reach, row_bytes, compute)
    return columns.crop(x, rows.crop(x, y))


def _places(bank: Bank) -> list[tuple[int, int]]:
    """Return, for every tap, its phase and how far from the padded start its pixel lies."""
    found = {
        int(tap): (p, phase.first - bank.start + t)
        for p, phase in enumerate(bank.phases)
        for t, row in enumerate(phase.fold)
        for tap in row.nonzero()[0]
    }
    return [found[tap] for tap in range(len(found))]


def _add(products: Tensor, places: Places, factors: Pair, counts: Pair) -> Tensor:
    """Add the products `(n, h, w, k_h, k_w, c)` up, phase by phase, and weave."""
    sums: dict[tuple[int, int], Tensor] = {}
    for a, (p, down) in enumerate(places[0]):
        for b, (q, right) in enumerate(places[1]):
            part = products[:, down : down + counts[0], right : right + counts[1], a, b]
            sums[p, q] = sums[p, q] + part if (p, q) in sums else part
    zero = ops.zeros_like(next(iter(sums.values())))
    lines = [
        ops.stack([sums.get((p, q), zero) for q in range(factors[1])], axis=3)
        for p in range(factors[0])
    ]
    y = ops.stack(lines, axis=2)
    return ops.reshape(y, (ops.shape(y)[0], counts[0] * factors[0], counts[1] * factors[1], -1))


def _cut(g: Tensor, places: Places, sides: Pair) -> Tensor:
    """Return the adjoint of `_add`, from `(n, rows, s_h, columns, s_w, c)`."""
    counts = ops.shape(g)[1], ops.shape(g)[3]
    return ops.stack(
        [
            ops.stack(
                [
                    ops.pad(
                        g[:, :, p, :, q],
                        [
                            (0, 0),
                            (down, sides[0] - counts[0] - down),
                            (right, sides[1] - counts[1] - right),
                            (0, 0),
                        ],
                    )
                    for q, right in places[1]
                ],
                axis=3,
            )
            for p, down in places[0]
        ],
        axis=3,
    )


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
    shape = (batch, height, width, -1, columns.factor, kernel.shape[3])
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
            axes.window(products, 1, phase.first - rows.start + t, rows.positions(x))[
                :, :, :, place + t
            ]
            for t in range(phase.taps)
        ]
        place += phase.taps
        sums.append(sum(parts[1:], parts[0]) if parts else None)
    zero = ops.zeros_like(next(one for one in sums if one is not None))
    return ops.stack([zero if one is None else one for one in sums], axis=3)
