"""What training does to the pattern of transposed decoders, and what a repair does.

    KERAS_BACKEND=jax python benchmarks/checkerboards.py

Writes benchmarks/results/checkerboards-BACKEND.json, from which docs/checkerboards.md is rendered.
On photographs, for ten seeds and both transposed decoders, each at its searched learning rate:
the validation loss and the pattern that every upsampling layer leaves in the errors, after some
epochs of training (`course`), and with a repair after few and after many (`repairs`).
Trainings that the file has already are not done again: remove it to start anew.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp
from polyphase.constraints import EvenPhases
from polyphase.datasets import Dataset, entropy_floor, load
from polyphase.workbench.checkerboards import measure
from polyphase.workbench.config import Contender, contender
from polyphase.workbench.inference import outputs
from polyphase.workbench.search import searched
from polyphase.workbench.training import train

DATA = "photographs"
DECODERS = ("transposed-3", "transposed-4")
SEEDS = range(10)
SEARCHED = (len(SEEDS), len(SEEDS) + 1)
COURSE = (5, 10, 20, 40)  # epochs after which a training is judged
REPAIRED = (5, 40)  # epochs after which a copy is repaired
MORE = 10  # epochs after a repair
WAYS = ("plain", "even")  # of training: as usual, and with EvenPhases from the start


class Trainer:
    """Trains one decoder again and again; each way of training is compiled once."""

    def __init__(self, one: Contender, dataset: Dataset) -> None:
        self._dataset = dataset
        even = replace(one, build=lambda shape: constrained(one.build(shape)))
        self._ways = dict(zip(WAYS, (one, even), strict=True))
        self._models: dict[str, keras.Model] = {}

    def train(
        self,
        way: str,
        seed: int,
        epochs: int,
        start: list[np.ndarray] | None = None,
        judge: Callable[[int, keras.Model], None] = lambda epoch, model: None,
    ) -> keras.Model:
        """Train, from given weights if any, and call `judge` after every epoch, from 1 on."""
        one, again = replace(self._ways[way], epochs=epochs), self._models.get(way)
        if keras.backend.backend() == "torch":  # which compiles nothing, and trains a new model
            again = None
        model: list[keras.Model] = [again] if again else []
        self._models[way], _ = train(
            one,
            self._dataset,
            seed,
            lambda epoch, result, last: judge(epoch + 1, model[0]),
            start=start,
            again=again,
            on_start=model.append,
        )
        return self._models[way]

    def judged(self, model: keras.Model) -> dict[str, Any]:
        """Return the loss, and the pattern of every layer that upsamples."""
        originals = self._dataset.validation.pixels
        made = outputs(model, originals)
        loss = keras.losses.binary_crossentropy(originals, np.clip(made, 1e-7, 1 - 1e-7))
        stages = [
            asdict(one) | {"seen": one.seen} for one in measure(model, originals, made).stages
        ]
        return {"loss": float(keras.ops.mean(loss)), "stages": stages}


def constrained(model: keras.Model) -> keras.Model:
    """Keep the phases of a model's transposed convolutions even from here on."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            constraint = EvenPhases(layer.strides)
            layer.kernel.constraint = constraint
            layer.kernel.assign(constraint(layer.kernel))
    return model


def run(trainer: Trainer, seed: int) -> dict[str, Any]:
    """Train one decoder with one seed, in all ways."""
    course: dict[str, dict[int, Any]] = {way: {} for way in WAYS}
    kept: dict[int, list[np.ndarray]] = {}
    for way in WAYS:

        def judge(epoch: int, model: keras.Model, way: str = way) -> None:
            if epoch in COURSE:
                course[way][epoch] = trainer.judged(model)
            if way == "plain" and epoch in REPAIRED:
                kept[epoch] = model.get_weights()

        trainer.train(way, seed, max(COURSE), judge=judge)
    return {"course": course, "repairs": {e: repairs(trainer, seed, w) for e, w in kept.items()}}


def repairs(trainer: Trainer, seed: int, trained: list[np.ndarray]) -> dict[str, Any]:
    """Return what becomes of a trained model with a repair, and without."""
    further = trainer.train("plain", seed, MORE, start=trained)
    found = {"more": trainer.judged(further)}
    further.set_weights(trained)
    repaired = pp.repair(further)
    found["repaired"] = trainer.judged(repaired)
    even = trainer.train("even", seed, MORE, start=repaired.get_weights())
    return found | {"repaired, more": trainer.judged(even)}


def tuned(decoder: str, dataset: Dataset) -> Contender:
    """Return a decoder with the learning rate that `polyphase compare` would give it."""
    with tempfile.TemporaryDirectory() as folder:
        return searched([contender(decoder)], dataset, SEARCHED, Path(folder))[0]


def main() -> None:
    """Train, measure and write the file after every seed."""
    path, dataset = results_file.path("checkerboards"), load(DATA)
    results = json.loads(path.read_text())["results"] if path.exists() else []
    for decoder in DECODERS:
        done = {one["seed"] for one in results if one["decoder"] == decoder}
        if done >= set(SEEDS):
            continue
        one = tuned(decoder, dataset)
        trainer = Trainer(one, dataset)
        facts = {"data": DATA, "decoder": decoder, "learning_rate": one.learning_rate}
        facts["floor"] = entropy_floor(dataset.validation.pixels)
        for seed in sorted(set(SEEDS) - done):
            results.append(facts | {"seed": seed} | run(trainer, seed))
            results_file.write("checkerboards", more=MORE, results=results)


if __name__ == "__main__":
    main()
