"""What folding a model gains: before and after, on the backend in use.

    KERAS_BACKEND=jax python benchmarks/fold.py

Writes benchmarks/results/fold-BACKEND.json, from which docs/folding.md is rendered: medians of
predict_on_batch and train_on_batch in turns in one process, the largest difference of the outputs,
multiply-adds, and by how many MiB a fresh process grows at most while it predicts and trains.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import results_file
from models import FOLDABLE

import polyphase as pp
from polyphase.memory import growth
from polyphase.timing import Run, alternate

CONTENDERS: dict[str, Callable[[keras.Model], keras.Model]] = {
    "before": lambda model: model,
    "folded": pp.fold,
    "deployed": lambda model: pp.fold(model, inference=True),
}


def batch(model: keras.Model, size: int) -> tuple[Any, Any]:
    """Return noise for a model's inputs and outputs."""
    generator = np.random.default_rng(0)
    x = [generator.standard_normal((size, *t.shape[1:]), dtype="float32") for t in model.inputs]
    y = [generator.random((size, *t.shape[1:]), dtype="float32") for t in model.outputs]
    return x if len(x) > 1 else x[0], y if len(y) > 1 else y[0]


def randomised(build: Callable[[], keras.Model]) -> keras.Model:
    """Return a model whose biases and statistics are not those of a start."""
    keras.utils.set_random_seed(0)
    model = build()
    generator = np.random.default_rng(1)
    for weight in model.weights:
        if len(weight.shape) == 1:
            noise = 0.1 * generator.standard_normal(weight.shape)
            weight.assign(1 + np.abs(noise) if "variance" in weight.path else weight + noise)
    return model


def measure(name: str, build: Callable[[], keras.Model], size: int) -> dict[str, Any]:
    """Return the times of one model before and after, for batches of a size."""
    model = randomised(build)
    x, y = batch(model, size)
    _, report = pp.fold(model, return_report=True)
    models = {contender: make(model) for contender, make in CONTENDERS.items()}
    predict = {n: lambda m=m: m.predict_on_batch(x) for n, m in models.items()}
    forward = times(predict, 3)
    trained = {n: m for n, m in models.items() if n != "deployed"}
    for one in trained.values():
        one.compile(optimizer="adam", loss="mean_squared_error")
    training = times({n: lambda m=m: m.train_on_batch(x, y) for n, m in trained.items()}, 3)
    return {
        "name": name,
        "batch": size,
        "difference": report.difference,
        "folded": [sum(one.folded for one in report.findings), len(report.findings)],
        "multiply_adds": [report.before.multiply_adds, report.after.multiply_adds],
        "forward": forward,
        "training": training,
    }


def times(runs: dict[str, Run], seconds: float) -> dict[str, Any]:
    """Return the times of calls in turns, as what JSON knows."""
    return {name: asdict(one) for name, one in alternate(runs, seconds).items()}


def grown(name: str, contender: str, mode: str) -> float | None:
    """Return by how many MiB this process grows at most while a model predicts or trains.

    After a first step, which JAX compiles; elsewhere that step has two examples only, because
    TensorFlow would keep its memory.
    """
    build, size = FOLDABLE[name]
    model = CONTENDERS[contender](build())
    x, y = batch(model, size)
    first = (x, y) if keras.backend.backend() == "jax" else batch(model, 2)
    model.compile(optimizer="sgd", loss="mean_squared_error")
    run = {
        "forward": lambda x, y: model.predict_on_batch(x),
        "training": model.train_on_batch,
    }[mode]
    run(*first)
    return growth(lambda: run(x, y))


def main() -> None:
    """Measure every model and write the file."""
    results = []
    for name in FOLDABLE:
        record = measure(name, *FOLDABLE[name])
        record["MiB"] = {}
        for mode in ("forward", "training"):
            for contender in ("before", "folded"):
                command = [sys.executable, __file__, name, contender, mode]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                value = round(float(done.stdout.split()[-1]), 1)
                record["MiB"].setdefault(mode, {})[contender] = value
        results.append(record)
        gains = [
            round(record[mode]["before"]["median"] / record[mode]["folded"]["median"], 2)
            for mode in ("forward", "training")
        ]
        deployed = record["forward"]["before"]["median"] / record["forward"]["deployed"]["median"]
        print(name, gains, round(deployed, 2), record["difference"], record["MiB"], flush=True)
    results_file.write("fold", unit="ms", results=results)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(grown(*sys.argv[1:]))
    else:
        main()
