"""Transposed decoders before repair, after it, and with even phases in training.

    KERAS_BACKEND=jax python benchmarks/checkerboards.py

Writes benchmarks/results/checkerboards-BACKEND.json, from which docs/checkerboards.md is rendered:
on the digits of `polyphase compare`, for five seeds and both transposed decoders, the validation
loss, the periodic bias and variance of the reconstructions, and chi.
"""

import itertools
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp
from polyphase.constraints import EvenPhases
from polyphase.datasets import Dataset, load
from polyphase.workbench.checkerboards import measure
from polyphase.workbench.config import BATCH_SIZE, EPOCHS, Contender, contender
from polyphase.workbench.inference import reconstruct
from polyphase.workbench.training import train

DECODERS = ("transposed-3", "transposed-4")
SEEDS = range(5)
MORE = 10  # epochs after a repair


def constrained(model: keras.Model) -> keras.Model:
    """Keep the phases of a model's transposed convolutions even from here on."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            constraint = EvenPhases(layer.strides)
            layer.kernel.constraint = constraint
            layer.kernel.assign(constraint(layer.kernel))
    return model


def further(model: keras.Model, dataset: Dataset, seed: int) -> keras.Model:
    """Return a model after more epochs."""
    contender_ = Contender("further", lambda shape: model, MORE, BATCH_SIZE)
    return train(contender_, dataset, seed, lambda *_: None)[0]


def judged(model: keras.Model, dataset: Dataset) -> dict[str, float]:
    """Return loss, periodic bias and variance, and chi."""
    originals = dataset.validation.pixels
    reconstructed = reconstruct(model, originals)
    left = measure(model, originals, reconstructed)
    loss = keras.losses.binary_crossentropy(originals, np.clip(reconstructed, 1e-7, 1 - 1e-7))
    return {
        "loss": float(keras.ops.mean(loss)),
        "bias": left.bias,
        "variance": left.variance,
        "chi": left.chi,
    }


def run(decoder: str, seed: int, dataset: Dataset) -> dict[str, Any]:
    """Train one decoder with one seed, in all ways."""
    one = contender(decoder)
    even = Contender(decoder, lambda s: constrained(one.build(s)), EPOCHS, BATCH_SIZE)
    plain, with_constraint = (train(c, dataset, seed, lambda *_: None)[0] for c in (one, even))
    repaired = pp.repair(plain)
    states = {
        "as trained": judged(plain, dataset),
        "repaired": judged(repaired, dataset),
        "trained with EvenPhases": judged(with_constraint, dataset),
    }
    for name, model in (
        (f"as trained, {MORE} epochs more", plain),
        (f"repaired, {MORE} epochs more with EvenPhases", constrained(repaired)),
    ):
        states[name] = judged(further(model, dataset, seed), dataset)
    return {"decoder": decoder, "seed": seed, "states": states}


def main() -> None:
    """Train, measure and write the file."""
    dataset = load("digits")
    results = []
    for seed, decoder in itertools.product(SEEDS, DECODERS):
        results.append(run(decoder, seed, dataset))
        print(results[-1], flush=True)
    results_file.write("checkerboards", epochs=EPOCHS, results=results)


if __name__ == "__main__":
    main()
