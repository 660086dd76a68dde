"""Judge how near the images of a generator are to real ones."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.datasets.storage import gathered
from polyphase.workbench.adversarial.classifier import Classifier, classifier_for
from polyphase.workbench.adversarial.distances import fid, kid, modes, nearest, precision_recall
from polyphase.workbench.adversarial.latents import latents
from polyphase.workbench.adversarial.spectra import radial_spectrum, spectral_distance
from polyphase.workbench.inference import BATCH
from polyphase.workbench.results import Imitation
from polyphase.workbench.tasks.task import NOT_TRAINED

MADE = 1000  # images that are judged, and as many real ones at most
PER_CLASS = 26  # made images, so that a class that is as frequent as others is hardly missed


def made_images(generator: keras.Model, count: int) -> np.ndarray:
    """Return a generator's images for latents that are always the same and were not trained on.

    Returns:
        `(count, height, width, channels)` in 0..1.
    """
    size = int(generator.input_shape[-1])
    parts = (
        generator.predict_on_batch(latents(NOT_TRAINED, 0, start, (BATCH, size)))[: count - start]
        for start in range(0, count, BATCH)
    )
    return gathered((count, *generator.output_shape[1:]), (part.clip(0, 1) for part in parts))


@dataclass(frozen=True, eq=False)
class Judge:
    """What generated images are compared with.

    Attributes:
        dataset: its validation images are the real images; its training images might be copied.
        classifier: the classifier whose features are compared.
    """

    dataset: Dataset
    classifier: Classifier

    @property
    def count(self) -> int:
        """How many images a generator has to make."""
        return max(MADE, PER_CLASS * len(self.classifier.labels))

    def kid(self, images: np.ndarray) -> float:
        """Return the KID of the first 1,000 images from the validation images."""
        return kid(self._real, self.classifier.features(images[:MADE]))

    def imitation(self, images: np.ndarray, shown: int) -> Imitation:
        """Return all other measures by which images are judged.

        Args:
            images: `(n, height, width, channels)` in 0..1; `count` of them are enough.
            shown: for this many of the first images, the nearest training images are returned.
        """
        few = images[:MADE]
        features = self.classifier.features(few)
        precision, recall = precision_recall(self._real, features)
        made, divergence = modes(self._reference, self.classifier.classes(images))
        train, spectrum = self.dataset.train.pixels, radial_spectrum(few)
        return Imitation(
            fid=fid(self._real, features),
            precision=precision,
            recall=recall,
            modes=made,
            reverse_kl=divergence,
            spectral_distance=spectral_distance(self._validation, few),
            nearness=_distance(few, train) / self._usual,
            spectrum=spectrum,
            neighbours=train[nearest(few[:shown], train)],
        )

    @property
    def _validation(self) -> np.ndarray:
        return self.dataset.validation.pixels[:MADE]

    @functools.cached_property
    def _real(self) -> np.ndarray:
        return self.classifier.features(self._validation)

    @functools.cached_property
    def _usual(self) -> float:
        """How far validation images are from the nearest training image."""
        return _distance(self._validation, self.dataset.train.pixels)

    @functools.cached_property
    def _reference(self) -> np.ndarray:
        """How frequent each class is among the training images."""
        places = {label: index for index, label in enumerate(self.classifier.labels)}
        found = [places[label] for label in self.dataset.train.labels]
        return np.bincount(found, minlength=len(places)) / len(found)


def judge_of(dataset: Dataset) -> Judge:
    """Return the judge for images like these; the judge of the last data set is kept.

    Raises:
        ConfigError: if there can be no classifier, as for images without labels.
    """
    key = (dataset.sha256, len(dataset.train))
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = Judge(dataset, classifier_for(dataset))
    return _KEPT[key]


_KEPT: dict[tuple[str, int], Judge] = {}


def failed(shape: tuple[int, ...]) -> Imitation:
    """Return the `Imitation` for a training that failed: nothing was measured.

    Args:
        shape: shape of the images that are shown.
    """
    numbers: dict[str, Any] = dict.fromkeys(Imitation.names(), math.nan) | {"modes": 0}
    return Imitation(
        **numbers,
        spectrum=np.full(min(shape[1:3]) // 2, np.nan),
        neighbours=np.zeros(shape, np.float32),
    )


def _distance(images: np.ndarray, train: np.ndarray) -> float:
    """Return the mean distance to the nearest training image."""
    differences = images - train[nearest(images, train)]
    return float(np.sqrt((differences.astype(np.float64) ** 2).sum(axis=(1, 2, 3))).mean())
