"""What a task is: from which input a model has to return an image."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from polyphase._facts import BATCH_SIZE, WIDTH
from polyphase.datasets import Dataset

Shape = tuple[int, int, int]
Keys = Sequence[Sequence[int]]
Map = Callable[[np.ndarray], np.ndarray]

NOT_TRAINED = 2**32 - 1  # where trainings have their seed


@dataclass(frozen=True)
class Task(ABC):
    """What models are trained to do, and with which loss.

    Attributes:
        name: its name on the command line.
        verb: what a model does with an image.
        models: what the models are called.
        fixed: the parts of the models that are the same for every decoder.
        data: the default images.
        encoders: whether the encoder can be chosen from `models.ENCODERS`.
        batch_size: default number of images per step.
        rate: learning rate of Adam, unless it is searched.
        width: default number of channels of the parts that are the same for every decoder.
        model: name of the file with the model that `polyphase train` writes.
        loss: Keras' name of the loss.
        weight: factor by which the loss is multiplied.
        unit: unit of the product.
        measure: what the validation loss is called.
        judged: the images on which it is measured, in words.
        validation: what these images are called on a page.
        test: what the images that are shown are called.
        searched: whether learning rates can be searched with held-out images.
        paired: whether each output of a model is compared with one image.
        given: what a model is given, in words; empty if it is the image itself.
    """

    name: ClassVar[str]
    verb: ClassVar[str]
    models: ClassVar[str]
    fixed: ClassVar[str]
    data: ClassVar[str]
    encoders: ClassVar[bool] = False
    batch_size: ClassVar[int] = BATCH_SIZE
    rate: ClassVar[float] = 0.001
    width: ClassVar[int] = WIDTH
    model: ClassVar[str] = "model.keras"
    loss: ClassVar[str]
    weight: ClassVar[float] = 1.0
    unit: ClassVar[str] = "nats/pixel"
    measure: ClassVar[str] = "validation loss"
    judged: ClassVar[str] = "images that were not trained on"
    validation: ClassVar[str] = "validation images"
    test: ClassVar[str] = "test images"
    searched: ClassVar[bool] = True
    paired: ClassVar[bool] = True
    given: ClassVar[str] = ""

    @abstractmethod
    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return an untrained model.

        Its stages are called `up_1`, `up_2`, ...; everything before `up_1` is the same for all.

        Args:
            decoder: name of the decoder for its stages.
            image_shape: `(height, width, channels)` of what it returns.
            facts: `width` and `widths`, as `models.comparison_autoencoder` takes them, and
                `encoder` where there are `encoders`.
        """

    def inputs(self, images: np.ndarray, keys: Keys) -> np.ndarray:
        """Return what a model is given.

        Args:
            images: `(n, height, width, channels)` float32 in 0..1.
            keys: for each image, the numbers on which all randomness depends, and nothing else.
        """
        return images

    def baselines(self) -> dict[str, Map]:
        """Return functions that do the task without training, by their names."""
        return {}

    def refused(self, shape: Shape) -> str:
        """Return why images of a shape cannot be used; "" if they can, or the network says why."""
        return ""

    def part(self, dataset: Dataset) -> Dataset:
        """Return the part of a dataset that the task uses."""
        return dataset

    def epochs(self, images: int, batch_size: int) -> int | None:
        """Return how many passes over this number of images are enough; None for the default."""
        return None

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of the task, with their values."""
        return asdict(self)


def passes(steps: int, images: int, batch_size: int) -> int:
    """Return how many passes over this number of images give these steps, or a few more."""
    return math.ceil(steps / max(1, images // batch_size))


def keys_to_train(seed: int, epoch: int, chosen: Iterable[int]) -> Keys:
    """Return the keys of images that are trained on: others in every epoch."""
    return [(seed, epoch, int(index)) for index in chosen]


def keys_to_judge(indices: Iterable[int]) -> Keys:
    """Return the keys of images that are not: always the same."""
    return [(NOT_TRAINED, index) for index in indices]
