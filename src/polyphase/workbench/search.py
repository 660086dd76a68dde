"""Search the learning rate of each decoder: the best rate so far, and the rates next to it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from polyphase.datasets import Dataset, Images
from polyphase.workbench.cluster import Cluster, Training
from polyphase.workbench.comparison import Models, Progress, replay
from polyphase.workbench.config import Contender
from polyphase.workbench.results import Epoch
from polyphase.workbench.runs import append_metrics, read_metrics
from polyphase.workbench.trainers import trainer_of

LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01)  # at 0.03 some seeds die
FIRST = (0.001, 0.003)  # which are tried of every decoder
Watch = Callable[[Progress], None]
Losses = dict[tuple[str, float, int], float]  # of decoder, learning rate and seed


def held_out(dataset: Dataset) -> Dataset:
    """Return the images with which learning rates are searched: training images only.

    The last fifth of them serves for validation. The validation images, by which decoders are
    judged, are not seen.
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
    seeds: tuple[int, int],
    folder: Path,
    watch: Watch = lambda progress: None,
    workers: Cluster | None = None,
    models: Models | None = None,
) -> list[Contender]:
    """Return the contenders, each with the learning rate whose worse loss of two seeds is lowest.

    The rates of `FIRST` are tried with the first seed. Then the rates next to the best one are
    tried, until they are not better: so the best rate lies between two others, or at an end of
    `LEARNING_RATES`. The worse loss of two seeds is never lower than that of one. So only the best
    rate is tried with the second seed too, until a rate is best that has been tried with both.

    Args:
        contenders: the models to train with some of `LEARNING_RATES`.
        dataset: the images; see `held_out`.
        seeds: two seeds that the comparison itself does not use.
        folder: its `metrics.jsonl` gets a line for each training; trainings that it has already are
            not repeated.
        watch: called after every epoch.
        workers: where to train; None: in this process.
        models: models that may be trained anew, by the names of their decoders; those of this
            search are put there.
    """
    models = {} if models is None else models
    recorded: Losses = {
        (line["decoder"], line["learning_rate"], line["seed"]): line["validation_loss"]
        for line in read_metrics(folder)
        if line["kind"] == "search"
    }
    losses: Losses = {}
    trials = [(one, rate, seeds[0]) for one in contenders for rate in FIRST]
    while trials:
        missing = [
            (replace(one, learning_rate=rate), seed)
            for one, rate, seed in trials
            if (one.name, rate, seed) not in recorded
        ]
        histories = _histories(missing, held_out(dataset), watch, workers, models)
        for (one, seed), history in zip(missing, histories, strict=True):
            loss = history[-1].validation_loss
            recorded[one.name, one.learning_rate, seed] = loss
            tried = {"learning_rate": one.learning_rate, "validation_loss": loss}
            append_metrics(folder, kind="search", decoder=one.name, seed=seed, **tried)
        for one, rate, seed in trials:
            losses[one.name, rate, seed] = recorded[one.name, rate, seed]
        best = [(one, _best(one, losses, seeds)) for one in contenders]
        trials = [
            (one, *trial) for one, rate in best for trial in _open(one.name, rate, losses, seeds)
        ]
    return [replace(one, learning_rate=rate) for one, rate in best]


def _histories(
    trials: Sequence[Training],
    dataset: Dataset,
    watch: Watch,
    workers: Cluster | None,
    models: Models,
) -> Iterator[tuple[Epoch, ...]]:
    """Train every trial, here or elsewhere, and yield its epochs."""
    if workers is not None and trials:
        results = workers.train(trials, dataset, held_out)
        for (one, seed), (_, history) in zip(trials, results, strict=True):
            replay(one, seed, history, watch)
            yield history
        return
    for one, seed in trials:

        def on_epoch(
            epoch: int, result: Epoch, last: bool, one: Contender = one, seed: int = seed
        ) -> None:
            watch(Progress.of(one, seed, epoch, result, last))

        train = trainer_of(one.task).train
        models[one.name], history = train(one, dataset, seed, on_epoch, again=models.get(one.name))
        yield history


def _open(
    name: str, rate: float, losses: Losses, seeds: tuple[int, int]
) -> list[tuple[float, int]]:
    """Return what is to be tried before a rate is the best: those beside it, then it once more."""
    index = LEARNING_RATES.index(rate)
    beside = [(other, seeds[0]) for other in LEARNING_RATES[max(0, index - 1) : index + 2]]
    untried = [one for one in beside if (name, *one) not in losses]
    return untried or [(rate, seeds[1])] * ((name, rate, seeds[1]) not in losses)


def _best(one: Contender, losses: Losses, seeds: tuple[int, int]) -> float:
    """Return the rate whose worse loss is lowest; its own if all are infinite or NaN."""

    def worse(rate: float) -> float:
        found = [losses[key] for seed in seeds if (key := (one.name, rate, seed)) in losses]
        return max(found) if found and all(map(math.isfinite, found)) else math.inf

    best = min(LEARNING_RATES, key=worse)
    return best if math.isfinite(worse(best)) else one.learning_rate
