"""Reassembly by matrix products: bands of a few columns, whose kernels are one matrix.

The kernels of neighbouring columns lie beside each other in a matrix, each a pixel further than the
one before it, zeros around them; its product with the pixels that any of them sees is all of their
output pixels. Two fifths of the matrix are kernels, but products are so much faster than weighted
sums. Gradients are products too (`band_products`), and nothing as large as `k * k` images exists.

A pixel that is not finite makes its neighbours not a number, up to a band away.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from polyphase.ops import axes, device, gradients
from polyphase.ops.lowerings import band_products, phases

Tensor = Any

_COLUMNS = 8  # of 4, 8 and 16


def reassemble(x: Tensor, kernels: Tensor, factors: Sequence[int], k: int) -> Tensor:
    """Multiply strips of the image by the kernels of their columns, row by row; weave.

    XLA fuses the loop over taps, and is faster by it; but not its gradients. A file that PyTorch
    exports takes images of any size, for which there is the loop.
    """
    if backend.backend() == "jax":
        return gradients.computed(
            lambda x, kernels: phases.reassemble(x, kernels, factors, k),
            lambda x, kernels: _reassembled(x, kernels, factors, k),
            *(x, kernels),
        )
    if device.is_traced():
        return phases.reassemble(x, kernels, factors, k)
    return _reassembled(x, kernels, factors, k)


def _reassembled(x: Tensor, kernels: Tensor, factors: Sequence[int], k: int) -> Tensor:
    """Reassemble signals, images and volumes as volumes: slice by slice of an image's kernels."""
    missing = 3 - len(factors)
    batch, *sides, channels = ops.shape(x)
    depth, height, width = space = [1] * missing + list(sides)
    sizes = [1] * missing + list(factors)
    for dim in range(1, len(factors) + 1):
        x = axes.edged(x, dim, k // 2)
    x = ops.reshape(x, [batch] + [1] * missing + list(ops.shape(x)[1:]))
    groups = kernels.shape[-2]
    slices, rows = (k if missing < i else 1 for i in (1, 2))
    kernels = ops.reshape(kernels, (-1, slices, rows * k))
    split = (batch * depth, height, width, math.prod(sizes[:2]), sizes[2], groups, rows, k)
    columns = max(_COLUMNS, k - 1)  # a strip sees no further than the next
    parts = []
    for tap in range(slices):
        images = axes.window(x, 1, tap, depth)
        images = ops.reshape(images, (batch * depth, *ops.shape(images)[2:]))
        strips = _strips(images, columns, width, k - 1, groups)
        taps = ops.reshape(axes.window(kernels, 1, tap, 1), split)
        parts.append(band_products.results(_matrices(taps, columns, k), strips, rows))
    y = _woven(axes.total(parts), batch, space, sizes, columns, groups)
    return ops.reshape(y, [batch, *(n * s for n, s in zip(sides, factors, strict=True)), channels])


def _strips(x: Tensor, columns: int, width: Any, border: int, groups: int) -> Tensor:
    """Cut images `(n, rows, width + border, c)` into strips, which overlap by the border."""
    count = -(-width // columns)
    batch, rows, _, channels = ops.shape(x)
    x = axes.pad(x, 2, 0, (count + 1) * columns - width - border)
    split = (batch, rows, count + 1, columns, groups, channels // groups)
    whole = axes.transposed(ops.reshape(x, split), (0, 4, 2, 1, 3, 5))
    whole = ops.reshape(whole, (batch * groups, *ops.shape(whole)[2:]))
    beyond = axes.window(axes.window(whole, 1, 1, count), 3, 0, border)
    return ops.concatenate([axes.window(whole, 1, 0, count), beyond], axis=3)


def _matrices(kernels: Tensor, columns: int, k: int) -> Tensor:
    """Lay kernels `(n, height, width, outer, phases, groups, rows, k)` beside each other."""
    batch, height, width, outer, inner, groups, rows, _ = ops.shape(kernels)
    count, seen = -(-width // columns), columns + k - 1
    kernels = ops.reshape(kernels, (batch * height, width, -1))
    kernels = axes.pad(kernels, 1, 0, count * columns - width)
    split = (batch, height, count, columns, outer, inner, groups, rows, k)
    kernels = axes.transposed(ops.reshape(kernels, split), (0, 6, 2, 1, 4, 5, 7, 3, 8))
    # One number too many per column => when they are read in rows of `seen`, each is one further.
    longer = axes.pad(ops.reshape(kernels, (-1, k)), 1, 0, columns)
    flat = ops.reshape(longer, (-1, columns * (seen + 1)))
    laid = ops.reshape(
        axes.window(flat, 1, 0, columns * seen),
        (batch * groups, count, height, outer, inner, rows, columns, seen),
    )
    laid = axes.transposed(laid, (0, 1, 2, 3, 6, 4, 5, 7))
    return ops.reshape(laid, (*ops.shape(laid)[:3], outer * columns * inner, rows, seen))


def _woven(
    y: Tensor, batch: Any, space: Sequence[Any], sizes: Sequence[int], columns: int, groups: int
) -> Tensor:
    """Return results as volumes `(n, depth, height, width, c)`, without what fills the last strip.

    A strip's outputs are phases of depth and height, then columns, then phases of these.
    """
    depth, height, width = space
    channels = ops.shape(y)[-1]
    split = (batch, depth, groups, -1, height, *sizes[:2], columns, sizes[2], channels)
    y = axes.transposed(ops.reshape(y, split), (0, 1, 5, 4, 6, 3, 7, 8, 2, 9))
    y = ops.reshape(y, (batch, depth * sizes[0], height * sizes[1], -1, groups * channels))
    return axes.window(y, 3, 0, width * sizes[2])
