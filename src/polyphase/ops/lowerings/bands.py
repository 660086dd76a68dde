"""Reassembly by matrix products: bands of a few columns, whose kernels are one matrix.

The kernels of neighbouring columns lie beside each other in a matrix, each a pixel further than the
one before it, zeros around them; its product with the pixels that any of them sees is all of their
output pixels. A third of the matrix is kernels, but products are so much faster than weighted sums.
Gradients are products too, of the same three kinds, and nothing as large as `k * k` images exists.

Kinds, `n` images or groups of their channels, taken apart into strips of `columns`:

- strips of the image, `(n, strips, rows, seen, c)`, with the border of rows and columns;
- matrices, `(n, strips, height, outputs, taps, seen)`: rows of taps, and what a row of them sees;
- results, `(n, strips, height, outputs, c)`: `outputs` of all phases, of a row of a strip.

A pixel that is not finite makes its neighbours not a number, up to `seen` columns away.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from polyphase.ops import axes, device, gradients
from polyphase.ops.lowerings import phases

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
    depth, height, width = [1] * missing + list(sides)
    sizes = [1] * missing + list(factors)
    for dim in range(1, len(factors) + 1):
        x = axes.edged(x, dim, k // 2)
    x = ops.reshape(x, [batch] + [1] * missing + list(ops.shape(x)[1:]))
    groups = kernels.shape[-2]
    slices, rows = (k if missing < i else 1 for i in (1, 2))
    kernels = ops.reshape(kernels, (-1, slices, rows * k))
    shape = (batch * depth, height, width, math.prod(sizes[:2]), sizes[2], groups, rows, k)
    columns = max(_COLUMNS, k - 1)  # a strip sees no further than the next
    parts = []
    for tap in range(slices):
        part = axes.window(x, 1, tap, depth)
        part = ops.reshape(part, (batch * depth, *ops.shape(part)[2:]))
        strips = _strips_of(part, columns, width, k - 1, groups)
        taps = ops.reshape(axes.window(kernels, 1, tap, 1), shape)
        parts.append(results(_matrices_of(taps, columns, k), strips))
    # Of a strip: phases of depth and height, then columns and their phases.
    shape = (batch, depth, groups, -1, height, *sizes[:2], columns, sizes[2], channels // groups)
    y = axes.transposed(ops.reshape(axes.total(parts), shape), (0, 1, 5, 4, 6, 3, 7, 8, 2, 9))
    deep, high, wide = (n * s for n, s in zip((depth, height, width), sizes, strict=True))
    y = axes.window(ops.reshape(y, (batch, deep, high, -1, channels)), 3, 0, wide)
    return ops.reshape(y, (batch, *(deep, high, wide)[missing:], channels))


def _strips_of(x: Tensor, columns: int, width: Any, border: int, groups: int) -> Tensor:
    """Cut images `(n, rows, width + border, c)` into strips, which overlap by the border."""
    count = -(-width // columns)
    batch, rows, _, channels = ops.shape(x)
    x = axes.pad(x, 2, 0, (count + 1) * columns - width - border)
    split = (batch, rows, count + 1, columns, groups, channels // groups)
    whole = axes.transposed(ops.reshape(x, split), (0, 4, 2, 1, 3, 5))
    whole = ops.reshape(whole, (batch * groups, *ops.shape(whole)[2:]))
    beyond = axes.window(axes.window(whole, 1, 1, count), 3, 0, border)
    return ops.concatenate([axes.window(whole, 1, 0, count), beyond], axis=3)


def _matrices_of(kernels: Tensor, columns: int, k: int) -> Tensor:
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


def results(matrices: Tensor, strips: Tensor) -> Tensor:
    """Return the output pixels: each row's matrix times the rows of the strip that it sees."""
    return gradients.bilinear(
        _of_backend("results"),
        lambda upstream, m, x: (matrices_between(upstream, x), strips_behind(m, upstream)),
        matrices,
        strips,
    )


def matrices_between(outputs: Tensor, strips: Tensor) -> Tensor:
    """Return the gradient of `results` with respect to matrices."""
    return gradients.bilinear(
        _of_backend("matrices"),
        lambda upstream, y, x: (results(upstream, x), strips_behind(upstream, y)),
        outputs,
        strips,
    )


def strips_behind(matrices: Tensor, outputs: Tensor) -> Tensor:
    """Return the gradient of `results` with respect to strips."""
    return gradients.bilinear(
        _of_backend("strips"),
        lambda upstream, m, y: (matrices_between(y, upstream), results(m, upstream)),
        matrices,
        outputs,
    )


def _of_backend(kind: str) -> Any:
    """Return the function that computes a kind."""
    if backend.backend() == "torch":
        from polyphase.ops.lowerings import torch_bands

        return getattr(torch_bands, kind)
    return {"results": _results, "matrices": _matrices, "strips": _strips}[kind]


def _results(matrices: Tensor, strips: Tensor) -> Tensor:
    batch, count, height, outputs, taps, seen = ops.shape(matrices)
    rows = [axes.window(strips, 2, tap, height) for tap in range(taps)]
    visible = ops.reshape(ops.concatenate(rows, axis=3), (-1, taps * seen, strips.shape[-1]))
    y = ops.matmul(ops.reshape(matrices, (-1, outputs, taps * seen)), visible)
    return ops.reshape(y, (batch, count, height, outputs, -1))


def _matrices(outputs: Tensor, strips: Tensor) -> Tensor:
    height = ops.shape(outputs)[2]
    taps = ops.shape(strips)[2] - height + 1
    rows = (axes.window(strips, 2, tap, height) for tap in range(taps))
    products = [ops.einsum("nshoc,nshwc->nshow", outputs, row) for row in rows]
    return ops.stack(products, axis=4)


def _strips(matrices: Tensor, outputs: Tensor) -> Tensor:
    taps = matrices.shape[4]
    parts = [
        ops.einsum("nshow,nshoc->nshwc", matrices[..., tap, :], outputs) for tap in range(taps)
    ]
    return axes.total([axes.pad(part, 2, tap, taps - 1 - tap) for tap, part in enumerate(parts)])
