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

    Per axis, `y[n] = sum_j phi(c(n)-j) x[j] / sum_j phi(c(n)-j)`, where
    `c(n) = (n + 1/2) / scale - 1/2`, `scale` is output side / input side, and both sums run over
    the pixels inside the image.

    Args:
        x: `(batch, *space, channels)` with 1, 2 or 3 spatial axes, or channels first. Floats keep
            their dtype (half precision is summed in float32). Integers keep theirs with nearest
            and become Keras' float type otherwise. An empty batch gives an empty result.
        size: a number of at least 1, or one per axis. The output side is `floor(side * size)`. A
            float stands for the ratio of integers that rounds to it: by `120 / 88`, 88 pixels
            become 120. Default: 2, unless there is an `output_size`.
        interpolation: "nearest", "linear", "cubic" (`keys(a=-0.5)`), "mitchell", "lanczos3" or
            "lanczos5"; also "bilinear" and "bicubic" for images, "trilinear" and "tricubic" for
            volumes.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: "auto", "reference", "direct", "phases" (for integer factors) or "native" (the
            function of TensorFlow or PyTorch, where it is exact: in float32, for sizes that are
            powers of two up to 512, or integers for nearest, and output sides up to 2^22 pixels).
        output_size: the output's sides, instead of `size`: an int or one per axis, at least as
            large as the image's. A side that is known only when the model runs may be an integer
            scalar tensor.
        align_corners: use `c(n) = n (side - 1) / (output side - 1)` instead, so that the centres of
            the corner pixels of input and output coincide, as in some saved models; not for
            nearest. It is computed by "direct" or "reference".

    Returns:
        `(batch, *floor(space * size), channels)`, or with the sides of `output_size`.

    Raises:
        ValueError: for a wrong rank, a size below 1, an output size below the image's, `size` and
            `output_size` together, an unknown name, or aligned corners with nearest.

    Exactness: nearest copies bit for bit. In float32 the others are within 1e-6 of the float64
    formula, relative to the input's largest value, on every backend.

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
            "`size` (a factor) and `output_size` (the output's sides) exclude each other. "
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
