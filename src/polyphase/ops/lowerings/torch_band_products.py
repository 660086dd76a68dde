"""PyTorch's products of bands: rows that follow each other are read where they lie.

A strip's rows lie one behind another, so those that a row of kernels sees are one matrix of its
memory, which overlaps the next row's: nothing is copied. Batched products over such matrices have
one stride => a call for each strip. The names are those of `band_products`.
"""

from typing import Any

Tensor = Any


def results(m: Tensor, x: Tensor, taps: int) -> Tensor:
    """Return each row's matrix times the rows of the strip that it sees."""
    import torch

    *some, height, outputs, _, seen = m.shape
    y = x.new_empty((*some, height, outputs, x.shape[-1]))
    seeing = m.reshape(*some, height, outputs, taps * seen)
    for one, matrix, window in _each(y, seeing, _windows(x, taps)):
        torch.bmm(matrix, window, out=one)
    return y


def matrices(y: Tensor, x: Tensor, taps: int) -> Tensor:
    """Return the products of results with the rows of the strip that they see."""
    import torch

    *some, height, outputs, _ = y.shape
    seen = x.shape[3]
    m = y.new_empty((*some, height, outputs, taps * seen))
    for one, result, window in _each(m, y.contiguous(), _windows(x, taps)):
        torch.bmm(result, window.mT, out=one)
    return m.unflatten(-1, (taps, seen))


def strips(m: Tensor, y: Tensor, taps: int) -> Tensor:
    """Return, of every row of a strip, the product with the `taps` rows of results around it."""
    import torch

    *some, height, _, _, seen = m.shape
    pad = torch.nn.functional.pad
    around = pad(y, (0, 0, 0, 0, taps - 1, taps - 1))
    wide = pad(m, (0,) * 6 + (taps - 1, taps - 1))
    rows = height + taps - 1
    seeing = [wide[:, :, i : i + rows, :, taps - 1 - i] for i in range(taps)]
    turned = torch.cat(seeing, dim=3).mT
    x = y.new_empty((*some, rows, seen, y.shape[-1]))
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
