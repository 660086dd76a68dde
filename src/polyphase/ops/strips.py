"""Compute large images strip by strip, so that what lies in between stays small."""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from polyphase.ops import axes

Tensor = Any

# Bytes of intermediate results at a time; of 1, 2, 4 and 8 MiB the last was fastest on JAX.
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
    """Return `compute(x, count, pads)`, of several images or of some rows of one at a time.

    Strips overlap by `reach` rows => each computes its own rows from what it sees.

    Args:
        x: `(batch, height, width, channels)`.
        count: positions of the rows; `height + sum(pads)` is at least `count + reach`.
        reach: how many rows more than its own a strip looks at.
        pads: rows of zeros before and behind the image; a strip has them already.
        row_bytes: size of the intermediate results of one row.
        compute: takes rows, their number of positions and the zeros that they lack; returns as
            many rows per position as it likes.
    """
    batch, height, width, channels = ops.shape(x)
    known = all(isinstance(n, int) for n in (batch, count, width))
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
    x = ops.reshape(x, (-1, group, x.shape[-3], width, channels))
    y = ops.map(lambda strip: compute(strip, rows, pads), x)
    return ops.reshape(y, (batch, strips * y.shape[2], *y.shape[3:]))


def pad_early(x: Tensor, pads: tuple[Pads, Pads]) -> tuple[Tensor, tuple[Pads, Pads]]:
    """Return the image with its zeros and none to put, unless those were 3 pixels in 10 more.

    Then the image stays, and the zeros are put around the products instead: not multiplied.
    """
    known = all(isinstance(n, int) for n in ops.shape(x)[1:3])
    sides = [n + sum(pad) for n, pad in zip(x.shape[1:3], pads, strict=True)] if known else (1, 1)
    if known and math.prod(sides) > 1.3 * math.prod(x.shape[1:3]):
        return x, pads
    return axes.pad(axes.pad(x, 1, *pads[0]), 2, *pads[1]), ((0, 0), (0, 0))
