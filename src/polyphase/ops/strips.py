"""Compute large images strip by strip, so that intermediate results stay small."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from polyphase.ops import axes

Tensor = Any

# Bytes of intermediate results at a time. On JAX 1, 2 and 4 MiB were slower, and from 16 to 64 a
# training step took up to twice as long: memory given back to the system is faulted in anew.
BLOCK = 8 * 2**20


Pads = tuple[int, int]


def in_strips(
    x: Tensor,
    count: Any,
    reach: int,
    pads: Pads,
    row_bytes: Any,
    compute: Callable[[Tensor, Any, Pads], Tensor],
) -> Tensor:
    """Return `compute(x, count, pads)`, for several images or some rows of one at a time.

    Rows are the pixels along the first spatial axis. Strips overlap by `reach` rows, so each can
    compute its own rows alone.

    Args:
        x: `(batch, rows, *space, channels)`.
        count: positions of the rows; `rows + sum(pads)` is at least `count + reach`.
        reach: how many rows beyond its own a strip reads.
        pads: rows of zeros that the image needs before and after; a strip already contains them.
        row_bytes: size of the intermediate results of one row.
        compute: takes rows, their number of positions and the padding that they still need; returns
            any number of rows per position.
    """
    batch, height, *rest = ops.shape(x)
    known = all(isinstance(n, int) for n in (batch, count, *rest[:-1]))
    if not known or batch == 0:
        return compute(x, count, pads)
    strips = math.ceil(count / max(1, min(count, BLOCK // row_bytes)))
    rows = next((n for n in range(count // strips, 0, -1) if count % n == 0), 1)
    if 2 * rows * strips < count:
        rows = math.ceil(count / strips)
    strips = math.ceil(count / rows)
    most = max(1, min(batch * strips, BLOCK // (row_bytes * rows)))
    group = next(n for n in range(most, 0, -1) if batch * strips % n == 0)
    if group == batch * strips:
        return compute(x, count, pads)
    if strips > 1:
        lack = max(0, strips * rows + reach - height - sum(pads))
        x = axes.pad(x, 1, pads[0], pads[1] + lack)
        x = ops.stack([axes.window(x, 1, i * rows, rows + reach) for i in range(strips)], axis=1)
        pads = (0, 0)
    x = ops.reshape(x, (-1, group, x.shape[-1 - len(rest)], *rest))
    y = ops.map(lambda strip: compute(strip, rows, pads), x)
    return ops.reshape(y, (batch, strips * y.shape[2], *y.shape[3:]))


def pad_early(x: Tensor, pads: Sequence[Pads]) -> tuple[Tensor, Sequence[Pads]]:
    """Return the padded image, and the padding that it still needs, which is then 0.

    If padding would add more than 3 pixels in 10, return the image and the padding unchanged: zeros
    that are added to the products later are not multiplied.
    """
    sizes = ops.shape(x)[1:-1]
    if all(isinstance(n, int) for n in sizes):
        padded = [n + sum(widths) for n, widths in zip(sizes, pads, strict=True)]
        if math.prod(padded) > 1.3 * math.prod(sizes):
            return x, pads
    for dim, widths in enumerate(pads, start=1):
        x = axes.pad(x, dim, *widths)
    return x, [(0, 0)] * len(pads)
