"""Padding, cutting and interleaving along one axis, for sizes known or not."""

import math
from collections.abc import Sequence
from typing import Any

from keras import backend, ops

Tensor = Any


def spatial(data_format: str) -> tuple[int, int]:
    """Return the axes of `(height, width)`."""
    return (1, 2) if data_format == "channels_last" else (2, 3)


def channel(data_format: str) -> int:
    """Return the axis of the channels."""
    return 3 if data_format == "channels_last" else 1


def pixels(x: Tensor, spatial: tuple[int, int]) -> int | None:
    """Return how many pixels all images have together, if that is known."""
    sides = [x.shape[axis] for axis in (0, *spatial)]
    return None if None in sides else math.prod(sides)


def length(x: Tensor, axis: int) -> Any:
    """Return the size of an axis: an int, or an integer scalar where it is not known yet."""
    return ops.shape(x)[axis]


def fixed(size: Any) -> Any:
    """Return a size that a table is made for; PyTorch's symbols stand for a number: take that."""
    return int(size) if backend.backend() == "torch" else size


def pad(x: Tensor, axis: int, before: int, after: Any) -> Tensor:
    """Put zeros before and after along one axis."""
    if isinstance(after, int) and before == after == 0:
        return x
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (before, after)
    return ops.pad(x, widths)


def window(x: Tensor, axis: int, start: int, size: Any) -> Tensor:
    """Return `size` samples from `start` on along one axis.

    TensorFlow's gradient of a slice is a padding, that of a strided slice several times slower.
    """
    if backend.backend() == "tensorflow" and isinstance(size, int):
        begin, sizes = [0] * len(x.shape), [-1] * len(x.shape)
        begin[axis], sizes[axis] = start, size
        return ops.slice(x, begin, sizes)
    return x[(slice(None),) * axis + (slice(start, start + size),)]


def along(weights: Any, axis: int, dtype: str) -> Tensor:
    """Return a vector as a tensor that broadcasts along one axis of an image."""
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    return ops.reshape(ops.cast(weights, dtype), shape)


def gather(x: Tensor, axis: int, columns: Any, weights: Any) -> Tensor:
    """Return `sum over t of weights[n, t] * x[columns[n, t]]` along one axis."""
    return sum(
        ops.take(x, columns[:, t], axis=axis) * along(weights[:, t], axis, x.dtype)
        for t in range(columns.shape[1])
    )


def interleave(parts: Sequence[Tensor], axis: int) -> Tensor:
    """Weave phases into one axis: output `s*i + p` is `parts[p]` at `i`."""
    if len(parts) == 1:
        return parts[0]
    shape = list(ops.shape(parts[0]))
    shape[axis] = shape[axis] * len(parts)
    return ops.reshape(ops.stack(parts, axis=axis + 1), shape)


def weave(phases: Tensor) -> Tensor:
    """Weave `(n, rows, columns, s_h, s_w, c)` into `(n, rows * s_h, columns * s_w, c)`."""
    batch, rows, columns, s_h, s_w, channels = ops.shape(phases)
    return ops.reshape(
        ops.transpose(phases, (0, 1, 3, 2, 4, 5)), (batch, rows * s_h, columns * s_w, channels)
    )


def biased(x: Tensor, bias: Tensor | None, axis: int) -> Tensor:
    """Add a bias, if there is one, along the axis of the channels."""
    return x if bias is None else x + along(bias, axis, x.dtype)


def total(parts: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape; nothing is broadcast.

    Other backends know every shape. TensorFlow may not before the sum is run => its own sum of
    several tensors, which compares their shapes then.
    """
    if backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.add_n(parts)
    return sum(parts[1:], parts[0])


def product(x: Tensor, matrix: Tensor) -> Tensor:
    """Multiply the channels of every pixel, on the last axis, by `(c_in, c_out)`."""
    batch, height, width, channels = ops.shape(x)
    flat = ops.reshape(x, (-1, channels)) @ matrix  # Keras' matmul falls to float32 on PyTorch
    return ops.reshape(flat, (batch, height, width, matrix.shape[1]))


def fold(kernel: Tensor, matrix: Any, axis: int) -> Tensor:
    """Return `matrix @ kernel` along one spatial axis, for a matrix of 0 and 1.

    Sums of slices, not a matrix product: no backend may round these to a lower precision. Half
    precision is summed in float32.
    """
    dtype = backend.standardize_dtype(kernel.dtype)
    wide = ops.cast(kernel, "float32") if dtype in ("float16", "bfloat16") else kernel
    taps = ops.unstack(wide, axis=axis)
    rows = [[taps[a] for a in row.nonzero()[0]] for row in matrix]
    sums = [sum(row[1:], row[0]) if row else ops.zeros_like(taps[0]) for row in rows]
    return ops.cast(ops.stack(sums, axis=axis), dtype)
