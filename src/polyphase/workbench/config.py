"""The configuration of a run: checked before anything is done, and enough to repeat the run."""

import functools
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import keras

from polyphase import layers as polyphase_layers
from polyphase._facts import EPOCHS, MOST_EPOCHS, PUBLISHED, WIDTH, UserError
from polyphase.datasets import Dataset, entropy_floor
from polyphase.models import (
    DECODERS,
    transposed_autoencoder,
    upsampling_autoencoder,
)
from polyphase.models.decoders import stages
from polyphase.rewrite.zeros import random_weights_are_zeros
from polyphase.workbench.environment import machine, versions
from polyphase.workbench.tasks import RECONSTRUCT, Task


class ConfigError(UserError):
    """Raised for a configuration that cannot be run; the message says how to mend it."""


@dataclass(frozen=True)
class Contender:
    """One model, and how to train it.

    Attributes:
        name: a decoder's name, or "upsampling" or "transposed" for a tutorial's autoencoder.
        build: a function that makes the untrained model for images of a shape
            `(height, width, channels)`; it takes other `widths`, unless the model is published.
        epochs: passes over the training images; with `minutes`, the most that are allowed.
        batch_size: images per step.
        learning_rate: of Adam.
        widths: channels of a decoder's two inner stages; None for a published model.
        width: channels of the encoder; None for a published model.
        encoder: one of `polyphase.models.ENCODERS`; None if it cannot be chosen.
        minutes: None trains all epochs; otherwise the training ends at a plateau, or after this
            many minutes (see `plateau`).
        task: what the model is trained to do.
    """

    name: str
    build: Callable[..., keras.Model]
    epochs: int
    batch_size: int
    learning_rate: float = RECONSTRUCT.rate
    widths: tuple[int, int] | None = None
    width: int | None = None
    encoder: str | None = None
    minutes: float | None = None
    task: Task = RECONSTRUCT


def contender(
    name: str,
    epochs: int | None = None,
    batch_size: int | None = None,
    layers: ModuleType = polyphase_layers,
    widths: tuple[int, int] | None = None,
    width: int = WIDTH,
    encoder: str = "centred",
    minutes: float | None = None,
    task: Task = RECONSTRUCT,
) -> Contender:
    """Return a contender by name; arguments that are None take the published or default value.

    Args:
        name: one of `PUBLISHED`, or a name that `models.decoders.stages` takes.
        epochs: passes over the training images, at least 1; with `minutes`, the most that are
            allowed.
        batch_size: images per step, at least 1.
        layers: where the tutorials' autoencoders take their upsampling layers from:
            `polyphase.layers`, or `keras.layers` for comparison.
        widths: channels of a decoder's two inner stages; default `width`.
        width: channels of the encoder.
        encoder: one of `polyphase.models.ENCODERS`, for tasks that have encoders.
        minutes: train to a plateau, for at most this many minutes.
        task: what the model is trained to do; published models reconstruct.

    Raises:
        ConfigError: for an unknown name, or a decoder that cannot be used.
    """
    if name in PUBLISHED and task == RECONSTRUCT:
        build, size, passes = _published(name, layers)
        passes = epochs or (passes if minutes is None else MOST_EPOCHS)
        return Contender(name, build, passes, batch_size or size, minutes=minutes)
    facts: dict[str, Any] = {"width": width}
    if name not in PUBLISHED:
        try:
            stages(name, 2)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        facts["widths"] = widths or (width, width)
    if task.encoders:
        facts["encoder"] = encoder
    build = functools.partial(task.network, name, **facts)
    passes = epochs or (EPOCHS if minutes is None else MOST_EPOCHS)
    facts |= {"minutes": minutes, "task": task}
    return Contender(name, build, passes, batch_size or task.batch_size, task.rate, **facts)


def _published(name: str, layers: ModuleType) -> tuple[Callable[..., keras.Model], int, int]:
    """Return a tutorial's autoencoder as it was trained: its batches and epochs."""
    model, batch_size = {
        "upsampling": (upsampling_autoencoder, 25),
        "transposed": (transposed_autoencoder, 1000),
    }[name]

    def build(image_shape: tuple[int, int, int]) -> keras.Model:
        height, width, channels = image_shape
        if image_shape != (28, 28, 1):
            raise ValueError(
                f"The published autoencoder {name!r} takes 28x28 grey images. Received: "
                f"{height}x{width} with {channels} channels. Give --size 28 --grey, or a decoder "
                f"for any size: {', '.join(DECODERS)}."
            )
        return model(layers)

    return build, batch_size, 25


def check(contenders: Sequence[Contender], dataset: Dataset) -> None:
    """Refuse what cannot be trained, before a folder is made.

    Raises:
        ConfigError: if there is nothing to train, if a name occurs twice, if a batch is larger than
            the training set, or if the images do not fit a model.
    """
    names = [one.name for one in contenders]
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"Name at least one decoder, and each only once. Received: "
            f"{', '.join(names) or 'none'}."
        )
    for one in contenders:
        if one.batch_size > len(dataset.train):
            raise ConfigError(
                f"A batch of {one.batch_size} images is larger than the training set of "
                f"{len(dataset.train)}. Use a smaller --batch-size or more data."
            )
        if refused := one.task.refused(dataset.shape):
            raise ConfigError(refused)
        try:
            with random_weights_are_zeros():
                one.build(dataset.shape)
        except ValueError as error:
            raise ConfigError(str(error)) from error


def record(
    command: Sequence[str],
    experiment: str,
    dataset: Dataset,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    match: str | None = None,
    search: str | None = None,
) -> dict[str, Any]:
    """Return the effective configuration as JSON: all that is needed to repeat the run."""
    return {
        "command": shlex.join(command),
        "experiment": experiment,
        "task": contenders[0].task.name,
        **contenders[0].task.options,
        "data": {
            "name": dataset.name,
            "source": dataset.source,
            "sha256": dataset.sha256,
            "size": dataset.size,
            "grey": dataset.grey,
            "train": len(dataset.train),
            "validation": len(dataset.validation),
            "test": len(dataset.test),
            "shape": list(dataset.shape),
            "floor": entropy_floor(dataset.validation.pixels),
        },
        "decoders": [one.name for one in contenders],
        "seeds": list(seeds),
        "epochs": {one.name: one.epochs for one in contenders},
        "batch_size": {one.name: one.batch_size for one in contenders},
        "match": match,
        "search": search,
        "encoder": contenders[0].encoder,
        "width": contenders[0].width,
        "minutes": contenders[0].minutes,
        "optimizer": "adam",
        "learning_rate": {one.name: one.learning_rate for one in contenders},
        "widths": {one.name: one.widths for one in contenders if one.widths},
        "loss": contenders[0].task.loss,
        "backend": keras.backend.backend(),
        "versions": versions(),
        "machine": machine(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
