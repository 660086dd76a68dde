"""Initial weights that suit upsampling layers."""

import functools
import math
from typing import Any

import keras
import numpy as np

from polyphase.algebra.channel_order import ORDERS
from polyphase.algebra.checkerboard import overlap_counts
from polyphase.ops import arguments


@keras.saving.register_keras_serializable(package="polyphase")
class ICNR(keras.initializers.Initializer):
    """Start a sub-pixel convolution as a convolution followed by nearest upsampling.

    All phases (`s_h * s_w` for images) get the same kernel, so there is no checkerboard at the
    start.

    Args:
        size: the layer's factor, an int or one per axis, at least 1.
        initializer: what draws the kernel of one phase; default: "glorot_uniform".
        order: the layer's order of channels, along the last axis: "dcr", in which the phase varies
            slowest, or "crd", in which it varies fastest.

    Call with the shape `(*kernel_size, c_in, prod(size) * c_out)`; returns a tensor of that shape.

    Raises:
        ValueError: for an unknown order, or a last axis that is not divisible by the number of
            phases.

    Reference: Aitken et al., arXiv 1707.02937.

    Example:
        >>> kernel = keras.ops.convert_to_numpy(ICNR(2)((3, 3, 8, 16)))
        >>> bool((kernel[..., :4] == kernel[..., 4:8]).all())
        True
    """

    def __init__(
        self, size: Any = 2, initializer: Any = "glorot_uniform", order: str = "dcr"
    ) -> None:
        self.size = arguments.of_any_rank(size, "size")
        self.initializer = keras.initializers.get(initializer)
        self.order = arguments.one_of(order, "order", ORDERS)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the kernel: one phase's, for all phases, along the last axis."""
        phases = math.prod(arguments.integers(self.size, "size", max(1, len(shape) - 2)))
        if shape[-1] % phases:
            raise ValueError(
                f"ICNR with size {self.size} needs a last axis divisible by {phases}. "
                f"Received: shape {tuple(shape)}."
            )
        one = self.initializer((*shape[:-1], shape[-1] // phases), dtype=dtype)
        if self.order == "crd":
            return keras.ops.repeat(one, phases, axis=-1)
        return keras.ops.tile(one, (*[1] * (len(shape) - 1), phases))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "size": self.size,
            "order": self.order,
            "initializer": keras.saving.serialize_keras_object(self.initializer),
        }


@keras.saving.register_keras_serializable(package="polyphase")
class Linear(keras.initializers.Initializer):
    """Start a transposed convolution as linear upsampling of mixed channels.

    The taps form a triangle of half-width `strides`. Those of each phase are scaled to the sum 1,
    so there is no checkerboard at the start. Kernels of `2 s - 1` or `2 s` taps hold the whole
    triangle; smaller ones cut it, and with `s` taps the layer starts as nearest upsampling.

    Args:
        strides: the layer's strides, an int or one per axis, at least 1.
        initializer: what draws the matrix that mixes channels, called with the shape
            `(c_in, c_out)`; default: "glorot_uniform". With "identity" channels are not mixed.

    Call with the shape `(*kernel_size, c_out, c_in)`; returns a tensor of that shape.

    Raises:
        ValueError: for a kernel smaller than the stride.

    Reference: Long, Shelhamer, Darrell, arXiv 1411.4038 (with identity, for segmentation).

    Example:
        >>> kernel = Linear(2, "identity")((3, 3, 1, 1))
        >>> keras.ops.convert_to_numpy(kernel)[:, :, 0, 0]
        array([[0.25, 0.5 , 0.25],
               [0.5 , 1.  , 0.5 ],
               [0.25, 0.5 , 0.25]], dtype=float32)
    """

    def __init__(self, strides: Any = 2, initializer: Any = "glorot_uniform") -> None:
        self.strides = arguments.of_any_rank(strides, "strides")
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the kernel: taps times mixing matrix."""
        *kernel_size, c_out, c_in = shape
        strides = arguments.integers(self.strides, "strides", len(kernel_size))
        if overlap_counts(kernel_size, strides).min() == 0:
            raise ValueError(
                f"{type(self).__name__} with strides {self.strides} needs a kernel at least as "
                f"large as the strides. Received: shape {tuple(shape)}."
            )
        taps = functools.reduce(np.multiply.outer, map(_triangle, kernel_size, strides))
        mixing = self.initializer((c_in, c_out), dtype=dtype)
        taps = keras.ops.cast(taps[..., None, None], mixing.dtype)
        return taps * keras.ops.transpose(mixing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "strides": self.strides,
            "initializer": keras.saving.serialize_keras_object(self.initializer),
        }


@keras.saving.register_keras_serializable(package="polyphase")
class Bilinear(Linear):
    """Another name of `Linear`, for images."""


def _triangle(k: int, s: int) -> np.ndarray:
    """Return `k` taps of a triangle of half-width `s`, the sum of every phase 1."""
    distance = np.abs(np.arange(k) - (k - 1) / 2)
    taps = np.maximum(1 - distance / s, 0)
    for phase in range(s):
        taps[phase::s] /= taps[phase::s].sum()
    return taps
