"""Measure the rounding error of every lowering, next to that of `direct` in the same precision.

    KERAS_BACKEND=jax python benchmarks/precision.py

Writes benchmarks/results/precision-BACKEND.json. The truth is `reference` in float64 on the same,
already rounded arrays. An error is the root mean square of the difference, relative to the root
mean square of the truth. `auto` in float32 takes only what stays within 4 times direct's error.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp

LOWERINGS = {
    "upsample_conv": ("direct", "phases", "transpose", "difference", "patches"),
    "upsample_conv, linear": ("direct", "patches", "blur"),
    "upsample_conv, cubic": ("direct", "patches", "blur"),
    "conv_transpose": ("direct", "phases", "patches"),
    "upsample": ("direct", "phases", "native"),
}
NATIVE = {"tensorflow": (2,), "torch": (1, 2, 3)}  # of which ranks a backend resizes
SIDES = {1: (192,), 2: (16, 12), 3: (8, 6, 4)}
DTYPES = ("float32", "float16", "bfloat16")
CHANNELS = 64


def images(rank: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield random and adversarial images by name, `(4, *SIDES[rank], CHANNELS)`."""
    noise = np.random.default_rng(0).standard_normal((4, *SIDES[rank], CHANNELS))
    yield "noise", noise
    yield "noise on an offset of 100", 100 + noise
    checks = 1 - 2 * (np.indices(SIDES[rank]).sum(0) % 2)
    yield "alternating signs", (1 + 0.01 * noise) * checks[..., None]


def kernels(rank: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield random kernels, 3 taps an axis; the taps of one nearly cancel."""
    noise = np.random.default_rng(1).standard_normal((3,) * rank + (CHANNELS, CHANNELS))
    yield "noise", noise
    yield "sum 0", noise - noise.mean(axis=tuple(range(rank)))


def error(operation: str, lowering: str, x: np.ndarray, w: np.ndarray, dtype: str) -> float:
    """Return the relative error of one lowering in one precision."""
    x, w = (_rounded(array, dtype) for array in (x, w))
    with _double():
        truth = _numpy(_compute(operation, "reference", x, w, "float64"))
    actual = _numpy(_compute(operation, lowering, x, w, dtype))
    return float(np.sqrt(np.mean((actual - truth) ** 2) / np.mean(truth**2)))


def _compute(operation: str, lowering: str, x: np.ndarray, w: np.ndarray, dtype: str) -> Any:
    x, w = (keras.ops.convert_to_tensor(array, dtype) for array in (x, w))
    if operation == "upsample":
        return pp.ops.upsample(x, 2, "linear", lowering=lowering)
    if operation == "conv_transpose":
        return pp.ops.conv_transpose(x, w, 2, "same", lowering=lowering)
    interpolation = operation.partition(", ")[2] or "nearest"
    return pp.ops.upsample_conv(x, w, 2, interpolation, padding="same", lowering=lowering)


def _rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    return _numpy(keras.ops.cast(keras.ops.convert_to_tensor(array, "float32"), dtype))


def _numpy(tensor: Any) -> np.ndarray:
    if keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16"):
        tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype="float64")


def _double() -> Any:
    """Return the context in which float64 exists: JAX has it only when asked."""
    import contextlib

    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def records() -> Iterator[dict[str, Any]]:
    """Yield the errors of every lowering for every operation, rank, dtype, image and kernel."""
    backend = keras.backend.backend()
    for (operation, lowerings), rank, dtype in itertools.product(LOWERINGS.items(), SIDES, DTYPES):
        ways = [way for way in lowerings if way != "native" or rank in NATIVE.get(backend, ())]
        weights = kernels(rank) if operation != "upsample" else [("-", np.zeros(1))]
        for (image, x), (kernel, w) in itertools.product(images(rank), weights):
            errors = {way: error(operation, way, x, w, dtype) for way in ways}
            yield {
                "operation": operation,
                "rank": rank,
                "dtype": dtype,
                "image": image,
                "kernel": kernel,
                "errors": errors,
            }


def main() -> None:
    """Measure and write the file."""
    rows = []
    for record in records():
        rows.append(record)
        print(record, flush=True)
    results_file.write("precision", rows=rows)


if __name__ == "__main__":
    main()
