"""Resize images by a factor: every interpolation, every backend, the same numbers."""

from typing import Any

import keras
from keras import ops

from polyphase.algebra import kernels
from polyphase.ops import arguments, axes, choice
from polyphase.ops.plans import Upsampling

Tensor = Any


def upsample(
    x: Tensor,
    size: Any = 2,
    interpolation: str = "nearest",
    data_format: str | None = None,
    lowering: str = "auto",
) -> Tensor:
    """Upsample images by a factor, with half-pixel centres and renormalised edges.

    `y[n] = sum_j phi(c(n)-j) x[j] / sum_j phi(c(n)-j)`, `c(n) = (n + 1/2) / scale - 1/2`,
    `scale` = output side / input side, both sums inside the image; per axis.

    Args:
        x: `(batch, height, width, channels)`, or channels first. Floats keep their dtype (half
            precision is summed in float32); integers are kept by nearest and become Keras'
            float type otherwise.
        size: a number of at least 1, or two, `(height, width)`. The output side is
            `floor(side * size)`.
        interpolation: "nearest", "bilinear", "bicubic" (`keys(a=-0.5)`), "mitchell",
            "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        lowering: "auto", "reference", "direct", "phases" (integer factors) or "native" (what
            TensorFlow and PyTorch compute exactly: in float32, by powers of two up to 512;
            nearest by integers).

    Returns:
        `(batch, floor(height * size), floor(width * size), channels)`.

    Raises:
        ValueError: for a wrong rank, a size below 1, an unknown name.

    Exactness: nearest copies bit for bit; the others are within 1e-6 of the float64 formula
    relative to the input's largest value in float32, on every backend.

    Reference: mathematics, section 2.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 3.0]]).reshape(1, 1, 2, 1)
        >>> np.array(upsample(x, (1, 2), "bilinear")).ravel().tolist()
        [1.0, 1.5, 2.5, 3.0]
    """
    x = arguments.tensor(x, "upsample")
    sizes = arguments.size_pair(size)
    interpolation = arguments.one_of(interpolation, "interpolation", tuple(kernels.KERNELS))
    plan = Upsampling(arguments.data_format(data_format), sizes, interpolation)
    return resample(x, plan, lowering)


def resample(x: Tensor, plan: Upsampling, lowering: str = "auto") -> Tensor:
    """Upsample by a plan, and sum half precision in float32."""
    dtype = computed = keras.backend.standardize_dtype(x.dtype)
    if plan.interpolation != "nearest":
        dtype = dtype if "float" in dtype else keras.config.floatx()
        computed = "float64" if dtype == "float64" else "float32"
        x = ops.cast(x, computed)
    way = choice.function(
        "upsample",
        lowering,
        interpolation=plan.interpolation,
        plain=plan.integer,
        dyadic=plan.dyadic,
        channels=x.shape[axes.channel(plan.data_format)] or 0,
        dtype=computed,
    )
    return ops.cast(way(x, plan), dtype)
