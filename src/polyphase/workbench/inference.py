"""What a model makes of images, and how long it takes."""

import time
from collections.abc import Sequence

import keras
import numpy as np

from polyphase.datasets.storage import gathered

BATCH = 256


def reconstruct(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the model's output for all images, in batches of one shape: compiled once."""
    outputs = (
        model.predict_on_batch(_batch(images, start))[: len(images) - start]
        for start in range(0, len(images), BATCH)
    )
    return gathered(images.shape, outputs)


def _batch(images: np.ndarray, start: int) -> np.ndarray:
    """Return `BATCH` images from `start` on, from the first again after the last."""
    return images[np.arange(start, start + BATCH) % len(images)]


def inference_seconds(
    models: Sequence[keras.Model], images: np.ndarray, rounds: int = 15
) -> list[float]:
    """Return the median seconds per image of each model, measured in turns after warm-up.

    Args:
        models: built models of the same input shape.
        images: `(n, height, width, channels)`; the first `BATCH` are used.
        rounds: timed calls of each model.
    """
    batch = _batch(images, 0)
    times: list[list[float]] = [[] for _ in models]
    for round_ in range(rounds + 2):
        for model, measured in zip(models, times, strict=True):
            began = time.perf_counter()
            model.predict_on_batch(batch)
            if round_ >= 2:
                measured.append((time.perf_counter() - began) / len(batch))
    return [float(np.median(measured)) for measured in times]
