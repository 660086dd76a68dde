"""Time every lowering of every operation on the backend in use: what choice.py's rows rest on.

    KERAS_BACKEND=jax python benchmarks/lowerings.py

Writes benchmarks/results/lowerings-BACKEND.json: medians of alternating runs after warm-up, in
milliseconds, forward and training step (gradients of the sum of squares with respect to image
and kernel). On a shared machine trust ratios within a case, not times.
"""

import functools
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np

import polyphase as pp

ROUNDS = 8

# (batch, height, width, c_in, c_out), of measurements.md
SHAPES = ((8, 32, 32, 64, 64), (64, 7, 7, 128, 64), (64, 5, 5, 128, 1), (25, 14, 14, 8, 8))


def cases() -> dict[str, tuple[tuple[str, ...], Callable[..., Any], list[np.ndarray]]]:
    """Return name -> (lowerings, operation, arrays)."""
    generator = np.random.default_rng(0)
    found = {}
    for batch, height, width, c_in, c_out in SHAPES:
        shape = f"{batch}x{height}x{width}x{c_in}->{c_out}"
        x = generator.standard_normal((batch, height, width, c_in), dtype="float32")
        w = generator.standard_normal((3, 3, c_in, c_out), dtype="float32")
        found[f"upsample_conv nearest x2 k3 {shape}"] = (
            ("direct", "phases", "transpose"),
            lambda x, w, lowering: pp.ops.upsample_conv(x, w, 2, padding="same", lowering=lowering),
            [x, w],
        )
        for k in (3, 4):
            w = generator.standard_normal((k, k, c_out, c_in), dtype="float32")
            found[f"conv_transpose s2 k{k} {shape}"] = (
                ("direct", "phases"),
                lambda x, w, lowering: pp.ops.conv_transpose(x, w, 2, "same", lowering=lowering),
                [x, w],
            )
    for shape in ((8, 64, 64, 64), (1, 256, 256, 16), (25, 7, 7, 8)):
        x = generator.standard_normal(shape, dtype="float32")
        for interpolation in ("nearest", "bilinear", "lanczos3"):
            found[f"upsample {interpolation} x2 {'x'.join(map(str, shape))}"] = (
                ("direct", "phases"),
                lambda x, lowering, interpolation=interpolation: pp.ops.upsample(
                    x, 2, interpolation, lowering=lowering
                ),
                [x],
            )
    return found


def compiled(function: Callable[..., Any], arrays: list[np.ndarray], training: bool) -> Callable:
    """Return a call without arguments that runs `function` (and its gradient) and waits."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        tensors = [jax.numpy.asarray(a) for a in arrays]
        run = jax.jit(
            jax.grad(lambda *t: (function(*t) ** 2).sum(), argnums=tuple(range(len(tensors))))
            if training
            else function
        )
        return lambda: jax.block_until_ready(run(*tensors))
    if backend == "tensorflow":
        import tensorflow as tf

        variables = [tf.Variable(a) for a in arrays]

        @tf.function
        def step() -> Any:
            if not training:
                return function(*variables)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(function(*variables) ** 2)
            return tape.gradient(loss, variables)

        return step
    import torch

    tensors = [torch.tensor(a, requires_grad=training) for a in arrays]

    def step() -> Any:
        if not training:
            with torch.no_grad():
                return function(*tensors)
        return torch.autograd.grad((function(*tensors) ** 2).sum(), tensors)

    return step


def measure(runs: dict[str, Callable]) -> dict[str, float]:
    """Return the median milliseconds of each, run in turns after two warm-up rounds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(ROUNDS + 2):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if round_ >= 2:
                times[name].append(1e3 * (time.perf_counter() - began))
    return {name: round(float(np.median(values)), 4) for name, values in times.items()}


def main() -> None:
    """Measure all cases and write the file."""
    results: dict[str, Any] = {}
    for name, (lowerings, operation, arrays) in cases().items():
        results[name] = {}
        for mode in ("forward", "training"):
            runs = {
                lowering: compiled(
                    functools.partial(operation, lowering=lowering),
                    arrays,
                    training=mode == "training",
                )
                for lowering in lowerings
            }
            results[name][mode] = measure(runs)
        print(name, results[name], flush=True)
    backend = keras.backend.backend()
    content = {
        "backend": backend,
        "unit": "ms, median",
        "rounds": ROUNDS,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "cpus": os.cpu_count(), "processor": _processor(), "platform": platform.platform(),
        },
        "versions": {"keras": keras.__version__, backend: _version(backend)},
        "cases": results,
    }  # fmt: skip
    path = Path(__file__).parent / "results" / f"lowerings-{backend}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(path)


def _version(backend: str) -> str:
    return metadata.version(metadata.packages_distributions()[backend][0])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
