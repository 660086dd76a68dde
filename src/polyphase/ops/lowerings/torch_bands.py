"""PyTorch's products of bands: rows that follow each other are read where they lie.

A strip's rows lie one behind another, so those that a row of kernels sees are one matrix of its
memory, which overlaps the next row's: nothing is copied. Batched products over such matrices have
one stride => a call for each strip.
"""

from typing import Any

import torch

Tensor = Any


def results(matrices: Tensor, strips: Tensor) -> Tensor:
    """Return what `bands.results` does."""
    *some, height, outputs, taps, seen = matrices.shape
    y = strips.new_empty((*some, height, outputs, strips.shape[-1]))
    seeing = matrices.reshape(*some, height, outputs, taps * seen)
    for one, matrix, window in _each(y, seeing, _windows(strips, taps)):
        torch.bmm(matrix, window, out=one)
    return y


def matrices(outputs: Tensor, strips: Tensor) -> Tensor:
    """Return what `bands.matrices` does."""
    *some, height, rows, _ = outputs.shape
    taps, seen = strips.shape[2] - height + 1, strips.shape[3]
    m = outputs.new_empty((*some, height, rows, taps * seen))
    for one, y, window in _each(m, outputs.contiguous(), _windows(strips, taps)):
        torch.bmm(y, window.mT, out=one)
    return m.unflatten(-1, (taps, seen))


def strips(matrices: Tensor, outputs: Tensor) -> Tensor:
    """Return what `bands.strips` does: a row is of the outputs around it, `taps` of them."""
    *some, height, _, taps, seen = matrices.shape
    channels = outputs.shape[-1]
    pad = torch.nn.functional.pad
    around = pad(outputs, (0, 0, 0, 0, taps - 1, taps - 1))
    wide = pad(matrices, (0,) * 6 + (taps - 1, taps - 1))
    count = height + taps - 1
    seeing = [wide[:, :, i : i + count, :, taps - 1 - i] for i in range(taps)]
    turned = torch.cat(seeing, dim=3).mT
    x = outputs.new_empty((*some, count, seen, channels))
    for one, matrix, window in _each(x, turned, _windows(around, taps)):
        torch.bmm(matrix, window, out=one)
    return x


def _windows(rows: Tensor, taps: int) -> Tensor:
    """Return every `taps` rows of `(n, strips, rows, seen, c)` that follow each other, as one."""
    batch, count, height, seen, channels = rows.shape
    row = seen * channels
    return rows.contiguous().as_strided(
        (batch, count, height - taps + 1, taps * seen, channels),
        (count * height * row, height * row, row, channels, 1),
    )


def _each(*tensors: Tensor) -> Any:
    """Yield the strips of every image."""
    return (one for some in zip(*tensors, strict=True) for one in zip(*some, strict=True))
