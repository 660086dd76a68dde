"""Resize by a factor: every interpolation, every backend, the same numbers."""

from dataclasses import replace
from typing import Any

import keras
from keras import ops

from polyphase.ops import arguments, axes, choice, layout
from polyphase.ops.plans import Upsampling
from polyphase.ops.traces import opaque

Tensor = Any


def upsample(
    x: Tensor,
    size: Any = ...,
    interpolation: str = "nearest",
    data_format: str | None = None,
    lowering: str = "auto",
    output_size: Any = None,
    align_corners: bool = False,
) -> Tensor:
    """Upsample by a factor or to a size, with half-pixel centres and renormalised edges.

    `y[n] = sum_j phi(c(n)-j) x[j] / sum_j phi(c(n)-j)`, `c(n) = (n + 1/2) / scale - 1/2`,
    `scale` = output side / input side, both sums inside the image; per axis.

    Args:
        x: `(batch, *space, channels)`, of 1, 2 or 3 axes in space, or channels first. Floats keep
            their dtype (half precision is summed in float32); integers are kept by nearest and
            become Keras' float type otherwise. The batch may be empty: so is the result.
        size: a number of at least 1, or one per axis. The output side is
            `floor(side * size)`; a float stands for the ratio of integers that rounds to it:
            88 pixels by `120 / 88` are 120. Default: 2, unless there is an `output_size`.
        interpolation: "nearest", "linear", "cubic" (`keys(a=-0.5)`), "mitchell", "lanczos3" or
            "lanczos5"; also "bilinear" and "bicubic" of images, "trilinear" and "tricubic" of
            volumes.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: "auto", "reference", "direct", "phases" (integer factors) or "native" (what
            TensorFlow and PyTorch compute exactly: in float32, by powers of two up to 512;
            nearest by integers; output sides up to 2^22 pixels).
        output_size: in place of `size`: the output's sides, an int or one per axis, at least the
            image's. Integer scalar tensors where a side is known only when run.
        align_corners: `c(n) = n (side - 1) / (output side - 1)` instead: the centres of corner
            pixels lie on each other, as some saved models have it; not of nearest. Computed by
            "direct" or "reference".

    Returns:
        `(batch, *floor(space * size), channels)`, or the output size.

    Raises:
        ValueError: for a wrong rank, a size below 1, an output size below the image's, both of
            them, an unknown name, aligned corners of nearest.

    Exactness: nearest copies bit for bit; the others are within 1e-6 of the float64 formula
    relative to the input's largest value in float32, on every backend.

    Reference: "Resampling" in docs/mathematics.md.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 3.0]]).reshape(1, 1, 2, 1)
        >>> np.array(upsample(x, (1, 2), "bilinear")).ravel().tolist()
        [1.0, 1.5, 2.5, 3.0]
        >>> np.array(upsample(x, output_size=(1, 3))).ravel().tolist()
        [1.0, 3.0, 3.0]
    """
    x = arguments.tensor(x, "upsample")
    if output_size is None:
        size = arguments.sizes(2 if size is ... else size, len(x.shape) - 2)
    elif size is not ...:
        raise ValueError(
            "`size` and `output_size` exclude each other: a factor, or the output's sides. "
            f"Received: size={size!r}, output_size={output_size!r}. Leave one of them out."
        )
    return _upsample(x, size, interpolation, data_format, lowering, output_size, align_corners)


@opaque
def _upsample(
    x: Tensor,
    size: Any,
    interpolation: str,
    data_format: str | None,
    lowering: str,
    output: Any,
    align_corners: bool,
) -> Tensor:
    interpolation = arguments.interpolation(interpolation, len(x.shape) - 2)
    arguments.corners(align_corners, interpolation)
    data_format = arguments.data_format(data_format)
    planes = interpolation == "nearest" and layout.by_planes(data_format)
    image = layout.to_planes(x) if planes else layout.to_last(x, data_format)
    if output is None:
        plan = Upsampling(size, interpolation, align_corners=align_corners)
    else:
        plan = replace(_plan_to(image, output, interpolation), align_corners=align_corners)
    y = resample(image, plan, lowering)
    if planes:
        return layout.from_planes(y, ops.shape(x)[1])
    return layout.from_last(y, data_format)


def _plan_to(x: Tensor, output_size: Any, interpolation: str) -> Upsampling:
    """Return the plan of upsampling to given sides.

    Both sides of an axis known => their quotient is its size, which gives that output exactly.
    """
    output = arguments.output_size(output_size, x)
    sides = ops.shape(x)[1:-1]
    if not all(isinstance(n, int) for n in (*sides, *output)):
        return Upsampling((None,) * len(sides), interpolation, output)
    sizes = (out // n if out % n == 0 else out / n for n, out in zip(sides, output, strict=True))
    return Upsampling(tuple(sizes), interpolation)


def resample(x: Tensor, plan: Upsampling, lowering: str = "auto") -> Tensor:
    """Upsample `(n, *space, c)` by a plan, and sum half precision in float32."""
    dtype = computed = keras.backend.standardize_dtype(x.dtype)
    if plan.interpolation != "nearest":
        (x,) = arguments.promoted("upsample", x)
        dtype = keras.backend.standardize_dtype(x.dtype)
        computed = "float64" if dtype == "float64" else "float32"
        x = ops.cast(x, computed)
    if lowering == "auto" and not plan.fits_float32(x):
        lowering = "direct"
    compute = choice.function(
        "upsample",
        lowering,
        interpolation=plan.interpolation,
        rank=len(plan.sizes),
        plain=plan.integer,
        dyadic=plan.dyadic,
        channels=x.shape[-1] or 0,
        pixels=axes.pixels(x),
        dtype=computed,
    )
    return ops.cast(compute(x, plan), dtype)
