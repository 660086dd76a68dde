"""Padding, cutting and interleaving along one axis, for sizes known or not."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from keras import backend, ops

from polyphase.algebra.geometry import Axis
from polyphase.ops.gradients import in_memory

Tensor = Any
_MANY = 6  # taps, as lanczos3 has. On JAX 13 ms become 2.3 of lanczos5; bicubic would lose


def pixels(x: Tensor) -> int | None:
    """Return how many pixels all images `(n, *space, c)` have together, if that is known."""
    sides = x.shape[:-1]
    return math.prod(sides) if _known(sides) else None


def side(x: Tensor) -> int | None:
    """Return the shortest side of images `(n, *space, c)`, if all are known."""
    sides = x.shape[1:-1]
    return min(sides) if _known(sides) else None


def _known(sides: Sequence[Any]) -> bool:
    """Return whether all are numbers; `torch.compile` has symbols for those that change."""
    return all(isinstance(side, int) for side in sides)


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


def edged(x: Tensor, axis: int, count: int) -> Tensor:
    """Repeat the first sample of an axis `count` times before it, and the last after it."""
    if count == 0:
        return x
    first, last = window(x, axis, 0, 1), window(x, axis, length(x, axis) - 1, 1)
    return ops.concatenate([*[first] * count, x, *[last] * count], axis=axis)


def window(x: Tensor, axis: int, start: int, size: Any) -> Tensor:
    """Return `size` samples from `start` on along one axis.

    TensorFlow's gradient of a slice is a padding, that of a strided slice several times slower.
    """
    if backend.backend() == "tensorflow" and isinstance(size, int):
        begin, sizes = [0] * len(x.shape), [-1] * len(x.shape)
        begin[axis], sizes[axis] = start, size
        return ops.slice(x, begin, sizes)
    return x[(slice(None),) * axis + (slice(start, start + size),)]


def windows(
    x: Tensor, starts: Sequence[Sequence[int]], sizes: Sequence[Any], dim: int = 1
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """Yield the windows from every start of every spatial axis on, and which starts they are."""
    if dim > len(starts):
        yield (), x
        return
    for i, start in enumerate(starts[dim - 1]):
        part = window(x, dim, start, sizes[dim - 1])
        for rest, one in windows(part, starts, sizes, dim + 1):
            yield (i, *rest), one


def along(weights: Any, x: Tensor, axis: int) -> Tensor:
    """Return a vector as a tensor that broadcasts along one axis of another, in its dtype."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(ops.cast(weights, x.dtype), shape)


def gather(x: Tensor, axis: int, columns: Any, weights: Any) -> Tensor:
    """Return `sum over t of weights[n, t] * x[columns[n, t]]` along one axis.

    Many taps read a result many times => it is in memory.
    """
    taps = columns.shape[1]
    y = sum(
        ops.take(x, columns[:, t], axis=axis) * along(weights[:, t], x, axis) for t in range(taps)
    )
    return in_memory(y) if taps >= _MANY else y


def interleave(parts: Sequence[Tensor], axis: int) -> Tensor:
    """Weave phases into one axis: output `s*i + p` is `parts[p]` at `i`."""
    if len(parts) == 1:
        return parts[0]
    shape = list(ops.shape(parts[0]))
    shape[axis] = shape[axis] * len(parts)
    return ops.reshape(ops.stack(parts, axis=axis + 1), shape)


def weave(phases: Tensor) -> Tensor:
    """Weave `(n, *positions, *factors, c)` into `(n, *(positions * factors), c)`."""
    rank = len(phases.shape) // 2 - 1
    batch, *sizes, channels = ops.shape(phases)
    order = [axis for i in range(1, rank + 1) for axis in (i, i + rank)]
    lengths = [n * s for n, s in zip(sizes[:rank], sizes[rank:], strict=True)]
    woven = ops.transpose(phases, (0, *order, 2 * rank + 1))
    return ops.reshape(woven, (batch, *lengths, channels))


def transposed(x: Tensor, order: Sequence[int]) -> Tensor:
    """Transpose; axes that stay side by side are merged, and those of size 1 are left out.

    TensorFlow Lite transposes at most six axes.
    """
    sizes = ops.shape(x)
    moved = [axis for axis in order if not (isinstance(sizes[axis], int) and sizes[axis] == 1)]
    behind = dict(itertools.pairwise(sorted(moved)))
    runs: list[list[int]] = []
    for axis in moved:
        if runs and behind.get(runs[-1][-1]) == axis:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    places = sorted(range(len(runs)), key=runs.__getitem__)
    merged = ops.reshape(x, [math.prod(sizes[axis] for axis in runs[place]) for place in places])
    y = ops.transpose(merged, [places.index(place) for place in range(len(runs))])
    return ops.reshape(y, [sizes[axis] for axis in order])


def phase_sums(x: Tensor, factors: Sequence[int], first: int = 0) -> Tensor:
    """Return the sum over each phase of the axes from `first` on, as long as there are factors.

    Example:
        >>> ops.convert_to_numpy(phase_sums(ops.arange(5), (2,))).tolist()
        [6, 4]
    """
    sizes, dims = list(ops.shape(x)), range(first, first + len(factors))
    cells = [-(-sizes[dim] // s) for dim, s in zip(dims, factors, strict=True)]
    widths, split = [(0, 0)] * len(sizes), sizes[:first]
    for dim, s, count in zip(dims, factors, cells, strict=True):
        widths[dim] = (0, count * s - sizes[dim])
        split += [count, s]
    parts = ops.reshape(ops.pad(x, widths), (*split, *sizes[first + len(factors) :]))
    return ops.sum(parts, axis=tuple(range(first, len(split), 2)))


def crop(y: Tensor, sizes: Sequence[Any], axes: Sequence[Axis]) -> Tensor:
    """Cut woven phases, along every axis, to the output's length for an input of these sizes."""
    for dim, (size, axis) in enumerate(zip(sizes, axes, strict=True), start=1):
        y = window(y, dim, 0, size * axis.factor + axis.extra)
    return y


def biased(x: Tensor, bias: Tensor | None) -> Tensor:
    """Add a bias, if there is one, to the channels, on the last axis."""
    return x if bias is None else x + along(bias, x, -1)


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
    *space, channels = ops.shape(x)
    flat = ops.reshape(x, (-1, channels)) @ matrix  # Keras' matmul falls to float32 on PyTorch
    return ops.reshape(flat, (*space, matrix.shape[1]))


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
