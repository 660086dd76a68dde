"""Move blocks of channels into space: the last step of a sub-pixel convolution."""

from typing import Any

from keras import ops

from polyphase.algebra.channel_order import ORDERS
from polyphase.ops import arguments

Tensor = Any


def depth_to_space(
    x: Tensor, size: Any = 2, data_format: str | None = None, order: str = "dcr"
) -> Tensor:
    """Turn `s_h * s_w * c` channels into `c` channels of an image `s_h`, `s_w` times larger.

    `y[s_h*i + p, s_w*j + q, k]` is `x[i, j, (p*s_w + q)*c + k]` in the order "dcr" and
    `x[i, j, (k*s_h + p)*s_w + q]` in "crd", on every backend and in both data formats, so that
    weights do not depend on them. (Keras' own operation has the order "dcr", but channels first on
    JAX and PyTorch "crd".)

    Args:
        x: `(batch, height, width, s_h * s_w * c)`, or channels first; any dtype.
        size: factor, an int or two, at least 1.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        order: "dcr", the phase slowest, as `tf.nn.depth_to_space`; or "crd", the phase fastest, as
            `torch.nn.functional.pixel_shuffle`.

    Returns:
        `(batch, s_h * height, s_w * width, c)`, the same numbers bit for bit.

    Raises:
        ValueError: for a wrong rank, a size below 1, channels that do not divide, another order.

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
    rows, columns = arguments.pair(size, "size")
    first = arguments.data_format(data_format) == "channels_first"
    shape = list(ops.shape(x))
    channels = shape[1 if first else 3]
    if channels % (rows * columns):
        raise ValueError(
            f"`depth_to_space` by {rows} x {columns} needs channels divisible by "
            f"{rows * columns}. Received: {channels} channels."
        )
    kept = channels // (rows * columns)
    split = (rows, columns, kept) if order == "dcr" else (kept, rows, columns)
    if first:
        batch, _, height, width = shape
        x = ops.reshape(x, (batch, *split, height, width))
        x = ops.transpose(x, (0, 3, 4, 1, 5, 2) if order == "dcr" else (0, 1, 4, 2, 5, 3))
        return ops.reshape(x, (batch, kept, height * rows, width * columns))
    batch, height, width, _ = shape
    x = ops.reshape(x, (batch, height, width, *split))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5) if order == "dcr" else (0, 1, 4, 2, 5, 3))
    return ops.reshape(x, (batch, height * rows, width * columns, kept))
