"""Move blocks of channels into space: the last step of a sub-pixel convolution."""

import math
from typing import Any

from keras import ops

from polyphase.algebra.channel_order import ORDERS
from polyphase.ops import arguments

Tensor = Any


def depth_to_space(
    x: Tensor, size: Any = 2, data_format: str | None = None, order: str = "dcr"
) -> Tensor:
    """Turn `prod(size) * c` channels into `c` channels of an image `size` times larger.

    For images, `y[s_h*i + p, s_w*j + q, k]` is `x[i, j, (p*s_w + q)*c + k]` in the order "dcr" and
    `x[i, j, (k*s_h + p)*s_w + q]` in the order "crd". This holds on every backend and in both data
    formats, so weights do not depend on them. (Keras' own operation has the order "dcr", except
    with channels first on JAX and PyTorch, where it has "crd".)

    Args:
        x: `(batch, *space, prod(size) * c)` with 1, 2 or 3 spatial axes, or channels first; any
            dtype.
        size: factor, an int or one per axis, at least 1.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        order: "dcr", in which the phase (the position in a block) varies slowest, as in
            `tf.nn.depth_to_space`; or "crd", in which it varies fastest, as in
            `torch.nn.functional.pixel_shuffle`.

    Returns:
        `(batch, *(size * space), c)`, the same numbers bit for bit.

    Raises:
        ValueError: for a wrong rank, a size below 1, a number of channels that is not divisible by
            the product of the factors, or an unknown order.

    Reference: Shi et al., arXiv 1609.05158.

    Example:
        >>> import numpy as np
        >>> x = np.arange(4).reshape(1, 1, 1, 4)
        >>> np.array(depth_to_space(x, 2))[0, :, :, 0].tolist()
        [[0, 1], [2, 3]]
        >>> x = np.arange(8).reshape(1, 1, 1, 8)
        >>> np.array(depth_to_space(x, 2, order="crd"))[0, :, :, 0].tolist()
        [[0, 1], [2, 3]]
    """
    order = arguments.one_of(order, "order", ORDERS)
    x = arguments.tensor(x, "depth_to_space")
    rank = len(x.shape) - 2
    factors = arguments.integers(size, "size", rank)
    first = arguments.data_format(data_format) == "channels_first"
    batch, *sizes = ops.shape(x)
    channels = sizes.pop(0 if first else -1)
    phases = math.prod(factors)
    if channels % phases:
        raise ValueError(
            f"`depth_to_space` by {' x '.join(map(str, factors))} needs channels divisible by "
            f"{phases}. Received: {channels} channels."
        )
    kept = channels // phases
    split = (*factors, kept) if order == "dcr" else (kept, *factors)
    x = ops.reshape(x, (batch, *split, *sizes) if first else (batch, *sizes, *split))
    space, channel = (rank + 2, 1) if first else (1, rank + 1)
    phase, channel = (channel, channel + rank) if order == "dcr" else (channel + 1, channel)
    woven = [axis for i in range(rank) for axis in (space + i, phase + i)]
    x = ops.transpose(x, (0, channel, *woven) if first else (0, *woven, channel))
    sides = [n * s for n, s in zip(sizes, factors, strict=True)]
    return ops.reshape(x, (batch, kept, *sides) if first else (batch, *sides, kept))
