"""What a task is: what a model is given of an image that it shall return."""

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
        name: as on the command line.
        verb: what a model does with an image.
        models: what they are called.
        fixed: what of them is the same for every decoder.
        data: images to do it with, unless others are given.
        encoders: whether the encoder can be chosen, of `models.ENCODERS`.
        batch_size: images per step, unless told.
        rate: learning rate of Adam, unless one is searched.
        width: channels of what is the same for every decoder, unless told.
        model: the file that a training of one model leaves.
        loss: as Keras names it.
        weight: by which it is multiplied.
        unit: of the product.
        measure: what the validation loss is called.
        judged: the images that it is of, in words.
        validation: what those are called on a page.
        test: what the images that are shown are called.
        searched: whether learning rates can be searched, with images that are held out.
        paired: whether what a model makes is to be one image.
        given: what a model gets, in words; empty: the image itself.
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

        Its stages are called `up_1`, `up_2`, ...; what is before `up_1` is the same for all.

        Args:
            decoder: of its stages.
            image_shape: `(height, width, channels)` of what it returns.
            facts: `width` and `widths`, as `models.comparison_autoencoder` takes them, and
                `encoder` where there are `encoders`.
        """

    def inputs(self, images: np.ndarray, keys: Keys) -> np.ndarray:
        """Return what a model is given.

        Args:
            images: `(n, height, width, channels)` float32 in 0..1.
            keys: of each image: numbers that what is random depends on, and on nothing else.
        """
        return images

    def baselines(self) -> dict[str, Map]:
        """Return ways to do it without training, by their names: of inputs, to images."""
        return {}

    def refused(self, shape: Shape) -> str:
        """Return why images of a shape cannot be used, if its network does not say it well."""
        return ""

    def part(self, dataset: Dataset) -> Dataset:
        """Return the images that it is done with."""
        return dataset

    def epochs(self, images: int, batch_size: int) -> int | None:
        """Return how many passes over so many images are enough; None: as for any images."""
        return None

    @property
    def options(self) -> Mapping[str, Any]:
        """What of it can be chosen, with its values."""
        return asdict(self)


def passes(steps: int, images: int, batch_size: int) -> int:
    """Return how many passes over so many images take so many steps, or a few more."""
    return math.ceil(steps / max(1, images // batch_size))


def keys_to_train(seed: int, epoch: int, chosen: Iterable[int]) -> Keys:
    """Return the keys of images that are trained on: others in every epoch."""
    return [(seed, epoch, int(index)) for index in chosen]


def keys_to_judge(indices: Iterable[int]) -> Keys:
    """Return the keys of images that are not: always the same."""
    return [(NOT_TRAINED, index) for index in indices]
