"""From a data format to `(n, *space, c)`, in which everything is computed, and back: once."""

from typing import Any

from keras import backend, ops

Tensor = Any


def space(data_format: str) -> slice:
    """Return where the spatial axes are, in a shape of any rank.

    Example:
        >>> (8, 3, 20, 30)[space("channels_first")]
        (20, 30)
    """
    return slice(1, -1) if data_format == "channels_last" else slice(2, None)


def channel(data_format: str) -> int:
    """Return the axis of the channels."""
    return -1 if data_format == "channels_last" else 1


def to_last(x: Tensor, data_format: str) -> Tensor:
    """Return a tensor in a data format as `(n, *space, c)`."""
    if data_format == "channels_last":
        return x
    return ops.transpose(x, (0, *range(2, len(x.shape)), 1))


def from_last(y: Tensor, data_format: str) -> Tensor:
    """Return `(n, *space, c)` in a data format."""
    if data_format == "channels_last":
        return y
    channel = len(y.shape) - 1
    return ops.transpose(y, (0, channel, *range(1, channel)))


def by_planes(data_format: str) -> bool:
    """Return whether channels that are not mixed are better taken each as an image of its own.

    TensorFlow transposes slowly; PyTorch does not move a number, and has slower kernels for one
    channel.
    """
    return data_format == "channels_first" and backend.backend() != "torch"


def to_planes(x: Tensor) -> Tensor:
    """Return `(n, c, *space)` as `(n * c, *space, 1)`."""
    batch, channels, *space = ops.shape(x)
    return ops.reshape(x, (batch * channels, *space, 1))


def from_planes(y: Tensor, channels: Any) -> Tensor:
    """Return `(n * c, *space, 1)` as `(n, c, *space)`."""
    count, *space, _ = ops.shape(y)
    return ops.reshape(y, (count // channels, channels, *space))
