"""Move blocks of channels into space: the last step of a sub-pixel convolution."""

from typing import Any

from keras import ops

from polyphase.ops import arguments

Tensor = Any


def depth_to_space(x: Tensor, size: Any = 2, data_format: str | None = None) -> Tensor:
    """Turn `s_h * s_w * c` channels into `c` channels of an image `s_h`, `s_w` times larger.

    `y[s_h*i + p, s_w*j + q, k] = x[i, j, (p*s_w + q)*c + k]`: the phase is the slowest channel
    index, in both data formats, so that weights do not depend on the format.

    Args:
        x: `(batch, height, width, s_h * s_w * c)`, or channels first; any dtype.
        size: factor, an int or two, at least 1.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.

    Returns:
        `(batch, s_h * height, s_w * width, c)`, the same numbers bit for bit.

    Raises:
        ValueError: for a wrong rank, a size below 1, channels that do not divide.

    Reference: Shi et al., arXiv 1609.05158.

    Example:
        >>> import numpy as np
        >>> x = np.arange(4).reshape(1, 1, 1, 4)
        >>> np.array(depth_to_space(x, 2))[0, :, :, 0].tolist()
        [[0, 1], [2, 3]]
    """
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
    if first:
        batch, _, height, width = shape
        x = ops.reshape(x, (batch, rows, columns, kept, height, width))
        x = ops.transpose(x, (0, 3, 4, 1, 5, 2))
        return ops.reshape(x, (batch, kept, height * rows, width * columns))
    batch, height, width, _ = shape
    x = ops.reshape(x, (batch, height, width, rows, columns, kept))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (batch, height * rows, width * columns, kept))
