"""Fair times: contenders run in turns in one process, after warm-up; medians and spreads."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.ops import device

Run = Callable[[], Any]
_DOUBT = 0.01  # probability with which what is as fast would be told apart


@dataclass(frozen=True)
class Times:
    """What one contender took.

    Attributes:
        median: milliseconds per call.
        low: the quarter of the rounds were faster, milliseconds.
        high: the quarter of the rounds were slower, milliseconds.
    """

    median: float
    low: float
    high: float


def alternate(runs: Mapping[str, Run], seconds: float = 1.0) -> dict[str, Times]:
    """Time callables in turns, so that a slow moment of the machine meets all of them.

    1. Two calls each, to compile and to warm up.
    2. Short calls are repeated until a sample takes at least 2 ms.
    3. Rounds of one sample each, for `seconds` in all, at least 3 of them, at most 100; every
       second round runs backwards.

    Args:
        runs: name -> a call that returns when its work is done.
        seconds: to spend after the warm-up.

    Returns:
        name -> its `Times`.
    """
    return {name: summary(values) for name, values in rounds(runs, seconds).items()}


def summary(values: Sequence[float]) -> Times:
    """Return the median and the quarters of milliseconds."""
    return Times(*(round(float(v), 4) for v in np.quantile(values, (0.5, 0.25, 0.75))))


def rounds(runs: Mapping[str, Run], seconds: float = 1.0) -> dict[str, list[float]]:
    """Return what `alternate` sums up: name -> milliseconds per call, round by round."""
    repeats = {}
    for name, run in runs.items():
        run()
        began = time.perf_counter()
        run()
        repeats[name] = max(1, round(2e-3 / (time.perf_counter() - began)))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    number = 0
    while number < 3 or (time.perf_counter() < end and number < 100):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            began = time.perf_counter()
            for _ in range(repeats[name]):
                runs[name]()
            samples[name].append(1e3 * (time.perf_counter() - began) / repeats[name])
        number += 1
    return samples


def surely_less(new: Sequence[float], old: Sequence[float]) -> bool:
    """Return whether numbers are less than others, pair by pair, beyond doubt.

    A sign test: with equal chances of both, so many pairs are in order with a probability of 1%.

    Example:
        >>> surely_less([1.0] * 8, [1.1] * 8), surely_less([1.0, 1.2] * 4, [1.1] * 8)
        (True, False)
    """
    count = len(new)
    wins = sum(one < other for one, other in zip(new, old, strict=True))
    chance = sum(math.comb(count, k) for k in range(wins, count + 1)) / 2**count
    return chance < _DOUBT


def forward(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    """Return a call that computes `function(*arrays)`, compiled as the backend in use compiles."""
    return _FORWARD[keras.backend.backend()](function, arrays)


def gradient(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    """Return a call that computes the result and the gradients with respect to all arrays.

    The gradient comes from an array of noise, as from a layer behind: a compiler can neither
    leave out the forward pass nor simplify the gradient.
    """
    return _GRADIENT[keras.backend.backend()](function, arrays)


def _jax_forward(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import jax

    tensors = [jax.numpy.asarray(array) for array in arrays]
    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*tensors))


def _jax_gradient(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import jax

    def step(noise: Any, *tensors: Any) -> Any:
        y, pull = jax.vjp(function, *tensors)
        return y, pull(noise)

    shape = jax.eval_shape(function, *arrays).shape
    return _jax_forward(step, [_noise(shape), *arrays])


def _tensorflow_forward(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import tensorflow as tf

    variables = [tf.Variable(array) for array in arrays]
    compiled = tf.function(lambda: function(*(v.value() for v in variables)))
    wait = device.in_use("tensorflow") == "gpu"

    def run() -> Any:
        y = compiled()
        if wait:
            tf.test.experimental.sync_devices()
        return y

    return run


def _tensorflow_gradient(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import tensorflow as tf

    def step(noise: Any, *tensors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
        return y, tape.gradient(y, tensors, output_gradients=noise)

    return _tensorflow_forward(step, [_noise(tuple(function(*arrays).shape)), *arrays])


def _torch_forward(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import torch

    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]

    def run() -> Any:
        with torch.no_grad():
            y = function(*tensors)
        _torch_wait()
        return y

    return run


def _torch_gradient(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Run:
    import torch

    tensors = [keras.ops.convert_to_tensor(array).requires_grad_() for array in arrays]
    noise = keras.ops.convert_to_tensor(_noise(tuple(function(*tensors).shape)))

    def run() -> Any:
        y = function(*tensors)
        gradients = torch.autograd.grad(y, tensors, noise, allow_unused=True)
        _torch_wait()
        return y, gradients

    return run


def _torch_wait() -> None:
    """Wait for a GPU, which computes while Python goes on."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype="float32")


_FORWARD = {"jax": _jax_forward, "tensorflow": _tensorflow_forward, "torch": _torch_forward}
_GRADIENT = {"jax": _jax_gradient, "tensorflow": _tensorflow_gradient, "torch": _torch_gradient}
