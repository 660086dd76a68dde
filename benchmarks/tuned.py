"""What `fold --tune` gains over `fold`: a generator and a U-Net, on the backend in use.

    KERAS_BACKEND=jax python benchmarks/tuned.py

Writes benchmarks/results/tuned-BACKEND.json, from which docs/folding.md is rendered: medians of
predict_on_batch and train_on_batch of the model as it was, folded, and folded and tuned for just
that, in turns in one process; and what every layer of ours was given.
"""

from collections.abc import Callable
from typing import Any

import keras
import results_file
from fold import batch, randomised, times
from models import FOLDABLE

import polyphase as pp

TUNED = ("DCGAN-size generator", "U-Net, bilinear and skips")


def measure(build: Callable[[], keras.Model], size: int, mode: str) -> dict[str, Any]:
    """Return the times of one model as it was, folded and tuned, and what its layers were given."""
    model = randomised(build)
    x, y = batch(model, size)
    models = {"before": model, "folded": pp.fold(model), "tuned": pp.fold(model)}
    found = pp.tune(models["tuned"], x, training=mode == "training", seconds=1.0)
    if mode == "forward":
        runs = {n: lambda m=m: m.predict_on_batch(x) for n, m in models.items()}
    else:
        for one in models.values():
            one.compile(optimizer="adam", loss="mean_squared_error")
        runs = {n: lambda m=m: m.train_on_batch(x, y) for n, m in models.items()}
    return {mode: times(runs, 3), f"{mode} layers": {one.layer: one.lowering for one in found}}


def main() -> None:
    """Measure both models and write the file."""
    results = []
    for name in TUNED:
        results.append({"name": name})
        for mode in ("forward", "training"):
            results[-1] |= measure(*FOLDABLE[name], mode)
        print(results[-1], flush=True)
    results_file.write("tuned", unit="ms", results=results)


if __name__ == "__main__":
    main()
