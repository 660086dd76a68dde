"""Compute large images strip by strip, so that what lies in between stays small."""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from polyphase.ops import axes

Tensor = Any

# Bytes of intermediate results at a time; of 1, 2, 4 and 8 MiB the last was fastest on JAX.
BLOCK = 8 * 2**20


def in_strips(
    x: Tensor, count: Any, reach: int, row_bytes: Any, compute: Callable[[Tensor, Any], Tensor]
) -> Tensor:
    """Return `compute(x, count)`, of several images or of some rows of one at a time.

    Strips overlap by `reach` rows => each computes its own rows from what it sees.

    Args:
        x: `(batch, at least count + reach, width, channels)`.
        count: positions of the rows.
        reach: how many rows more than its own a strip looks at.
        row_bytes: size of the intermediate results of one row.
        compute: takes rows and their number of positions; returns as many rows per position as
            it likes.
    """
    batch, height, width, channels = ops.shape(x)
    if not all(isinstance(n, int) for n in (batch, count, width)):
        return compute(x, count)
    strips = math.ceil(count / max(1, min(count, BLOCK // row_bytes)))
    rows = math.ceil(count / strips)
    most = max(1, min(batch * strips, BLOCK // (row_bytes * rows)))
    group = next(n for n in range(most, 0, -1) if batch * strips % n == 0)
    if group == batch * strips:
        return compute(x, count)
    x = axes.pad(x, 1, 0, max(0, strips * rows + reach - height))
    x = ops.stack([axes.window(x, 1, i * rows, rows + reach) for i in range(strips)], axis=1)
    x = ops.reshape(x, (-1, group, rows + reach, width, channels))
    y = ops.map(lambda strip: compute(strip, rows), x)
    return ops.reshape(y, (batch, strips * y.shape[2], *y.shape[3:]))
