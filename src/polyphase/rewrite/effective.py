"""The kernels that a convolution computes with, which its weights may not be alone."""

from typing import Any

import keras
import numpy as np

from polyphase.layers import kinds

Weights = list[np.ndarray]

# What a convolution's configuration says of LoRA: an addition to its kernel, of low rank.
LORA = ("lora_rank", "lora_alpha")


def effective(layer: Any) -> tuple[Weights, Weights]:
    """Return the kernels of a convolution, LoRA's additions within, and its bias if it has one.

    The weights of an activation that is a layer, and LoRA's own, are not among them.
    """
    biases = (layer.bias,) if layer.use_bias else ()
    return [_numpy(one) for one in kinds.kernels(layer)], [_numpy(one) for one in biases]


def set_first(layer: keras.Layer, weights: Weights) -> None:
    """Set a layer's first weights: kernels and bias, but not those of its activation."""
    layer.set_weights([*weights, *layer.get_weights()[len(weights) :]])


def _numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))
