"""What models make of images, and how long they take."""

import time
from collections.abc import Sequence

import keras
import numpy as np

from polyphase.datasets.storage import gathered
from polyphase.workbench.tasks import RECONSTRUCT, Task
from polyphase.workbench.tasks.task import Map, keys_to_judge

BATCH = 256


def outputs(model: keras.Model, images: np.ndarray, task: Task = RECONSTRUCT) -> np.ndarray:
    """Return what a model makes of all images, in batches of one shape, so it compiles once."""
    return made(model.predict_on_batch, images, task)


def clipped(function: Map) -> Map:
    """Return a function whose results lie in 0..1."""
    return lambda inputs: function(inputs).clip(0, 1)


def made(function: Map, images: np.ndarray, task: Task) -> np.ndarray:
    """Return what a function makes of the task's inputs for all images, in batches of one shape.

    Args:
        function: a function of `BATCH` inputs.
        images: `(n, height, width, channels)`; results have the same shape.
        task: the task, which makes the inputs from the images.
    """
    parts = (
        function(_batch(images, start, task))[: len(images) - start]
        for start in range(0, len(images), BATCH)
    )
    return gathered(images.shape, parts)


def _batch(images: np.ndarray, start: int, task: Task = RECONSTRUCT) -> np.ndarray:
    """Return inputs of `BATCH` images from `start` on, from the first again after the last."""
    indices = np.arange(start, start + BATCH) % len(images)
    return task.inputs(images[indices], keys_to_judge(indices.tolist()))


def inference_seconds(
    models: Sequence[keras.Model], images: np.ndarray, rounds: int = 15
) -> list[float]:
    """Return the median seconds per image of each model, measured in turns after warm-up.

    Args:
        models: built models, which take images or something else.
        images: `(n, height, width, channels)`; models that take such images get the first `BATCH`,
            others get random numbers of their own input shape.
        rounds: timed calls of each model.
    """
    batches = [_input(model, images) for model in models]
    times: list[list[float]] = [[] for _ in models]
    for round_ in range(rounds + 2):
        for model, batch, measured in zip(models, batches, times, strict=True):
            began = time.perf_counter()
            model.predict_on_batch(batch)
            if round_ >= 2:
                measured.append((time.perf_counter() - began) / len(batch))
    return [float(np.median(measured)) for measured in times]


def _input(model: keras.Model, images: np.ndarray) -> np.ndarray:
    shape = model.input_shape[1:]
    if shape == images.shape[1:]:
        return _batch(images, 0)
    return np.random.default_rng(0).random((BATCH, *shape), np.float32)


def decoder_of(autoencoder: keras.Model) -> keras.Sequential | None:
    """Return an autoencoder's decoder: the first layer that enlarges, and all layers after it.

    The encoder of a comparison is the same for all, and takes more than half of the time. A model
    that enlarges nothing is returned whole. None is returned for a model that is not Sequential,
    where the decoder may need more than the code, and for one that does not take images.

    Args:
        autoencoder: a built model, for images of known size; it shares its layers with the result.

    Example:
        >>> from polyphase.models import comparison_autoencoder
        >>> decoder_of(comparison_autoencoder("nearest")).input_shape
        (None, 4, 4, 8)
    """
    if not isinstance(autoencoder, keras.Sequential) or len(autoencoder.input_shape) < 4:
        return None
    layers = autoencoder.layers
    sides = [(layer.input.shape[1], layer.output.shape[1]) for layer in layers]
    first = next((index for index, (before, after) in enumerate(sides) if after > before), 0)
    code = keras.Input(batch_shape=layers[first].input.shape)
    return keras.Sequential([code, *layers[first:]])
