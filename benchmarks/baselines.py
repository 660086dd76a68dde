"""The fairest peers of nearest + conv: the same computation as whoever wants it fast writes it.

Beside Keras' layers as everyone uses them: channels first, compiled, and without Keras, by the
functions of the backend itself. Timed in turns with Keras' layers and ours by peers.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras.layers import Conv2D, UpSampling2D

from polyphase.timing import Run, forward, gradient
from polyphase.workbench.bench import Case, layer_function, layer_model

Compute = Callable[..., Any]
Axes = Sequence[int]
LAST, FIRST = (0, 1, 2, 3), (0, 3, 1, 2)


@dataclass(frozen=True)
class Peer:
    """One way of computing nearest upsampling and a "same" convolution with an odd kernel.

    Attributes:
        name: of the contender.
        make: of the case and `(size, filters, k)`, the function of image, kernel and bias.
        image: order of the axes of its image, of `(batch, height, width, channels)`.
        kernel: order of the axes of its kernel, of `(k, k, c_in, c_out)`.
    """

    name: str
    make: Callable[[Case, int, int, int], Compute]
    image: Axes = LAST
    kernel: Axes = LAST


def others(case: Case, typical: bool) -> dict[str, dict[str, Run]]:
    """Return mode -> name -> call of every peer; what compiles for long for typical cases only."""
    upsample, convolution = case.keras()
    size, filters, k = upsample.size[0], convolution.filters, convolution.kernel_size[0]
    noise = np.random.default_rng(0).standard_normal
    image, kernel = noise(case.shape), noise((k, k, case.shape[3], filters))
    runs: dict[str, dict[str, Run]] = {"forward": {}, "training": {}}
    for peer in _PEERS[keras.backend.backend()]:
        if "compile" in peer.name and not typical:
            continue
        compute = peer.make(case, size, filters, k)
        arrays = [
            np.ascontiguousarray(image.transpose(peer.image), "float32"),
            np.ascontiguousarray(kernel.transpose(peer.kernel) / k, "float32"),
            np.zeros(filters, "float32"),
        ]
        runs["forward"][peer.name] = forward(compute, arrays)
        runs["training"][peer.name] = gradient(compute, arrays)
    return runs


def _keras_channels_first(case: Case, size: int, filters: int, k: int) -> Compute:
    batch, height, width, channels = case.shape
    one = {"data_format": "channels_first"}
    layers = [UpSampling2D(size, **one), Conv2D(filters, k, padding="same", **one)]
    return layer_function(layer_model((batch, channels, height, width), layers))


def _keras_jit(case: Case, size: int, filters: int, k: int) -> Compute:
    return _jit(layer_function(layer_model(case.shape, case.keras())))


def _keras_jit_channels_first(case: Case, size: int, filters: int, k: int) -> Compute:
    """Without `jit_compile` TensorFlow cannot convolve channels first on a CPU."""
    return _jit(_keras_channels_first(case, size, filters, k))


def _jit(compute: Compute) -> Compute:
    import tensorflow as tf

    compiled: Compute = tf.function(compute, jit_compile=True)
    return compiled


def _plain_jax(case: Case, size: int, filters: int, k: int) -> Compute:
    import jax

    def compute(x: Any, kernel: Any, bias: Any) -> Any:
        large = x.repeat(size, axis=1).repeat(size, axis=2)
        return bias + jax.lax.conv_general_dilated(
            large, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    return compute


def _plain_tensorflow(case: Case, size: int, filters: int, k: int) -> Compute:
    import tensorflow as tf

    sides = [size * side for side in case.shape[1:3]]

    def compute(x: Any, kernel: Any, bias: Any) -> Any:
        large = tf.image.resize(x, sides, "nearest")
        return tf.nn.bias_add(tf.nn.conv2d(large, kernel, 1, "SAME"), bias)

    return compute


def _plain_torch(case: Case, size: int, filters: int, k: int) -> Compute:
    from torch.nn.functional import conv2d, interpolate

    return lambda x, kernel, bias: conv2d(
        interpolate(x, scale_factor=size), kernel, bias, padding=k // 2
    )


def _channels_last(case: Case, size: int, filters: int, k: int) -> Compute:
    """Arrays lie channels last in memory, and PyTorch sees them channels first."""
    compute = _plain_torch(case, size, filters, k)
    return lambda x, kernel, bias: compute(x.permute(0, 3, 1, 2), kernel.permute(0, 3, 1, 2), bias)


def _torch_compile(case: Case, size: int, filters: int, k: int) -> Compute:
    import torch

    compute: Compute = torch.compile(_channels_last(case, size, filters, k), dynamic=False)
    return compute


_OIHW, _OHWI = (3, 2, 0, 1), (3, 0, 1, 2)
_PEERS = {
    "jax": (
        Peer("Keras, channels first", _keras_channels_first, FIRST),
        Peer("plain JAX", _plain_jax),
    ),
    "tensorflow": (
        Peer("Keras, jit_compile", _keras_jit),
        Peer("Keras, jit_compile, channels first", _keras_jit_channels_first, FIRST),
        Peer("plain TensorFlow", _plain_tensorflow),
    ),
    "torch": (
        Peer("Keras, channels first", _keras_channels_first, FIRST),
        Peer("plain PyTorch", _plain_torch, FIRST, _OIHW),
        Peer("plain PyTorch, channels last", _channels_last, LAST, _OHWI),
        Peer("plain PyTorch, torch.compile", _torch_compile, LAST, _OHWI),
    ),
}
