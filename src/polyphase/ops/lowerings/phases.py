"""A filter bank: every phase is an ordinary convolution of the input; then they are woven.

No inserted zero is multiplied, and the upsampled image that a convolution would read never
exists.
"""

from collections.abc import Sequence
from typing import Any

from keras import ops

from polyphase.algebra.phases import Phase, conv_transpose_phases, upsample_conv_phases
from polyphase.algebra.resampling import edge_gain, phase_taps
from polyphase.ops import axes
from polyphase.ops.plans import Convolution, Resampling, Transposed

Tensor = Any


def upsample(x: Tensor, axis: int, plan: Resampling) -> Tensor:
    """Add up the shifted input, weighted, once per phase; mend the edges; weave.

    Integer factor => the taps are the same for every position, so slices replace the table; the
    edges' renormalisation is a gain per output.
    """
    if not isinstance(plan.size, int):
        raise ValueError(
            'lowering="phases" needs integer factors. '
            f'Received: size={plan.size}. Use lowering="direct" or "auto".'
        )
    factor = plan.size
    if plan.interpolation == "nearest":
        return axes.interleave([x] * factor, axis)
    taps = phase_taps(factor, plan.interpolation)
    size = axes.length(x, axis)
    before = max(0, -min(taps.first))
    after = max(0, max(taps.first) + taps.weights.shape[1] - 1)
    padded = axes.pad(x, axis, before, after)
    gains = _gains(size, factor, plan.interpolation)
    parts = []
    for p, (first, weights) in enumerate(zip(taps.first, taps.weights, strict=True)):
        total = sum(
            axes.window(padded, axis, before + first + t, size) * float(weight)
            for t, weight in enumerate(weights)
            if weight != 0
        )
        parts.append(total * axes.along(gains[:, p], axis, x.dtype))
    return axes.interleave(parts, axis)


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Convolve the input with every phase's collected taps.

    Nearest, integer factors => taps that meet the same input pixel can be added up; zero padding
    commutes with the upsampling, so this holds up to the border.
    """
    rows, columns = (
        upsample_conv_phases(k, factor, before, dilation)
        for k, factor, (before, _), dilation in zip(
            kernel.shape, plan.nearest_factors("phases"), plan.pads, plan.dilation, strict=False
        )
    )
    extra = [
        sum(pads) - (k - 1) * dilation
        for k, pads, dilation in zip(kernel.shape, plan.pads, plan.dilation, strict=False)
    ]
    return _filter_bank(x, kernel, rows, columns, extra, plan.data_format)


def conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Convolve the input with every phase's taps `W[p], W[p+s], ...`."""
    rows, columns = (
        conv_transpose_phases(k, stride, crop, dilation)
        for k, stride, crop, dilation in zip(
            kernel.shape, plan.strides, plan.crop, plan.dilation, strict=False
        )
    )
    swapped = ops.transpose(kernel, (0, 1, 3, 2))
    return _filter_bank(x, swapped, rows, columns, plan.extra, plan.data_format)


def _filter_bank(
    x: Tensor,
    kernel: Tensor,
    rows: Sequence[Phase],
    columns: Sequence[Phase],
    extra: Sequence[int],
    data_format: str,
) -> Tensor:
    """Return `y[s*i + p] = sum_t K_p[t] x[i + first_p + t]` on both axes, `s*N + extra` long."""
    vertical, horizontal = axes.spatial(data_format)
    sizes = [axes.length(x, axis) for axis in (vertical, horizontal)]
    x, top = _pad(x, vertical, rows, extra[0])
    x, left = _pad(x, horizontal, columns, extra[1])
    counts = [
        size + _positions(len(bank), more)
        for size, bank, more in zip(sizes, (rows, columns), extra, strict=True)
    ]
    lines = []
    for row in rows:
        folded = axes.fold(kernel, row.fold, axis=0) if row.taps else None
        band = axes.window(x, vertical, top + row.first, counts[0] + row.taps - 1)
        parts = []
        for column in columns:
            part = None
            if folded is not None and column.taps:
                start, size = left + column.first, counts[1] + column.taps - 1
                part = ops.conv(
                    axes.window(band, horizontal, start, size),
                    axes.fold(folded, column.fold, axis=1),
                    padding="valid",
                    data_format=data_format,
                )
            parts.append(part)
        lines.append(parts)
    zero = ops.zeros_like(next(part for parts in lines for part in parts if part is not None))
    woven = axes.interleave(
        [
            axes.interleave([zero if part is None else part for part in parts], horizontal)
            for parts in lines
        ],
        vertical,
    )
    for axis, size, bank, more in zip(
        (vertical, horizontal), sizes, (rows, columns), extra, strict=True
    ):
        woven = axes.window(woven, axis, 0, size * len(bank) + more)
    return woven


def _positions(factor: int, extra: int) -> int:
    """Return by how much the positions `i` that the output needs exceed the input's length."""
    return -(-extra // factor)


def _pad(x: Tensor, axis: int, bank: Sequence[Phase], extra: int) -> tuple[Tensor, int]:
    """Pad with the zeros that the phases reach for; return also how many stand in front."""
    used = [phase for phase in bank if phase.taps]
    before = max(0, -min(phase.first for phase in used))
    last = max(phase.first + phase.taps - 1 for phase in used)
    return axes.pad(x, axis, before, max(0, last + _positions(len(bank), extra))), before


def _gains(size: Any, factor: int, interpolation: str) -> Any:
    """Return the edge gains `(N, s)`; sizes known only when run get them from ones."""
    if isinstance(size, int):
        return edge_gain(size, factor, interpolation)
    taps = phase_taps(factor, interpolation)
    position = ops.arange(size)[:, None, None]
    column = position + (
        ops.convert_to_tensor(taps.first, "int32")[:, None]
        + ops.arange(taps.weights.shape[1], dtype="int32")
    )
    inside = ops.logical_and(column >= 0, column < size)
    return 1 / ops.sum(ops.where(inside, ops.cast(taps.weights, "float64"), 0.0), axis=2)
