"""The three products of banded matrices and strips of images, each the others' gradient.

- `x`: strips of images, `(n, strips, rows, seen, c)`, with the border that kernels reach;
- `m`: matrices, `(n, strips, height, outputs, taps, seen)`: of a row of output pixels, with `taps`
  rows of the strip, `rows = height + taps - 1`;
- `y`: results, `(n, strips, height, outputs, c)`.
"""

import functools
from typing import Any

from keras import backend, ops

from polyphase.ops import axes, gradients

Tensor = Any


def results(m: Tensor, x: Tensor, taps: int) -> Tensor:
    """Return the output pixels: each row's matrix times the `taps` rows of the strip it sees."""
    return gradients.bilinear(
        functools.partial(_ways().results, taps=taps),
        lambda upstream, m, x: (matrices(upstream, x, taps), strips(m, upstream, taps)),
        *(m, x),
    )


def matrices(y: Tensor, x: Tensor, taps: int) -> Tensor:
    """Return the gradient of `results` with respect to matrices, where that of results is `y`."""
    return gradients.bilinear(
        functools.partial(_ways().matrices, taps=taps),
        lambda upstream, y, x: (results(upstream, x, taps), strips(upstream, y, taps)),
        *(y, x),
    )


def strips(m: Tensor, y: Tensor, taps: int) -> Tensor:
    """Return the gradient of `results` with respect to strips, where that of results is `y`."""
    return gradients.bilinear(
        functools.partial(_ways().strips, taps=taps),
        lambda upstream, m, y: (matrices(y, upstream, taps), results(m, upstream, taps)),
        *(m, y),
    )


def _ways() -> Any:
    """Return what has a function for each product, without a gradient."""
    if backend.backend() == "torch":
        from polyphase.ops.lowerings import torch_band_products

        return torch_band_products
    return _Operations


class _Operations:
    """The products by operations that every backend has, for sizes known or not."""

    @staticmethod
    def results(m: Tensor, x: Tensor, taps: int) -> Tensor:
        batch, count, height, outputs, _, seen = ops.shape(m)
        channels = ops.shape(x)[-1]
        rows = [axes.window(x, 2, tap, height) for tap in range(taps)]
        visible = ops.reshape(ops.concatenate(rows, axis=3), (-1, taps * seen, channels))
        y = ops.matmul(ops.reshape(m, (-1, outputs, taps * seen)), visible)
        return ops.reshape(y, (batch, count, height, outputs, channels))

    @staticmethod
    def matrices(y: Tensor, x: Tensor, taps: int) -> Tensor:
        rows = (axes.window(x, 2, tap, ops.shape(y)[2]) for tap in range(taps))
        return ops.stack([ops.einsum("nshoc,nshwc->nshow", y, row) for row in rows], axis=4)

    @staticmethod
    def strips(m: Tensor, y: Tensor, taps: int) -> Tensor:
        parts = [ops.einsum("nshow,nshoc->nshwc", m[..., tap, :], y) for tap in range(taps)]
        return axes.total([axes.pad(x, 2, tap, taps - 1 - tap) for tap, x in enumerate(parts)])
