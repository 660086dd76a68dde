"""Search the learning rate of each decoder on the same grid."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import keras

from polyphase.datasets import Dataset, Images
from polyphase.workbench.cluster import Cluster
from polyphase.workbench.comparison import Progress, replay
from polyphase.workbench.config import LEARNING_RATE, Contender
from polyphase.workbench.results import Epoch
from polyphase.workbench.runs import append_metrics, read_metrics
from polyphase.workbench.training import train

LEARNING_RATES = (0.0003, 0.001, 0.003, 0.01)
Watch = Callable[[Progress], None]


def held_out(dataset: Dataset) -> Dataset:
    """Return what learning rates are searched with: training images alone.

    The last fifth of them validates; the validation images, which judge, are not seen.
    """
    count = len(dataset.train) - len(dataset.train) // 5
    pixels, labels = dataset.train.pixels, dataset.train.labels
    return replace(
        dataset,
        train=Images(pixels[:count], labels[:count]),
        validation=Images(pixels[count:], labels[count:]),
    )


def searched(
    contenders: Sequence[Contender],
    dataset: Dataset,
    seed: int,
    folder: Path,
    watch: Watch = lambda progress: None,
    workers: Cluster | None = None,
) -> list[Contender]:
    """Return the contenders, each with the learning rate that gave it the lowest loss.

    Args:
        contenders: to be trained once with each of `LEARNING_RATES`.
        dataset: the images; see `held_out`.
        seed: one that the comparison itself does not use.
        folder: where `metrics.jsonl` gets a line for each training; those that it has already are
            not trained again.
        watch: called after every epoch.
        workers: where to train; None: here.
    """
    losses = {
        (line["decoder"], line["learning_rate"]): line["validation_loss"]
        for line in read_metrics(folder)
        if line["kind"] == "search"
    }
    missing = [
        replace(one, learning_rate=rate)
        for one in contenders
        for rate in LEARNING_RATES
        if (one.name, rate) not in losses
    ]
    histories = _histories(missing, held_out(dataset), seed, watch, workers)
    for one, history in zip(missing, histories, strict=True):
        losses[one.name, one.learning_rate] = history[-1].validation_loss
        append_metrics(
            folder,
            kind="search",
            decoder=one.name,
            seed=seed,
            learning_rate=one.learning_rate,
            validation_loss=history[-1].validation_loss,
        )
    return [replace(one, learning_rate=_best(one.name, losses)) for one in contenders]


def _histories(
    trials: Sequence[Contender],
    dataset: Dataset,
    seed: int,
    watch: Watch,
    workers: Cluster | None,
) -> Iterator[tuple[Epoch, ...]]:
    """Train every trial, here or elsewhere, and yield its epochs."""
    if workers is not None:
        results = workers.train([(one, seed) for one in trials], dataset, held_out)
        for one, (_, history) in zip(trials, results, strict=True):
            replay(one, seed, history, watch)
            yield history
        return
    models: dict[str, keras.Model] = {}
    for one in trials:

        def on_epoch(epoch: int, result: Epoch, last: bool, one: Contender = one) -> None:
            watch(Progress.of(one, seed, epoch, result, last))

        models[one.name], history = train(one, dataset, seed, on_epoch, again=models.get(one.name))
        yield history


def _best(name: str, losses: dict[tuple[str, float], float]) -> float:
    finite = [rate for rate in LEARNING_RATES if math.isfinite(losses[name, rate])]
    return min(finite, key=lambda rate: losses[name, rate], default=LEARNING_RATE)
