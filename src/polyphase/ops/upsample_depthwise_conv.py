"""Upsample, then convolve every channel alone, as one operation."""

from typing import Any

from polyphase.ops.upsample_conv import convolved

Tensor = Any


def upsample_depthwise_conv(
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
    """Upsample, then convolve each channel with its own kernels, with stride 1.

    Args:
        x: `(batch, *space, c)` with 1, 2 or 3 spatial axes, or channels first; any real dtype.
            An empty batch gives an empty result.
        kernel: `(*kernel_size, c, m)`, as DepthwiseConv2D stores it; dtypes are promoted as in
            `upsample_conv`.
        size: upsampling factor, as in `upsample`.
        interpolation: as in `upsample`.
        padding: "valid" or "same" (zeros, `(k-1)//2` before), of the upsampled image.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        dilation_rate: distance between the kernel's taps, an int or one per axis, at least 1.
        lowering: "auto", "reference" or "direct". With integer factors also "blur" (for known
            sides; otherwise it is "direct") and, for nearest, "phases"; on PyTorch, without
            dilation, also "transpose".
        bias: `(c * m,)`, or None.

    Returns:
        `(batch, *out_space, c * m)`. A side is `floor(side * size)` for "same", and smaller by
        `(k - 1) * dilation_rate` for "valid". Channel `c*m + j` comes from kernel `j` of channel
        `c`.

    Raises:
        ValueError: for arguments that do not fit; the message says what would.

    Exactness: every lowering computes the same operator, also at the border; results differ by
    rounding.

    Reference: "Upsample, then convolve" in docs/mathematics.md, channel by channel.

    Example:
        >>> import numpy as np
        >>> x = np.arange(8.0, dtype="float32").reshape(1, 2, 2, 2)
        >>> w = np.ones((3, 3, 2, 3), dtype="float32")
        >>> tuple(upsample_depthwise_conv(x, w, 2, padding="same").shape)
        (1, 4, 4, 6)
    """
    return convolved(
        "upsample_depthwise_conv", x, kernel, bias,
        size, interpolation, padding, data_format, dilation_rate, lowering,
    )  # fmt: skip
