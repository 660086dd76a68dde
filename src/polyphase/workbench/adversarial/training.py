"""Train a generator against a discriminator; a seed has the same images and latents for all."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.workbench import checkpoint
from polyphase.workbench.adversarial.judging import MADE, judge_of, made_images
from polyphase.workbench.adversarial.latents import latents
from polyphase.workbench.adversarial.samples import FRAMES, grid, png
from polyphase.workbench.adversarial.steps import Aims, Networks, Step, stepper
from polyphase.workbench.config import ConfigError, Contender
from polyphase.workbench.plateau import done
from polyphase.workbench.results import Epoch, GanEpoch
from polyphase.workbench.tasks.gan import Gan
from polyphase.workbench.training import Batches, OnEpoch, assign, owner, untrained

DECAY = 0.998  # of the moving average, per step
SHOWN = 64


def networks_of(contender: Contender, dataset: Dataset, seed: int) -> Networks:
    """Return the untrained networks of a seed."""
    generator = untrained(contender, dataset, seed)
    judge = _task(contender).judge(dataset.shape, contender.width or 1)
    average = keras.models.clone_model(generator)
    _begin(average, generator)
    rate = contender.learning_rate
    optimizers = tuple(keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99) for _ in range(2))
    for one, model in zip(optimizers, (generator, judge), strict=True):
        one.build(model.trainable_variables)
    return Networks(generator, judge, average, (optimizers[0], optimizers[1]))


def _begin(average: keras.Model, generator: keras.Model) -> None:
    """Begin an average with a generator's weights, held to their constraints.

    The generator's are from its first step on; what the average began with stays in it for long.
    """
    average.set_weights(generator.get_weights())
    for variable in average.trainable_variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))


def drawn(contender: Contender, dataset: Dataset, seed: int) -> list[np.ndarray]:
    """Return the initial values of all variables that are drawn before a training."""
    variables = _drawn(networks_of(contender, dataset, seed))
    return [keras.ops.convert_to_numpy(one.value) for one in variables]


def validation_loss(contender: Contender, model: keras.Model, dataset: Dataset) -> float:
    """Return the KID of 1,000 generated images from the validation images.

    It is NaN if there is no classifier.
    """
    try:
        judge = judge_of(dataset)
    except ConfigError:
        return math.nan
    return judge.kid(made_images(model, MADE))


def train(
    contender: Contender,
    dataset: Dataset,
    seed: int,
    on_epoch: OnEpoch,
    saved: Path | None = None,
    start: Sequence[np.ndarray] | None = None,
    again: keras.Model | None = None,
    on_start: Callable[[keras.Model], None] = lambda model: None,
) -> tuple[keras.Model, tuple[Epoch, ...]]:
    """Train until all epochs are done or something went wrong, like `workbench.training.train`.

    Args:
        contender: a generator, and the task with the loss and the weight of the penalties.
        dataset: its training images are used.
        seed: seed of the weights, the latents and the order of images.
        on_epoch: called after every epoch with its index from 0, its `GanEpoch`, and whether it was
            the last; also for epochs that are restored.
        saved: file that is written after every epoch; if it exists, training continues from there.
        start: what `drawn(contender, dataset, seed)` returned elsewhere; None: drawn here.
        again: not used, because compiled functions belong to their networks.
        on_start: called with the generator as `untrained` returns it.

    Returns:
        The generator whose weights are the moving average, and one `GanEpoch` per epoch. On one
        machine, with JAX, the same arguments give the same numbers, interrupted or not.

    Raises:
        ConfigError: if `saved` is damaged or belongs to another training.
    """
    networks = networks_of(contender, dataset, seed)
    on_start(networks.generator)
    if start:
        assign(_drawn(networks), start)
        _begin(networks.average, networks.generator)
    belongs, history = owner(contender, dataset, seed), []
    if saved and saved.exists():
        history = checkpoint.restore(saved, _variables(networks), belongs, GanEpoch)
    for epoch, one in enumerate(history):
        on_epoch(epoch, one, done(contender, history[: epoch + 1]))
    doing = _task(contender)
    step, settle = stepper(networks, Aims(doing.loss, doing.penalty, DECAY))
    while not done(contender, history):
        history.append(_epoch(contender, dataset, seed, len(history), networks, (step, settle)))
        if saved:
            checkpoint.save(saved, _variables(networks), history, belongs)
        on_epoch(len(history) - 1, history[-1], done(contender, history))
    return networks.average, tuple(history)


def _epoch(
    contender: Contender,
    dataset: Dataset,
    seed: int,
    epoch: int,
    networks: Networks,
    stepping: tuple[Step, Callable[[], None]],
) -> GanEpoch:
    """Train for one epoch, and measure the result."""
    step, settle = stepping
    size, count = int(networks.generator.input_shape[-1]), contender.batch_size
    batches = Batches(dataset.train.pixels, count, seed, epoch)
    began, found = time.perf_counter(), []
    for index in range(len(batches)):
        real, _ = batches[index]
        found.append(step(real, latents(seed, epoch + 1, index, (2, count, size))))
    means = np.mean([[float(one) for one in some] for some in found], axis=0)
    seconds = time.perf_counter() - began
    settle()
    of_judge, of_generator, penalty = map(float, means)
    made = networks.average.predict_on_batch(latents(seed, 0, 0, (SHOWN, size)))
    spread = _spread(made) / _spread(dataset.train.pixels[:SHOWN])
    picture = png(grid(np.clip(made, 0, 1))) if _pictured(epoch, contender.epochs) else b""
    one = GanEpoch(of_generator, math.nan, seconds, of_judge, penalty, spread, picture)
    if one.trouble:
        return one
    return replace(one, validation_loss=validation_loss(contender, networks.average, dataset))


def _pictured(epoch: int, epochs: int) -> bool:
    """Return whether an epoch is one of those, spread evenly, that an animation shows."""
    return epoch in np.linspace(0, epochs - 1, min(FRAMES, epochs)).round()


def _task(contender: Contender) -> Gan:
    assert isinstance(contender.task, Gan)
    return contender.task


def _drawn(networks: Networks) -> list[keras.Variable]:
    return [*networks.generator.variables, *networks.discriminator.variables]


def _variables(networks: Networks) -> list[keras.Variable]:
    """Return everything that a training changes."""
    first, second = networks.optimizers
    models = (*_drawn(networks), *networks.average.variables)
    return [*models, *first.variables, *second.variables]


def _spread(images: np.ndarray) -> float:
    return float(np.std(images, axis=0, dtype=np.float64).mean())
