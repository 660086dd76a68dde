"""Gather every pixel's neighbours, then one matrix product: best where there are few channels."""

from typing import Any

from keras import ops

from polyphase.ops import axes
from polyphase.ops.banks import Bank, conv_transpose_banks, upsample_conv_banks
from polyphase.ops.plans import Convolution, Transposed

Tensor = Any


def upsample_conv(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Multiply the patches of the small image by the kernels of all phases at once; weave.

    No dilation, one group => the same operator, up to the border. Where the kernel cannot be
    folded (other interpolations and sizes), the patches are those of the upsampled image.
    """
    plan.require_plain(x, kernel, "patches")
    if plan.folds:
        return _product(
            x, kernel, upsample_conv_banks(kernel, plan, plan.nearest_factors("patches"))
        )
    for axis, resampling in zip(plan.axes, plan.resamplings, strict=True):
        x = plan.upsample(x, axis, resampling)
    return _product(x, kernel, upsample_conv_banks(kernel, plan, (1, 1)))


def conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Multiply the patches of the small image by the kernels of all phases at once; weave."""
    swapped = ops.transpose(kernel, (0, 1, 3, 2))
    return _product(x, swapped, conv_transpose_banks(kernel, plan))


def _product(x: Tensor, kernel: Tensor, banks: list[Bank]) -> Tensor:
    """Return the woven phases; channels first goes through channels last."""
    if banks[0].axis == 1:
        return _channels_last(x, kernel, *banks)
    banks = [Bank(bank.axis - 1, bank.phases, bank.extra) for bank in banks]
    y = _channels_last(ops.transpose(x, (0, 2, 3, 1)), kernel, *banks)
    return ops.transpose(y, (0, 3, 1, 2))


def _channels_last(x: Tensor, kernel: Tensor, rows: Bank, columns: Bank) -> Tensor:
    padded = columns.pad(rows.pad(x))
    patches = [
        axes.window(band, 2, columns.first - columns.start + b, columns.positions(x))
        for a in range(rows.taps)
        for band in [axes.window(padded, 1, rows.first - rows.start + a, rows.positions(x))]
        for b in range(columns.taps)
    ]
    phases = axes.product(ops.concatenate(patches, axis=3), _matrix(kernel, rows, columns))
    batch, height, width = ops.shape(phases)[:3]
    shape = (batch, height, width, rows.factor, columns.factor, kernel.shape[3])
    return columns.crop(x, rows.crop(x, axes.weave(ops.reshape(phases, shape))))


def _matrix(kernel: Tensor, rows: Bank, columns: Bank) -> Tensor:
    """Return `(taps * taps * c_in, s_h * s_w * c_out)`: the kernels of all phases."""
    for i, bank in enumerate((rows, columns)):
        kernel = axes.fold(kernel, bank.fold, axis=i)
    c_in, c_out = kernel.shape[2:]
    split = (rows.factor, rows.taps, columns.factor, columns.taps, c_in, c_out)
    joined = ops.transpose(ops.reshape(kernel, split), (1, 3, 4, 0, 2, 5))
    return ops.reshape(joined, (rows.taps * columns.taps * c_in, -1))
