"""Constraints that keep upsampling layers free of checkerboards while they are trained."""

from typing import Any

import keras
from keras import ops

from polyphase.algebra.checkerboard import overlap_counts
from polyphase.ops import arguments, axes


@keras.saving.register_keras_serializable(package="polyphase")
class EvenPhases(keras.constraints.Constraint):
    """Keep the taps of a transposed convolution at the same sum in every phase: chi = 0.

    After every step of the optimiser, the kernel is replaced by the nearest one that turns a
    constant into a constant (least squares; the mean gain is kept).

    Args:
        strides: the layer's strides, an int or one per axis, at least 1.

    Call with a kernel `(*kernel_size, c_out, c_in)` of a floating dtype; returns a tensor of that
    shape and dtype.

    Raises:
        ValueError: for a kernel smaller than the stride, where a phase has no tap.

    Exactness: chi is 0 up to rounding, about 1e-7 in float32.

    Reference: "Checkerboards" in docs/mathematics.md; `polyphase.algebra.checkerboard.repair`.

    Example:
        >>> kernel = EvenPhases(2)(ops.ones((3, 3, 1, 1)))
        >>> gains = [float(ops.sum(kernel[p::2, q::2])) for p in range(2) for q in range(2)]
        >>> gains
        [2.25, 2.25, 2.25, 2.25]
    """

    def __init__(self, strides: Any) -> None:
        self.strides = arguments.of_any_rank(strides, "strides")

    def __call__(self, w: Any) -> Any:
        """Return the nearest kernel with even phases."""
        taps = tuple(w.shape[:-2])
        strides = arguments.integers(self.strides, "strides", len(taps))
        counts = overlap_counts(taps, strides)
        if counts.min() == 0:
            raise ValueError(
                "EvenPhases needs a kernel at least as large as the stride. Received: kernel size "
                f"{taps}, strides {self.strides}. Use a larger kernel, or upsampling and a "
                "convolution."
            )
        gains = axes.phase_sums(w, strides)
        change = ops.mean(gains, axis=tuple(range(len(taps))), keepdims=True) - gains
        change = change / ops.cast(counts[..., None, None], w.dtype)
        cells = [-(-k // s) for k, s in zip(taps, strides, strict=True)]
        return w + ops.tile(change, (*cells, 1, 1))[tuple(map(slice, taps))]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"strides": self.strides}
