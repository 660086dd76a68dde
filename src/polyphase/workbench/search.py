"""Search the learning rate of each decoder on the same grid."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from polyphase.datasets import Dataset
from polyphase.workbench.comparison import Progress
from polyphase.workbench.config import LEARNING_RATE, Contender
from polyphase.workbench.runs import append_metrics, read_metrics
from polyphase.workbench.training import train

LEARNING_RATES = (0.0003, 0.001, 0.003, 0.01)


def searched(
    contenders: Sequence[Contender],
    dataset: Dataset,
    seed: int,
    folder: Path,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> list[Contender]:
    """Return the contenders, each with the learning rate that gave it the lowest loss.

    Args:
        contenders: to be trained once with each of `LEARNING_RATES`.
        dataset: the images; the loss is that of the validation images after the last epoch.
        seed: one that the comparison itself does not use.
        folder: where `metrics.jsonl` gets a line for each training; those that it has already are
            not trained again.
        watch: called after every epoch.
    """
    return [
        replace(one, learning_rate=_best(one, dataset, seed, folder, watch)) for one in contenders
    ]


def _best(
    one: Contender,
    dataset: Dataset,
    seed: int,
    folder: Path,
    watch: Callable[[Progress], None],
) -> float:
    losses = {
        line["learning_rate"]: line["validation_loss"]
        for line in read_metrics(folder)
        if line["kind"] == "search" and line["decoder"] == one.name
    }
    for rate in LEARNING_RATES:
        if rate not in losses:
            _, history = train(
                replace(one, learning_rate=rate),
                dataset,
                seed,
                lambda epoch, result: watch(Progress(one.name, seed, epoch, one.epochs, result)),
            )
            losses[rate] = history[-1].validation_loss
            append_metrics(
                folder,
                kind="search",
                decoder=one.name,
                seed=seed,
                learning_rate=rate,
                validation_loss=losses[rate],
            )
    finite = [rate for rate in losses if math.isfinite(losses[rate])]
    return min(finite, key=lambda rate: losses[rate], default=LEARNING_RATE)
