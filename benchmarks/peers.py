"""The full benchmark: our layers beside Keras' own and other peers on the backend in use.

    KERAS_BACKEND=jax python benchmarks/peers.py

Writes benchmarks/results/peers-BACKEND.json, from which docs/performance.md is rendered.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import baselines
import keras
import numpy as np
import results_file
from models import MODELS

from polyphase import layers as polyphase_layers
from polyphase.timing import alternate
from polyphase.workbench.bench import (
    Case,
    measure,
    resize_convolution,
    transposed_convolution,
    upsampling,
)

# (batch, height, width, c_in), c_out: what most decoders have between their first and last layer
TYPICAL = (
    ((1, 64, 64, 256), 256),
    ((4, 32, 32, 128), 128),
    ((8, 32, 32, 64), 64),
    ((4, 48, 40, 96), 48),
    ((4, 64, 64, 64), 32),
    ((1, 64, 64, 256), 128),
    ((2, 24, 24, 128), 128),
    ((1, 72, 72, 32), 32),
)
MIDDLE = ((8, 16, 16, 64), 64)
SMALL = (MIDDLE, ((64, 7, 7, 128), 64))
FEW_CHANNELS = (((64, 5, 5, 128), 1), ((25, 14, 14, 8), 8))
SIDES = (
    (64, 16, 16, 16),
    (16, 64, 64, 16),
    (1, 256, 256, 16),
    (1, 512, 512, 3),
    (1, 1024, 1024, 3),
)
SECONDS = 0.7
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def convolutions() -> Iterator[tuple[str, Case]]:
    """Yield every case of upsampling + conv with its kind."""
    kinds = (("typical", TYPICAL), ("small", SMALL), ("few channels", FEW_CHANNELS))
    for interpolation, (kind, shapes) in itertools.product(INTERPOLATIONS[:3], kinds):
        for image, filters in shapes:
            yield kind, resize_convolution(image, filters, interpolation=interpolation)
    for size, k in ((2, 5), (3, 3), (3, 5), (4, 3), (4, 5)):
        yield "larger", resize_convolution(*MIDDLE, size=size, k=k)


def cases() -> Iterator[Case]:
    """Yield every other case of layers."""
    for strides in (2, 3, 4):
        for k in (2, 3, 4, 5):
            yield transposed_convolution(*MIDDLE, strides=strides, k=k)
    for k in (3, 4):
        yield transposed_convolution((8, 32, 32, 64), 64, strides=2, k=k)
        yield transposed_convolution((64, 7, 7, 128), 64, strides=2, k=k)
        yield transposed_convolution((25, 14, 14, 8), 8, strides=2, k=k)
    for image in SIDES:
        for interpolation in INTERPOLATIONS:
            if keras.backend.backend() != "torch" or not interpolation.startswith("lanczos"):
                yield upsampling(image, interpolation)


def measure_model(build: Callable[[Any], keras.Model], batch: int) -> dict[str, Any]:
    """Return the times of predict_on_batch and train_on_batch, Keras' layers and ours in turns."""
    theirs, ours = build(keras.layers), build(polyphase_layers)
    ours.set_weights(theirs.get_weights())
    generator = np.random.default_rng(0)
    x = [generator.standard_normal((batch, *tensor.shape[1:]), "float32") for tensor in ours.inputs]
    y = generator.random((batch, *ours.output_shape[1:]), "float32")
    x = x if len(x) > 1 else x[0]
    contenders = {"keras": theirs, "ours": ours}
    expected, actual = (model.predict_on_batch(x) for model in (theirs, ours))
    for model in contenders.values():
        model.compile(optimizer="adam", loss="mean_squared_error")
    return {
        "difference": float(np.abs(actual - expected).max() / np.abs(expected).max()),
        "forward": _times({n: lambda m=m: m.predict_on_batch(x) for n, m in contenders.items()}),
        "training": _times({n: lambda m=m: m.train_on_batch(x, y) for n, m in contenders.items()}),
    }


def _times(runs: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    return {name: asdict(times) for name, times in alternate(runs, 2).items()}


def main() -> None:
    """Measure everything and write the file."""
    results = []
    for kind, case in convolutions():
        nearest = case.group == "nearest + conv"
        peers = baselines.others(case, kind == "typical") if nearest else {}
        results.append({"kind": kind, **measure(case, SECONDS, peers).record()})
        _say(results[-1])
    for case in cases():
        results.append(measure(case, SECONDS).record())
        _say(results[-1])
    for name, (build, batch) in MODELS.items():
        record = {"group": "model", "name": name, **measure_model(build, batch)}
        results.append(record)
        _say(record)
    results_file.write("peers", unit="ms", results=results)


def _say(record: dict[str, Any]) -> None:
    """Print one line: ratios, Keras divided by ours."""
    ratios = [
        record[mode]["keras"]["median"] / record[mode]["ours"]["median"]
        for mode in ("forward", "training")
    ]
    print(record["group"], record["name"], [round(ratio, 2) for ratio in ratios], flush=True)


if __name__ == "__main__":
    main()
