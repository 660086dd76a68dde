"""Train contenders that differ in one thing, and measure them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset, Images
from polyphase.inspection import multiply_adds
from polyphase.inspection.alignment import offset
from polyphase.rewrite.cost import Cost
from polyphase.rewrite.zeros import random_weights_are_zeros
from polyphase.workbench.adversarial.judging import failed, judge_of, made_images
from polyphase.workbench.checkerboards import gains_of, measure
from polyphase.workbench.cluster import Cluster, Training
from polyphase.workbench.config import Contender
from polyphase.workbench.evidence import baseline_measures, measures
from polyphase.workbench.inference import clipped, decoder_of, inference_seconds, made, outputs
from polyphase.workbench.kept import (
    checkpoint_path,
    finished,
    forget_unfinished,
    history_of,
    model_path,
    save_model,
    save_samples,
)
from polyphase.workbench.metrics import loss_of, psnr, ssim
from polyphase.workbench.results import Baseline, Comparison, Epoch, Trial, floor_of
from polyphase.workbench.runs import append_metrics, write_json
from polyphase.workbench.tasks import Task
from polyphase.workbench.tasks.task import keys_to_judge
from polyphase.workbench.trainers import trainer_of
from polyphase.workbench.training import untrained

SHOWN = 8
Models = dict[str, keras.Model]  # by the names of their decoders


@dataclass(frozen=True)
class Progress:
    """One finished epoch, for whoever watches.

    Attributes:
        decoder: name of the contender.
        seed: seed of the training.
        epoch: index of the epoch, from 0.
        epochs: how many epochs there will be; None: until a plateau.
        result: the losses and the time.
        last: whether the training is over.
    """

    decoder: str
    seed: int
    epoch: int
    epochs: int | None
    result: Epoch
    last: bool

    @classmethod
    def of(cls, one: Contender, seed: int, epoch: int, result: Epoch, last: bool) -> "Progress":
        """Return what a contender's training has finished."""
        epochs = one.epochs if one.minutes is None else None
        return cls(one.name, seed, epoch, epochs, result, last)


def _nobody(progress: Progress) -> None:
    """Watch nothing."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of a training; the seeds of a decoder share one model.

    Attributes:
        contender: what was trained.
        seed: seed of the training.
        model: the trained model; another seed may have been trained with it since.
        weights: its weights after the training with this seed.
        history: one entry per epoch.
        first_gains: `checkerboards.gains_of` the model before its training.
    """

    contender: Contender
    seed: int
    model: keras.Model
    weights: list[np.ndarray]
    history: tuple[Epoch, ...]
    first_gains: list[float]


def compare(
    contenders: Sequence[Contender],
    dataset: Dataset,
    seeds: Sequence[int],
    config: dict[str, Any],
    folder: Path,
    watch: Callable[[Progress], None] = _nobody,
    workers: Cluster | None = None,
    models: Models | None = None,
) -> Comparison:
    """Train every contender with every seed, and measure all of them in the same way.

    1. With each seed, train every contender before the next seed, so that a slow hour of the
       machine affects all of them.
    2. Save every model when it is trained; `metrics.jsonl` gets a line per epoch. The seeds of a
       contender share one model, which is compiled once.
    3. When all are trained, time inference in turns (weights do not change its time), and judge
       each model on the same validation images.

    Args:
        contenders: the models to train; checked by `config.check`.
        dataset: the images.
        seeds: seeds of weights and data order; the same for every contender.
        config: what `config.record` returned; saved first.
        folder: an existing folder to write to. Models that an interrupted run finished there are
            not trained again; an unfinished training continues after its last finished epoch.
        watch: called after every epoch.
        workers: where to train; None: in this process.
        models: models that may be trained anew, by the names of their decoders, so that nothing is
            compiled twice.

    Returns:
        The results. The test images are only shown, never measured.

    Raises:
        ConfigError: if files of an interrupted run are damaged.
    """
    write_json(folder / "config.json", config)
    forget_unfinished(folder, contenders, seeds)
    trainings = [(one, seed) for seed in seeds for one in contenders]
    if workers is not None:
        _train_elsewhere(workers, trainings, dataset, folder, watch)
        watch = _nobody
    models = {} if models is None else models
    trained = [_train(one, dataset, seed, folder, watch, models) for one, seed in trainings]
    seconds = _inference(trained, dataset)
    shown = shown_images(dataset.test)
    trials = [
        _judge(one, times, dataset, shown.pixels, folder)
        for one, times in zip(trained, seconds, strict=True)
    ]
    task = contenders[0].task
    return Comparison(
        config=config,
        floor=floor_of(config),
        originals=shown.pixels,
        labels=shown.labels,
        trials=tuple(trials),
        inputs=task.inputs(shown.pixels, keys_to_judge(range(len(shown)))) if task.given else None,
        baselines=_baselines(task, dataset, shown.pixels, folder),
    )


def train_one(
    contender: Contender,
    dataset: Dataset,
    seed: int,
    folder: Path,
    watch: Callable[[Progress], None],
) -> Trained:
    """Train one contender with one seed in a folder, as `compare` does."""
    forget_unfinished(folder, [contender], [seed])
    return _train(contender, dataset, seed, folder, watch, {})


def shown_images(images: Images) -> Images:
    """Return the eight images to show: the first of each class, then the first of the rest."""
    first = {label: index for index, label in reversed(list(enumerate(images.labels)))}
    kinds = sorted(first.values())
    rest = [index for index in range(len(images)) if index not in first.values()]
    chosen = (kinds + rest)[:SHOWN]
    return Images(images.pixels[chosen], tuple(images.labels[index] for index in chosen))


def _train(
    contender: Contender,
    dataset: Dataset,
    seed: int,
    folder: Path,
    watch: Callable[[Progress], None],
    models: Models,
) -> Trained:
    """Train one model, saving as it goes; what was finished before is taken as it is."""
    path, saved = model_path(folder, contender, seed), checkpoint_path(folder, contender, seed)
    if path.exists():
        model, history = finished(contender, dataset, seed, folder)
        replay(contender, seed, history, watch)
        saved.unlink(missing_ok=True)
        gains = gains_of(untrained(contender, dataset, seed))
        return Trained(contender, seed, model, model.get_weights(), history, gains)

    def on_epoch(epoch: int, result: Epoch, last: bool) -> None:
        _append(folder, contender, seed, epoch, result)
        watch(Progress.of(contender, seed, epoch, result, last))

    def on_start(model: keras.Model) -> None:
        first.extend(gains_of(model))

    first: list[float] = []
    again = models.get(contender.name)
    model, history = trainer_of(contender.task).train(
        contender, dataset, seed, on_epoch, saved, again=again, on_start=on_start
    )
    save_samples(folder, contender, seed, history)
    save_model(model, path)
    saved.unlink()
    models[contender.name] = model
    return Trained(contender, seed, model, model.get_weights(), history, first)


def _train_elsewhere(
    workers: Cluster,
    trainings: Sequence[Training],
    dataset: Dataset,
    folder: Path,
    watch: Callable[[Progress], None],
) -> None:
    """Let workers train what is not finished yet, and save what they send, in order."""
    missing = [one for one in trainings if not model_path(folder, *one).exists()]
    results = workers.train(missing, dataset)
    for one, seed in trainings:
        if (one, seed) in missing:
            weights, history = next(results)
            with random_weights_are_zeros():
                model = one.build(dataset.shape)
            model.set_weights(weights)
            for epoch, result in enumerate(history):
                _append(folder, one, seed, epoch, result)
            save_samples(folder, one, seed, history)
            save_model(model, model_path(folder, one, seed))
        replay(one, seed, history_of(folder, one, seed), watch)


def replay(
    one: Contender, seed: int, history: Sequence[Epoch], watch: Callable[[Progress], None]
) -> None:
    """Report the epochs of a training that is over to a watcher."""
    for epoch, result in enumerate(history):
        watch(Progress.of(one, seed, epoch, result, epoch + 1 == len(history)))


def _append(folder: Path, one: Contender, seed: int, epoch: int, result: Epoch) -> None:
    who = {"decoder": one.name, "seed": seed, "epoch": epoch}
    append_metrics(folder, kind="epoch", **who, **result.measured)


def _inference(trained: Sequence[Trained], dataset: Dataset) -> list[tuple[float, float | None]]:
    """Return seconds per image of each model and of its decoder, all timed in turns.

    Decoders are those of models built anew, one for all seeds: the trained ones stay as they are.
    """
    own = {one.contender.name: one for one in trained if one.contender.widths}
    decoders = {name: decoder_of(_again(one, dataset)) for name, one in own.items()}
    parts = {
        index: decoder
        for index, one in enumerate(trained)
        if (decoder := decoders.get(one.contender.name)) is not None
    }
    models = [*(one.model for one in trained), *parts.values()]
    seconds = inference_seconds(models, dataset.validation.pixels)
    of_parts = dict(zip(parts, seconds[len(trained) :], strict=True))
    return [(seconds[index], of_parts.get(index)) for index in range(len(trained))]


def _again(trained: Trained, dataset: Dataset) -> keras.Model:
    """Return a trained model as another object."""
    with random_weights_are_zeros():
        model = trained.contender.build(dataset.shape)
    model.set_weights(trained.weights)
    return model


def _judge(
    trained: Trained,
    seconds: tuple[float, float | None],
    dataset: Dataset,
    shown: np.ndarray,
    folder: Path,
) -> Trial:
    """Measure one trained model."""
    trained.model.set_weights(trained.weights)
    cost, task = Cost.of(trained.model), trained.contender.task
    seen = (_seen if task.paired else _seen_of_generator)(trained, dataset, shown)
    trial = Trial(
        decoder=trained.contender.name,
        seed=trained.seed,
        parameters=trained.model.count_params(),
        multiply_adds=multiply_adds(trained.model),
        multiply_adds_computed=cost.multiply_adds if cost else None,
        offset=offset(trained.model),
        history=trained.history,
        inference_seconds=seconds[0],
        decoder_seconds=seconds[1],
        **seen,
    )
    append_metrics(folder, kind="final", decoder=trial.decoder, seed=trial.seed, **measures(trial))
    return trial


def _seen(trained: Trained, dataset: Dataset, shown: np.ndarray) -> dict[str, Any]:
    """Return what is measured of the images that a model returns."""
    originals, task = dataset.validation.pixels, trained.contender.task
    reconstructed = made(clipped(trained.model.predict_on_batch), originals, task)
    return {
        "psnr": psnr(originals, reconstructed),
        "ssim": ssim(originals, reconstructed),
        "reconstructions": outputs(trained.model, shown, task),
        "checkerboard": measure(trained.model, originals, reconstructed, trained.first_gains),
    }


def _seen_of_generator(trained: Trained, dataset: Dataset, shown: np.ndarray) -> dict[str, Any]:
    """Return what is measured of the images that a generator makes."""
    judge = judge_of(dataset)
    images = made_images(trained.model, judge.count)
    over = bool(trained.history[-1].trouble)
    originals = dataset.validation.pixels[: len(images)]
    return {
        "psnr": math.nan,
        "ssim": math.nan,
        "reconstructions": images[: len(shown)],
        "checkerboard": measure(
            trained.model, originals, images[: len(originals)], trained.first_gains, paired=False
        ),
        "imitation": failed(shown.shape) if over else judge.imitation(images, len(shown)),
    }


def _baselines(
    task: Task, dataset: Dataset, shown: np.ndarray, folder: Path
) -> tuple[Baseline, ...]:
    """Measure what the task can do without training; of generators, the training images."""
    if not task.paired:
        return (_training_images(dataset, len(shown), folder),)
    originals, found = dataset.validation.pixels, []
    for name, function in task.baselines().items():
        results = made(clipped(function), originals, task)
        one = Baseline(
            name=name,
            validation_loss=loss_of(task, originals, results),
            psnr=psnr(originals, results),
            ssim=ssim(originals, results),
            reconstructions=made(function, shown, task),
        )
        append_metrics(folder, kind="baseline", decoder=name, seed=None, **baseline_measures(one))
        found.append(one)
    return tuple(found)


def _training_images(dataset: Dataset, shown: int, folder: Path) -> Baseline:
    """Judge the training images as if a generator had made them: it cannot do better."""
    judge = judge_of(dataset)
    images = dataset.train.pixels[: judge.count]
    one = Baseline(
        name="training images",
        validation_loss=judge.kid(images),
        psnr=math.nan,
        ssim=math.nan,
        reconstructions=images[:shown],
        imitation=judge.imitation(images, shown),
    )
    append_metrics(folder, kind="baseline", decoder=one.name, seed=None, **baseline_measures(one))
    return one
