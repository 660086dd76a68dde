"""Train one autoencoder: the same images in the same order for every model of a seed."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.workbench.config import LEARNING_RATE, Contender
from polyphase.workbench.results import Epoch

OnEpoch = Callable[[int, Epoch], None]


class Batches(keras.utils.PyDataset):
    """Images as their own targets, in an order that depends on seed and epoch alone.

    A last batch that would be smaller is left out (the next epoch's order gives its images
    another chance), so that every step has one shape and is compiled once.
    """

    def __init__(self, images: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__()
        self._images = images
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._images) // self._batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        batch = self._images[chosen]
        return batch, batch

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self._epoch += 1
        generator = np.random.default_rng([self._seed, self._epoch])
        self._order = generator.permutation(len(self._images))


class _Recorder(keras.callbacks.Callback):
    """Collect one `Epoch` per epoch; the clock stops before validation."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.history: list[Epoch] = []
        self._on_epoch = on_epoch
        self._began = self._seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        self._seconds = time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        one = Epoch(float(logs["loss"]), float(logs["val_loss"]), self._seconds)
        self.history.append(one)
        self._on_epoch(epoch, one)


def train(
    contender: Contender, dataset: Dataset, seed: int, on_epoch: OnEpoch
) -> tuple[keras.Model, tuple[Epoch, ...]]:
    """Build and train one autoencoder: Adam, binary cross-entropy, input = target.

    Args:
        contender: what to build, and for how many epochs in which batches.
        dataset: its training and validation images.
        seed: of the weights and of the data order.
        on_epoch: called after every epoch with its index from 0 and its `Epoch`.

    Returns:
        The trained model and one `Epoch` per epoch. On one machine and backend the same
        arguments give the same numbers.
    """
    keras.utils.set_random_seed(seed)
    model = contender.build(dataset.shape)
    model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss="binary_crossentropy")
    recorder = _Recorder(on_epoch)
    validation = dataset.validation.pixels
    model.fit(
        Batches(dataset.train.pixels, contender.batch_size, seed),
        epochs=contender.epochs,
        shuffle=False,
        validation_data=(validation, validation),
        validation_batch_size=min(len(validation), 1000),
        callbacks=[recorder],
        verbose=0,
    )
    return model, tuple(recorder.history)
