"""A small classifier, whose features show how near generated images are to real ones.

It is not an Inception network, so distances of its features cannot be compared with published ones.
The shipped classifier was trained by `benchmarks/train_classifier.py`, on MNIST and on the embedded
digits.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from importlib import resources
from itertools import product
from typing import Any

import keras
import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D

from polyphase.datasets import Dataset, Images
from polyphase.workbench.config import ConfigError

SHIPPED, TRAINED = "polyphase digits classifier", "trained on these images"
FEATURES = 64  # of an image; of stacked digits, of each channel
RATE, BATCH, STEPS = 1e-3, 64, 500  # of a training anew
ENOUGH = 0.9  # of the validation images, for the shipped classifier
WEIGHTS = resources.files("polyphase.workbench.adversarial") / "classifier.npz"
_DIGITS, _SIDE, _STACKED = "0123456789", 28, 3
_BLOCK = 1000  # images at once


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network, and the facts about it.

    Attributes:
        name: `SHIPPED` or `TRAINED`.
        model: a model from images to features `(batch, 64)` and scores `(batch, classes)`.
        labels: texts; a class is an index into them.
        accuracy: share of the validation images that it classifies according to their labels.
        stacked: whether each of three channels is a digit of its own, and classes are numbers of
            three digits; the model then takes one channel at a time.
    """

    name: str
    model: keras.Model
    labels: tuple[str, ...]
    accuracy: float = math.nan
    stacked: bool = False

    @property
    def sha256(self) -> str:
        """Hex digest of the weights: float32, little-endian, in the network's order."""
        digest = hashlib.sha256()
        for weight in self.model.get_weights():
            digest.update(np.ascontiguousarray(weight, dtype="<f4").data)
        return digest.hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        """Facts about the classifier for a report."""
        return {"name": self.name, "accuracy": self.accuracy, "sha256": self.sha256}

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the output of the last layer but one; for stacked digits, channel after channel.

        Args:
            images: `(n, height, width, channels)` in 0..1, at least one.

        Returns:
            `(n, 64)` float32, or `(n, 192)` for stacked digits.

        Raises:
            ValueError: for images of another shape.

        Exactness: the three backends agree within 1e-4 on CPUs.
        """
        return self._computed(images)[0]

    def classes(self, images: np.ndarray) -> np.ndarray:
        """Return the class of each image, `(n,)` integers: indices into `labels`.

        See `features`.
        """
        return self._computed(images)[1]

    def share_right(self, images: Images) -> float:
        """Return the share of images that are classified according to their labels."""
        found = [self.labels[index] for index in self.classes(images.pixels)]
        right = [one == label for one, label in zip(found, images.labels, strict=True)]
        return sum(right) / len(right)

    def _computed(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features and classes."""
        *sides, channels = self.model.input_shape[1:]
        expected = (*sides, _STACKED if self.stacked else channels)
        if images.shape[1:] != expected or len(images) == 0:
            raise ValueError(
                f"The classifier takes images of shape {expected}, at least one. Received: "
                f"{images.shape}. Use `classifier_for` with a data set of such images."
            )
        if not self.stacked:
            return _predicted(self.model, images)
        parts = [_predicted(self.model, images[..., i : i + 1]) for i in range(_STACKED)]
        features, digits = zip(*parts, strict=True)
        numbers = np.ravel_multi_index(digits, (len(_DIGITS),) * _STACKED)
        return np.concatenate(features, axis=1), np.asarray(numbers)


def network(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Return an untrained classifier: three convolutions with poolings, and two dense layers.

    Args:
        image_shape: `(height, width, channels)`, any.
        classes: how many it tells apart.

    Returns:
        A model from images to features `(batch, 64)` and scores `(batch, classes)`; the softmax of
        the scores is probabilities. The weights are the same each time.

    Example:
        >>> network((28, 28, 1), 10).count_params()
        47530
    """
    kernels = [keras.initializers.HeUniform(seed) for seed in range(5)]
    x = images = Input(image_shape)
    for filters, kernel in zip((16, 32, 32), kernels, strict=False):
        x = Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=kernel)(x)
        x = MaxPooling2D(padding="same")(x)
    x = Flatten()(x)
    features = Dense(FEATURES, activation="relu", kernel_initializer=kernels[3])(x)
    scores = Dense(classes, kernel_initializer=kernels[4])(features)
    return keras.Model(images, [features, scores], name="classifier")


def learn(model: keras.Model, images: np.ndarray, targets: np.ndarray, steps: int) -> None:
    """Train a `network` with Adam and cross-entropy, at a rate that falls to 0 along a cosine.

    Afterwards the mean square of its features is 1, so that their distances have one scale.

    Args:
        model: changed in place.
        images: `(n, height, width, channels)` in 0..1.
        targets: `(n,)` integers, its classes.
        steps: least number of steps, of at most 64 images each; the last epoch is completed.
    """
    batches = _Batches(images, targets.astype("int32"))  # JAX has no int64, and warns
    epochs = math.ceil(steps / len(batches))
    scores = keras.Model(model.input, model.outputs[1])
    scores.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(RATE, epochs * len(batches)),
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    scores.fit(batches, epochs=epochs, shuffle=False, verbose=0)
    _normalise(model, images[:: math.ceil(len(images) / _BLOCK)])


def shipped(channels: int = 1) -> Classifier:
    """Return the classifier of digits, 28x28, that comes with the package.

    Args:
        channels: 1, or 3 for stacked digits.

    Example:
        >>> shipped().labels[7], shipped(3).labels[407]
        ('7', '407')
    """
    model = network((_SIDE, _SIDE, 1), len(_DIGITS))
    with WEIGHTS.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        model.set_weights([arrays[name] for name in arrays.files])
    labels = tuple(map("".join, product(_DIGITS, repeat=channels)))
    return Classifier(SHIPPED, model, labels, stacked=channels == _STACKED)


def classifier_for(dataset: Dataset) -> Classifier:
    """Return the classifier whose features are used to judge images generated to be like these.

    1. The shipped classifier, for 28x28 pixels with 1 or 3 channels, if it classifies 90% of the
       validation images according to their labels.
    2. Otherwise the same network, trained on the training images, in the same way each time.

    Raises:
        ConfigError: for images without labels, or with only one label.

    Example:
        >>> from polyphase.datasets import load
        >>> classifier_for(load("digits")).name
        'polyphase digits classifier'
    """
    height, width, channels = dataset.shape
    labelled = all(dataset.train.labels) and all(dataset.validation.labels)
    labels = tuple(sorted(set(dataset.train.labels)))
    if not labelled or len(labels) == 1:
        raise ConfigError(
            "Generated images are judged by a classifier, which needs two or more labels to learn. "
            f"Received: {'one label' if labelled else 'images without labels'}, "
            f"{height}x{width} with {channels} channels. Give a folder with a subfolder for each "
            "class, or an .npz file with y_train."
        )
    if (height, width) == (_SIDE, _SIDE):
        found = shipped(channels)
        found = replace(found, accuracy=found.share_right(dataset.validation))
        if found.accuracy >= ENOUGH and set(labels) <= set(found.labels):
            return found
    model = network(dataset.shape, len(labels))
    learn(model, dataset.train.pixels, np.searchsorted(labels, dataset.train.labels), STEPS)
    found = Classifier(TRAINED, model, labels)
    return replace(found, accuracy=found.share_right(dataset.validation))


class _Batches(keras.utils.PyDataset):
    """Images and their classes, in an order that depends on the epoch alone."""

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        super().__init__()
        self._images = images
        self._targets = targets
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return max(1, len(self._images) // BATCH)  # whole ones, so that a step is compiled once

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * BATCH : (index + 1) * BATCH]
        return self._images[chosen], self._targets[chosen]

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self._epoch += 1
        self._order = np.random.default_rng(self._epoch).permutation(len(self._images))


def _normalise(model: keras.Model, images: np.ndarray) -> None:
    """Divide the features by the root of their mean square over these images.

    relu(x / a) = relu(x) / a for a > 0, and the next layer multiplies by a: the scores stay.
    """
    size = float(np.sqrt(np.mean(_predicted(model, images)[0] ** 2)))
    if size == 0:  # of black images
        return
    features, scores = model.layers[-2:]
    features.set_weights([weight / size for weight in features.get_weights()])
    kernel, bias = scores.get_weights()
    scores.set_weights([size * kernel, bias])


def _predicted(model: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features `(n, 64)`, and the class of the highest score `(n,)`."""
    starts = range(0, len(images), _BLOCK)
    parts = [model.predict_on_batch(images[start : start + _BLOCK]) for start in starts]
    features, scores = (np.concatenate(some) for some in zip(*parts, strict=True))
    return features, scores.argmax(axis=1)
