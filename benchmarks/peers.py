"""The full benchmark: our layers beside Keras' own on the backend in use, and plain PyTorch.

    KERAS_BACKEND=jax python benchmarks/peers.py

Writes benchmarks/results/peers-BACKEND.json, from which docs/performance.md is rendered.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import results_file
from models import MODELS

from polyphase import layers as polyphase_layers
from polyphase.workbench.bench import (
    Case,
    measure,
    resize_convolution,
    transposed_convolution,
    upsampling,
)
from polyphase.workbench.timing import alternate, forward, gradient

# (batch, height, width, c_in), c_out: those of measurements.md
SHAPES = (
    ((1, 64, 64, 256), 256),
    ((8, 32, 32, 64), 64),
    ((64, 7, 7, 128), 64),
    ((64, 5, 5, 128), 1),
    ((25, 14, 14, 8), 8),
)
MIDDLE = ((8, 16, 16, 64), 64)
SIDES = (
    (64, 16, 16, 16),
    (16, 64, 64, 16),
    (1, 256, 256, 16),
    (1, 512, 512, 3),
    (1, 1024, 1024, 3),
)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def cases() -> Iterator[Case]:
    """Yield every case of layers."""
    for image, filters in SHAPES:
        yield resize_convolution(image, filters)
    for size in (2, 3, 4):
        for k in (3, 5):
            yield resize_convolution(*MIDDLE, size=size, k=k)
    for image, filters in SHAPES[1:]:
        yield resize_convolution(image, filters, interpolation="bilinear")
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


def plain_torch(case: Case) -> dict[str, Any] | None:
    """Return the times of torch.nn's own modules for nearest + conv, channels first."""
    if keras.backend.backend() != "torch" or case.group != "nearest + conv":
        return None
    import torch

    upsample, convolution = case.keras()
    filters, (k, _) = convolution.filters, convolution.kernel_size
    batch, height, width, channels = case.shape
    modules = torch.nn.Sequential(
        torch.nn.Upsample(scale_factor=upsample.size[0]),
        torch.nn.Conv2d(channels, filters, k, padding=k // 2),
    )
    names = [name for name, _ in modules.named_parameters()]
    arrays = [np.random.default_rng(0).standard_normal((batch, channels, height, width), "float32")]
    arrays += [value.detach().numpy() for value in modules.parameters()]

    def run(x: Any, *weights: Any) -> Any:
        return torch.func.functional_call(modules, dict(zip(names, weights, strict=True)), (x,))

    return {
        mode: asdict(alternate({"plain": prepare(run, arrays)}, 0.3)["plain"])
        for mode, prepare in (("forward", forward), ("training", gradient))
    }


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
    for case in cases():
        record = measure(case, seconds=0.7).record()
        plain = plain_torch(case)
        for mode in ("forward", "training") if plain else ():
            record[mode]["plain torch"] = plain[mode]
        results.append(record)
        _say(record)
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
