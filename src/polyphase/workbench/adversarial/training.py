"""Train a generator against a discriminator: the same images and latents for all of a seed."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.models import DECODERS
from polyphase.workbench.adversarial.steps import Aims, Networks, stepper
from polyphase.workbench.config import ConfigError, Contender
from polyphase.workbench.tasks.gan import PUBLISHED, SHAPE, Gan
from polyphase.workbench.training import Batches

RATE = 5e-4
STEPS = 1800  # unless told
DECAY = 0.998  # of the moving average, per step
SHOWN = 64
LEAST_SPREAD = 0.02  # of the images' own: less is one image for all latents


@dataclass(frozen=True)
class Round:
    """One epoch of two networks; means over its steps.

    Attributes:
        discriminator: its loss, without the penalties.
        generator: its loss.
        penalty: R1 and R2 together, unweighted.
        spread: standard deviation of the made images over latents, the mean over their pixels,
            divided by that of as many training images.
        seconds: wall time of the training steps.
    """

    discriminator: float
    generator: float
    penalty: float
    spread: float
    seconds: float

    @property
    def trouble(self) -> str:
        """What went wrong, in words; an empty text if nothing did."""
        if not all(map(math.isfinite, asdict(self).values())):
            return "a loss is not finite"
        if self.spread < LEAST_SPREAD:
            return "all latents give one image"
        return ""


@dataclass(frozen=True)
class GanProgress:
    """One finished epoch of a generator, for whoever watches; as `comparison.Progress`."""

    decoder: str
    seed: int
    epoch: int
    epochs: int
    result: Round
    last: bool

    @property
    def words(self) -> str:
        """What is said of it."""
        one = self.result
        return f"generator {one.generator:.3f}, discriminator {one.discriminator:.3f}"


def contender_of(
    generator: str,
    task: Gan,
    dataset: Dataset,
    epochs: int | None,
    batch_size: int,
    width: int,
) -> Contender:
    """Return a generator by name, checked against the images.

    Args:
        generator: a decoder's name, `package.module:function`, or one of `tasks.gan.PUBLISHED`.
        task: what it is trained to do.
        dataset: the images.
        epochs: passes over the training images; None: as many as give 1,800 steps.
        batch_size: images per step.
        width: channels of the generator at half size.

    Raises:
        ConfigError: for an unknown name, images that it cannot make, or too few of them.
    """
    height, wide, channels = dataset.shape
    if generator in PUBLISHED and dataset.shape != SHAPE:
        raise ConfigError(
            f"The tutorials' generator {generator!r} makes 10x10 grey images. Received: "
            f"{height}x{wide} with {channels} channels. Give --size 10 --grey, or a generator for "
            f"any size: {', '.join(DECODERS)}."
        )
    if batch_size > len(dataset.train):
        raise ConfigError(
            f"A batch of {batch_size} images is larger than the training set of "
            f"{len(dataset.train)}. Use a smaller --batch-size or more data."
        )
    build = functools.partial(task.network, generator, width=width)
    try:
        build(dataset.shape)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    passes = epochs or math.ceil(STEPS / (len(dataset.train) // batch_size))
    return Contender(generator, build, passes, batch_size, RATE, width=width, task=task)


def latents(seed: int, epoch: int, step: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal numbers that depend on seed, epoch and step alone."""
    return np.random.default_rng([seed, epoch, step]).standard_normal(shape, np.float32)


def networks_of(one: Contender, task: Gan, dataset: Dataset, seed: int) -> Networks:
    """Return untrained networks as a seed makes them."""
    keras.utils.set_random_seed(seed)
    generator = one.build(dataset.shape)
    judge = task.judge(dataset.shape, one.width or 1)
    average = keras.models.clone_model(generator)
    average.set_weights(generator.get_weights())
    optimizers = tuple(keras.optimizers.Adam(RATE, beta_1=0.0, beta_2=0.99) for _ in range(2))
    for one, model in zip(optimizers, (generator, judge), strict=True):
        one.build(model.trainable_variables)
    return Networks(generator, judge, average, (optimizers[0], optimizers[1]))


def train(
    networks: Networks,
    task: Gan,
    dataset: Dataset,
    seed: int,
    epochs: int,
    batch_size: int,
    on_epoch: Callable[[int, Round, np.ndarray], Any],
) -> str:
    """Train until all epochs are done, or something went wrong.

    Args:
        networks: as `networks_of` made them.
        task: with the loss and the weight of the penalties.
        dataset: its training images.
        seed: of latents and of the images' order.
        epochs: passes over the training images.
        batch_size: images per step.
        on_epoch: called after every epoch with its index from 0, its `Round`, and the images
            `(64, height, width, channels)` in 0..1 that the average makes of latents that are
            always the same.

    Returns:
        What went wrong, `Round.trouble`; the training ended there.
    """
    step, settle = stepper(networks, Aims(task.loss, task.penalty, DECAY))
    size = int(networks.generator.input_shape[-1])
    fixed = latents(seed, 0, 0, (SHOWN, size))
    spread = _spread(dataset.train.pixels[:SHOWN])
    batches = Batches(dataset.train.pixels, batch_size, seed)
    for epoch in range(epochs):
        began, found = time.perf_counter(), []
        for index in range(len(batches)):
            real, _ = batches[index]
            found.append(step(real, latents(seed, epoch + 1, index, (2, batch_size, size))))
        means = np.mean([[float(one) for one in some] for some in found], axis=0)
        seconds = time.perf_counter() - began
        batches.on_epoch_end()
        settle()
        made = networks.average.predict_on_batch(fixed)
        of_judge, of_generator, penalty = map(float, means)
        one = Round(of_judge, of_generator, penalty, _spread(made) / spread, seconds)
        on_epoch(epoch, one, np.clip(made, 0, 1))
        if one.trouble:
            return one.trouble
    return ""


def _spread(images: np.ndarray) -> float:
    return float(np.std(images, axis=0, dtype=np.float64).mean())
