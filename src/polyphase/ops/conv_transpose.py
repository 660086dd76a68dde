"""Transposed convolution with Keras' meaning, computed in phases where that is faster."""

from typing import Any

import keras

from polyphase.ops import arguments, axes, choice, layout
from polyphase.ops.plans import transposed
from polyphase.ops.traces import opaque

Tensor = Any


def conv_transpose(
    x: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
    lowering: str = "auto",
    bias: Tensor | None = None,
    groups: int = 1,
) -> Tensor:
    """Apply a transposed convolution: per axis `z[n] = sum_j x[j] W[n - s*j] + b`, then a crop.

    It crops as Keras' layer does.

    Args:
        x: `(batch, *space, c_in)` with 1, 2 or 3 spatial axes, or channels first; any real dtype.
            An empty batch gives an empty result.
        kernel: `(*kernel_size, c_out / groups, c_in)`; dtypes are promoted as in `upsample_conv`.
        strides: upsampling factor, an int or one per axis, at least 1.
        padding: "valid" or "same".
        output_padding: None, or an int or one per axis, at least 0 and less than the stride.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        dilation_rate: distance between the kernel's taps, an int or one per axis, at least 1.
        lowering: "auto", "reference", "direct" (the backend's own function; for several groups only
            on PyTorch, on other backends phases), "phases" or, for one group, "patches".
        bias: `(c_out,)`, or None. Where the lowering adds it itself, there is no second pass over
            the result.
        groups: number of groups of channels. The first group of input channels gives the first
            group of output channels, and so on. It must divide `c_in`; with as many groups as
            channels, the convolution is depthwise.

    Returns:
        `(batch, *out_space, c_out)`. The length of an axis is `N * s` for "same" and
        `(N-1) * s + max(k, s)` for "valid"; with `output_padding` it is what
        `algebra.geometry.conv_transpose_length` returns.

    Raises:
        ValueError: for arguments that do not fit; the message says what would.

    Exactness: every lowering computes the same operator, also at the border; results differ by
    rounding.

    Reference: Dumoulin, Visin, arXiv 1603.07285; "Transposed convolution" in docs/mathematics.md.

    Example:
        >>> import numpy as np
        >>> x = np.arange(1.0, 5.0, dtype="float32").reshape(1, 2, 2, 1)
        >>> w = np.ones((1, 1, 1, 1), dtype="float32")
        >>> np.array(conv_transpose(x, w, strides=2))[0, :, :, 0].astype(int).tolist()
        [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    """
    x = arguments.tensor(x, "conv_transpose")
    kernel, bias = arguments.parameters(kernel, bias)
    rank = len(x.shape) - 2
    strides = arguments.integers(strides, "strides", rank)
    dilation = arguments.integers(dilation_rate, "dilation_rate", rank)
    return _conv_transpose(
        x, kernel, bias, strides, padding, output_padding, data_format, dilation, lowering, groups
    )


@opaque
def _conv_transpose(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: tuple[int, ...],
    padding: str,
    output_padding: Any,
    data_format: str | None,
    dilation: tuple[int, ...],
    lowering: str,
    groups: int,
) -> Tensor:
    padding = arguments.one_of(padding, "padding", ("valid", "same"))
    data_format = arguments.data_format(data_format)
    x = layout.to_last(x, data_format)
    kernel = arguments.kernel(kernel, x, -1, "conv_transpose", groups=False)
    groups = arguments.groups(groups, x.shape[-1], "input channels")
    bias = arguments.bias(bias, groups * kernel.shape[-2], "conv_transpose")
    x, kernel, bias = arguments.promoted("conv_transpose", x, kernel, bias)
    surplus = arguments.output_padding(output_padding, strides)
    plan = transposed(kernel.shape[:-2], strides, padding, surplus, dilation, groups)
    for side, axis in zip(x.shape[1:-1], plan.axes, strict=True):
        if side is not None and side * axis.factor + axis.extra < 1:
            raise ValueError(
                f"`conv_transpose` leaves no pixel. Received: a side of {side} pixels, "
                f"kernel shape {tuple(kernel.shape)}, strides={strides}, padding={padding!r}, "
                f"output_padding={output_padding!r}. Use a larger output_padding."
            )
    compute = choice.function(
        "conv_transpose",
        lowering,
        empty=x.shape[0] == 0,
        plain=max(strides) > 1 and max(dilation) == groups == 1,
        rank=len(strides),
        channels=x.shape[-1],
        filters=groups * kernel.shape[-2],
        pixels=axes.pixels(x),
        dtype=keras.backend.standardize_dtype(x.dtype),
    )
    return layout.from_last(compute(x, kernel, bias, plan), data_format)
