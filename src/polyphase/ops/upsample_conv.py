"""Upsample, then convolve, as one operation."""

import functools
from collections.abc import Sequence
from typing import Any

import keras

from polyphase.algebra import geometry
from polyphase.ops import arguments, axes, choice, layout
from polyphase.ops.plans import Convolution, Upsampling
from polyphase.ops.traces import opaque
from polyphase.ops.upsample import resample

Tensor = Any


def upsample_conv(
    x: Tensor,
    kernel: Tensor,
    size: Any = 2,
    interpolation: str = "nearest",
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    lowering: str = "auto",
    bias: Tensor | None = None,
) -> Tensor:
    """Upsample signals, images or volumes, then convolve with stride 1: `y = Conv_w(R x) + b`.

    Args:
        x: `(batch, *space, c_in)` with 1, 2 or 3 spatial axes, or channels first; any real dtype.
            An empty batch gives an empty result.
        kernel: `(*kernel_size, c_in / groups, c_out)`; the number of groups follows from the
            shapes. If dtypes differ, everything is computed in the float dtype that Keras promotes
            them to; if all are integers, in Keras' float type.
        size: upsampling factor, as in `upsample`.
        interpolation: as in `upsample`.
        padding: "valid" or "same" (zeros, `(k-1)//2` before), of the upsampled image.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        dilation_rate: distance between the kernel's taps, an int or one per axis, at least 1.
        lowering: "auto", "reference" or "direct"; without dilation and groups also "patches". With
            integer factors also "blur" (for known sides; otherwise it is "direct") and, for
            nearest, "phases"; if there are also no dilation and groups, "transpose" and
            "difference".
        bias: `(c_out,)`, or None. Where the lowering adds it itself, there is no second pass over
            the result.

    Returns:
        `(batch, *out_space, c_out)`. A side is `floor(side * size)` for "same", and smaller by
        `(k - 1) * dilation_rate` for "valid".

    Raises:
        ValueError: for arguments that do not fit; the message says what would.

    Exactness: every lowering computes the same operator, also at the border; results differ by
    rounding.

    Reference: "Upsample, then convolve" in docs/mathematics.md.

    Example:
        >>> import numpy as np
        >>> x = np.arange(8.0, dtype="float32").reshape(1, 2, 2, 2)
        >>> w = np.ones((3, 3, 2, 5), dtype="float32")
        >>> tuple(upsample_conv(x, w, 2, padding="same").shape)
        (1, 4, 4, 5)
    """
    return convolved(
        "upsample_conv", x, kernel, bias,
        size, interpolation, padding, data_format, dilation_rate, lowering,
    )  # fmt: skip


def convolved(
    operation: str, x: Tensor, kernel: Tensor, bias: Any, size: Any, *options: Any
) -> Tensor:
    """Return the result of "upsample_conv" or "upsample_depthwise_conv" with its arguments."""
    x = arguments.tensor(x, operation)
    kernel, bias = arguments.parameters(kernel, bias)
    interpolation, padding, data_format, dilation_rate, lowering = options
    rank = len(x.shape) - 2
    size = arguments.sizes(size, rank)
    dilation = arguments.integers(dilation_rate, "dilation_rate", rank)
    return _convolved(
        operation, x, kernel, bias,
        size, interpolation, padding, data_format, dilation, lowering,
    )  # fmt: skip


@opaque
def _convolved(
    operation: str,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    size: tuple[Any, ...],
    interpolation: str,
    padding: str,
    data_format: str | None,
    dilation: tuple[int, ...],
    lowering: str,
) -> Tensor:
    data_format = arguments.data_format(data_format)
    x = layout.to_last(x, data_format)
    depthwise = operation == "upsample_depthwise_conv"
    kernel = arguments.kernel(kernel, x, -2, operation, groups=not depthwise)
    *taps, c_in, filters = kernel.shape
    bias = arguments.bias(bias, c_in * filters if depthwise else filters, operation)
    x, kernel, bias = arguments.promoted(operation, x, kernel, bias)
    plan = _plan(x, taps, size, interpolation, padding, dilation)
    y = _computed(operation, lowering, x, kernel, bias, plan)
    return layout.from_last(y, data_format)


def _computed(
    operation: str, lowering: str, x: Tensor, kernel: Tensor, bias: Any, plan: Convolution
) -> Tensor:
    """Call the lowering; what it does not fold is upsampled first, as `auto` chooses.

    The blur needs known sides, and convolves by what `auto` takes for nearest.

    One tap mixes channels, upsampling mixes pixels => convolve first, unless that leaves more
    channels to interpolate.
    """
    lowering = _chosen(operation, lowering, x, kernel, plan)
    if lowering == "blur" and None in x.shape[1:-1]:
        lowering = "direct"
    compute = choice.function(operation, lowering)
    if lowering == "blur":
        again = functools.partial(_computed, operation, "auto")
        return compute(x, kernel, bias, plan, again, resample)
    if lowering != "direct" and (lowering != "patches" or plan.folds):
        return compute(x, kernel, bias, plan)
    pointwise = max(kernel.shape[:-2]) == 1 and operation == "upsample_conv"
    fewer = plan.upsampling.interpolation == "nearest" or kernel.shape[-1] <= x.shape[-1]
    if lowering == "direct" and pointwise and fewer:
        return axes.biased(resample(compute(x, kernel, None, plan.alone), plan.upsampling), bias)
    return compute(resample(x, plan.upsampling), kernel, bias, plan.alone)


def _chosen(operation: str, lowering: str, x: Tensor, kernel: Tensor, plan: Convolution) -> str:
    """Return the name of a lowering, for "auto" the table's."""
    *taps, c_in, filters = kernel.shape
    return choice.name(
        operation,
        lowering,
        empty=x.shape[0] == 0,
        interpolation=plan.upsampling.interpolation,
        plain=plan.upsampling.integer and max(plan.dilation) == 1 and c_in == x.shape[-1],
        identity=plan.upsampling.identity,
        rank=len(taps),
        channels=x.shape[-1],
        filters=filters,
        taps=max(taps),
        pixels=axes.pixels(x),
        side=axes.side(x),
        dtype=keras.backend.standardize_dtype(x.dtype),
    )


def _plan(
    x: Tensor,
    taps: Sequence[int],
    size: tuple[Any, ...],
    interpolation: str,
    padding: str,
    dilation: tuple[int, ...],
) -> Convolution:
    """Return the checked plan of upsampling and a convolution."""
    interpolation = arguments.interpolation(interpolation, len(taps))
    padding = arguments.one_of(padding, "padding", ("valid", "same"))
    for side, *one, k, rate in zip(x.shape[1:-1], size, taps, dilation, strict=True):
        if side is not None:
            geometry.conv_length(geometry.upsampled_length(side, *one), k, padding, rate)
    plan_axes = (geometry.conv_axis(k, padding, d) for k, d in zip(taps, dilation, strict=True))
    return Convolution(tuple(plan_axes), Upsampling(size, interpolation), padding)
