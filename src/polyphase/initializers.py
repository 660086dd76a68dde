"""Initial weights that suit upsampling layers."""

from typing import Any

import keras

from polyphase.ops import arguments


@keras.saving.register_keras_serializable(package="polyphase")
class ICNR(keras.initializers.Initializer):
    """Start a sub-pixel convolution as a convolution followed by nearest upsampling.

    All `s_h * s_w` phases get the same kernel, so there is no checkerboard at the start.

    Args:
        size: the layer's factor, an int or two, at least 1.
        initializer: what draws the kernel of one phase; default "glorot_uniform".

    Call with the shape `(k_h, k_w, c_in, s_h * s_w * c_out)`; returns a tensor of that shape.

    Raises:
        ValueError: if the last axis does not divide by the number of phases.

    Reference: Aitken et al., arXiv 1707.02937.

    Example:
        >>> kernel = keras.ops.convert_to_numpy(ICNR(2)((3, 3, 8, 16)))
        >>> bool((kernel[..., :4] == kernel[..., 4:8]).all())
        True
    """

    def __init__(self, size: Any = 2, initializer: Any = "glorot_uniform") -> None:
        self.size = arguments.pair(size, "size")
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the kernel: one phase's, repeated along the last axis."""
        phases = self.size[0] * self.size[1]
        if shape[-1] % phases:
            raise ValueError(
                f"ICNR for size {self.size} needs a last axis divisible by {phases}. "
                f"Received: shape {tuple(shape)}."
            )
        one = self.initializer((*shape[:-1], shape[-1] // phases), dtype=dtype)
        return keras.ops.tile(one, (1, 1, 1, phases))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "size": self.size,
            "initializer": keras.saving.serialize_keras_object(self.initializer),
        }
