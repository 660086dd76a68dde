"""Learn images by heart: a generator without a discriminator."""

import zlib
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import keras
import numpy as np

from polyphase.datasets import Dataset, Images
from polyphase.models.gans import LATENT, gan_generator
from polyphase.workbench.tasks.task import Keys, Shape, Task, passes

IMAGES = 256  # of the training images, at most
_SHOWN = 8
_STEPS = 6000


@dataclass(frozen=True)
class Fit(Task):
    """The generator of `gan` learns images by heart; this shows what its stages can draw.

    There is no discriminator. Every image has 64 random numbers of its own, which depend only on
    its pixels. The generator is judged on the images that it was fitted to.

    Reference: Schwarz et al., "On the frequency bias of generative models", 2021, arXiv 2111.02447.
    """

    name: ClassVar[str] = "fit"
    verb: ClassVar[str] = "draws"
    models: ClassVar[str] = "Generators"
    fixed: ClassVar[str] = "The random numbers of each image"
    data: ClassVar[str] = "digits"
    loss: ClassVar[str] = "mean_squared_error"
    weight: ClassVar[float] = 255.0**2
    unit: ClassVar[str] = "grey levels squared"
    batch_size: ClassVar[int] = 32
    rate: ClassVar[float] = 3e-4
    width: ClassVar[int] = 16
    searched: ClassVar[bool] = False
    measure: ClassVar[str] = "loss"
    judged: ClassVar[str] = "the images that it was fitted to"
    validation: ClassVar[str] = "fitted images"
    test: ClassVar[str] = "fitted images"

    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return a generator of two stages."""
        return gan_generator(decoder, image_shape, **facts)

    def inputs(self, images: np.ndarray, keys: Keys) -> np.ndarray:
        """Return the numbers of each image, `(n, 64)`."""
        seeds = (zlib.crc32(np.ascontiguousarray(image).data) for image in images)
        numbers = [
            np.random.default_rng(seed).standard_normal(LATENT, np.float32) for seed in seeds
        ]
        return np.stack(numbers)

    def part(self, dataset: Dataset) -> Dataset:
        """Return the first 256 training images, to train with and to judge by."""
        pixels, labels = dataset.train.pixels[:IMAGES], dataset.train.labels[:IMAGES]
        first = Images(pixels[:_SHOWN], labels[:_SHOWN])
        every = Images(pixels, labels)
        return replace(dataset, train=every, validation=every, test=first)

    def epochs(self, images: int, batch_size: int) -> int:
        """Return how many passes over this number of images give 6,000 steps."""
        return passes(_STEPS, images, batch_size)
