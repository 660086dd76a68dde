"""Train one model: the same images in the same order for every model of a seed."""

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.workbench import checkpoint
from polyphase.workbench.config import Contender
from polyphase.workbench.inference import outputs
from polyphase.workbench.metrics import loss_of
from polyphase.workbench.plateau import done
from polyphase.workbench.results import Epoch
from polyphase.workbench.tasks import RECONSTRUCT, Task
from polyphase.workbench.tasks.task import keys_to_judge, keys_to_train

VALIDATION_BATCH = 1000
OnEpoch = Callable[[int, Epoch, bool], None]


class Batches(keras.utils.PyDataset):
    """Images as targets, in an order that depends only on seed and epoch.

    If the last batch would be smaller, it is left out, so that every step has one shape and is
    compiled once. In the next epoch, which has another order, its images may be used.
    """

    def __init__(
        self,
        images: np.ndarray,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        task: Task = RECONSTRUCT,
    ) -> None:
        super().__init__()
        self._task = task
        self._images = images
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch - 1
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._images) // self._batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        batch = self._images[chosen]
        return self._task.inputs(batch, keys_to_train(self._seed, self._epoch, chosen)), batch

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self._epoch += 1
        generator = np.random.default_rng([self._seed, self._epoch])
        self._order = generator.permutation(len(self._images))


class InOrder(keras.utils.PyDataset):
    """All images as targets, in their order; the last batch may be smaller."""

    def __init__(self, images: np.ndarray, task: Task = RECONSTRUCT) -> None:
        super().__init__()
        self._task = task
        self._images = images

    def __len__(self) -> int:
        return math.ceil(len(self._images) / VALIDATION_BATCH)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        start = index * VALIDATION_BATCH
        batch = self._images[start : start + VALIDATION_BATCH].copy()
        return self._task.inputs(batch, keys_to_judge(range(start, start + len(batch)))), batch


class _Recorder(keras.callbacks.Callback):
    """Collect one `Epoch` per epoch; the clock stops before validation."""

    def __init__(
        self,
        contender: Contender,
        history: list[Epoch],
        on_epoch: OnEpoch,
        saved: Path | None,
        belongs: str,
    ) -> None:
        super().__init__()
        self.history = history
        self._contender = contender
        self._on_epoch = on_epoch
        self._saved = saved
        self._belongs = belongs
        self._began = self._seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        # JAX has only been told what to compute: the last step's result is there when all is done.
        keras.ops.convert_to_numpy(self.model.trainable_variables[0].value)
        self._seconds = time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        one = Epoch(float(logs["loss"]), float(logs["val_loss"]), self._seconds)
        self.history.append(one)
        if self._saved:
            variables = checkpoint.variables_of(self.model)
            checkpoint.save(self._saved, variables, self.history, self._belongs)
        self.model.stop_training = done(self._contender, self.history)
        self._on_epoch(epoch, one, self.model.stop_training)


def untrained(contender: Contender, dataset: Dataset, seed: int) -> keras.Model:
    """Return a contender's untrained model with the weights of a seed."""
    keras.utils.set_random_seed(seed)
    return contender.build(dataset.shape)


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
    """Build and train one model with Adam and the loss of its task.

    Args:
        contender: what to build, how many epochs to train it, and in which batches.
        dataset: training and validation images.
        seed: seed of the weights and of the data order.
        on_epoch: called after every epoch with its index from 0, its `Epoch`, and whether it was
            the last; also for epochs that are restored.
        saved: file that is written after every epoch; if it exists, training continues from there.
        start: what `drawn(contender, dataset, seed)` returned elsewhere; None: drawn here.
        again: a model that `train` returned for this contender, perhaps with another seed or
            learning rate. It may be trained anew without compiling again, and then loses what it
            had learnt. All state of its layers must be in Keras' variables.
        on_start: called with the model as `untrained` returns it.

    Returns:
        The trained model and one `Epoch` per epoch. On one machine and backend the same
        arguments give the same numbers, interrupted or not, with `again` or without.

    Raises:
        ConfigError: if `saved` is damaged or belongs to another training.
    """
    model = untrained(contender, dataset, seed)
    on_start(model)
    if start:
        assign(model.variables, start)
    model = _compiled(model, contender, again)
    belongs, history = owner(contender, dataset, seed), []
    if saved and saved.exists():
        history = checkpoint.restore(saved, checkpoint.variables_of(model), belongs)
    over = bool(history) and done(contender, history)
    begin = len(history)
    for epoch, one in enumerate(history):
        on_epoch(epoch, one, over and epoch + 1 == begin)
    recorder = _Recorder(contender, history, on_epoch, saved, belongs)
    task = contender.task
    model.fit(
        Batches(dataset.train.pixels, contender.batch_size, seed, begin, task),
        epochs=begin if over else contender.epochs,
        initial_epoch=begin,
        shuffle=False,
        validation_data=InOrder(dataset.validation.pixels, task),
        callbacks=[recorder],
        verbose=0,
    )
    return model, tuple(recorder.history)


def drawn(contender: Contender, dataset: Dataset, seed: int) -> list[np.ndarray]:
    """Return the initial values of all variables that are drawn before a training."""
    variables = untrained(contender, dataset, seed).variables
    return [keras.ops.convert_to_numpy(one.value) for one in variables]


def assign(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Give variables their values."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def validation_loss(contender: Contender, model: keras.Model, dataset: Dataset) -> float:
    """Return the task's loss on all validation images."""
    images, task = dataset.validation.pixels, contender.task
    return loss_of(task, images, outputs(model, images, task))


def _compiled(first: keras.Model, contender: Contender, again: keras.Model | None) -> keras.Model:
    """Return a compiled model with the weights of `first` and an optimiser that never stepped."""
    optimizer = keras.optimizers.Adam(contender.learning_rate)
    # PyTorch compiles nothing => a fresh model costs nothing, and draws dropout as it always did.
    if again is None or keras.backend.backend() == "torch":
        first.compile(optimizer, loss=contender.task.loss, loss_weights=contender.task.weight)
        return first
    optimizer.build(again.trainable_variables)
    state = [*first.variables, *optimizer.variables]
    assign(checkpoint.variables_of(again), [keras.ops.convert_to_numpy(one) for one in state])
    return again


def owner(contender: Contender, dataset: Dataset, seed: int) -> str:
    """Return what tells the checkpoint of a training from others."""
    facts = {"decoder": contender.name, "seed": seed, "widths": contender.widths}
    facts |= {"batch_size": contender.batch_size, "learning_rate": contender.learning_rate}
    facts |= {"width": contender.width, "encoder": contender.encoder}
    facts |= {"task": contender.task.name, **contender.task.options}
    return json.dumps(facts | {"data": dataset.sha256})
