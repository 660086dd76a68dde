"""Upsample, then convolve, as one operation."""

from typing import Any

import keras

from polyphase.algebra import geometry, kernels
from polyphase.ops import arguments, axes, choice
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
    """Upsample images, then convolve them with stride 1: `y = Conv_w(R x) + b`.

    Args:
        x: `(batch, height, width, c_in)`, or channels first; any real dtype. An empty batch has an
            empty result.
        kernel: `(k_h, k_w, c_in / groups, c_out)`; the number of groups follows from the shapes.
            Where dtypes differ, all is computed in the float dtype that Keras promotes them to;
            integers alone become Keras' float type.
        size: upsampling factor, as in `upsample`.
        interpolation: as in `upsample`.
        padding: "valid" or "same" (zeros, `(k-1)//2` in front), of the upsampled image.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        dilation_rate: distance between the kernel's taps, an int or two, at least 1.
        lowering: "auto", "reference", "direct"; without dilation and groups "patches"; for
            nearest with integer factors "phases", and without dilation and groups "transpose"
            and "difference".
        bias: `(c_out,)`, or None; no second pass over the result where the
            lowering can add it on the way.

    Returns:
        `(batch, out_height, out_width, c_out)`: `floor(side * size)` for "same",
        `(k - 1) * dilation` less for "valid".

    Raises:
        ValueError: for arguments that do not fit, with what does.

    Exactness: every lowering is the same operator up to the border; they differ by rounding.

    Reference: mathematics, section 3.

    Example:
        >>> import numpy as np
        >>> x = np.arange(8.0, dtype="float32").reshape(1, 2, 2, 2)
        >>> w = np.ones((3, 3, 2, 5), dtype="float32")
        >>> tuple(upsample_conv(x, w, 2, padding="same").shape)
        (1, 4, 4, 5)
    """
    x = arguments.tensor(x, "upsample_conv")
    kernel, bias = arguments.parameters(kernel, bias)
    options = (
        arguments.size_pair(size), interpolation, padding, data_format,
        arguments.pair(dilation_rate, "dilation_rate"), lowering,
    )  # fmt: skip
    return _upsample_conv(x, kernel, bias, *options)


@opaque
def _upsample_conv(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    size: Any,
    interpolation: str,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
    lowering: str,
) -> Tensor:
    x, data_format, restore = choice.layout(x, arguments.data_format(data_format))
    channels = x.shape[axes.channel(data_format)]
    kernel = arguments.kernel(kernel, channels, 2, "upsample_conv")
    bias = arguments.bias(bias, kernel.shape[3], "upsample_conv")
    x, kernel, bias = arguments.promoted("upsample_conv", x, kernel, bias)
    plan = convolution_plan(x, kernel, size, interpolation, padding, data_format, dilation_rate)
    way = choice.function(
        "upsample_conv",
        lowering,
        interpolation=plan.upsampling.interpolation,
        plain=plan.enlarges and plan.dilation == (1, 1) and channels == kernel.shape[2],
        channels=channels,
        filters=kernel.shape[3],
        taps=max(kernel.shape[:2]),
        pixels=axes.pixels(x, plan.axes),
        dtype=keras.backend.standardize_dtype(x.dtype),
    )
    return restore(way(x, kernel, bias, plan))


def convolution_plan(
    x: Tensor,
    kernel: Tensor,
    size: Any,
    interpolation: str,
    padding: str,
    data_format: str,
    dilation_rate: Any,
) -> Convolution:
    """Return the checked plan of upsampling and a convolution; size and dilation are pairs."""
    interpolation = arguments.one_of(interpolation, "interpolation", tuple(kernels.KERNELS))
    padding = arguments.one_of(padding, "padding", ("valid", "same"))
    plan = Convolution(
        upsampling=Upsampling(data_format, size, interpolation),
        padding=padding,
        pads=(
            geometry.padding_amounts(kernel.shape[0], padding, dilation_rate[0]),
            geometry.padding_amounts(kernel.shape[1], padding, dilation_rate[1]),
        ),
        dilation=dilation_rate,
        upsample=resample,
    )
    for axis, one_size, k, rate in zip(plan.axes, size, kernel.shape, plan.dilation, strict=False):
        if x.shape[axis] is not None:
            upsampled = geometry.upsampled_length(x.shape[axis], one_size)
            geometry.conv_length(upsampled, k, padding, rate)
    return plan
