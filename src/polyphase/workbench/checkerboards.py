"""What an upsampling leaves behind: in the weights, and in the errors of reconstructions."""

from dataclasses import dataclass

import keras
import numpy as np

from polyphase.algebra.checkerboard import checkerboard_gain, pattern
from polyphase.datasets.storage import slices
from polyphase.inspection import readings_of
from polyphase.metrics import PeriodicBias, PeriodicVariance


@dataclass(frozen=True, eq=False)
class Checkerboard:
    """Of one trained model.

    Attributes:
        chi: the largest checkerboard gain of its layers.
        pattern: what a constant comes out of the last upsampling layer as, divided by its mean,
            `(s_h, s_w)`; the period of that layer is the one of all that follows.
        mean_error: mean of reconstruction minus original at every place of a period, less the mean
            of all, `(s_h, s_w)`; in units of the images, over all images and channels.
        bias: `PeriodicBias` of the reconstructions.
        variance: `PeriodicVariance` of the reconstructions.
        spectrum: mean power of the errors along rows at 0, 1/width, ..., 1/2 cycles per pixel.
    """

    chi: float
    pattern: np.ndarray
    mean_error: np.ndarray
    bias: float
    variance: float
    spectrum: np.ndarray


def measure(model: keras.Model, originals: np.ndarray, reconstructions: np.ndarray) -> Checkerboard:
    """Return what a model's upsampling leaves behind.

    Args:
        model: built; one that does not upsample has the chi 0 and the period 2.
        originals: `(n, height, width, channels)` in 0..1.
        reconstructions: the same shape.
    """
    readings = [one for one in readings_of(model) if not one.gradient]
    uneven = [one.gains for one in readings if one.gains is not None]
    size = readings[-1].factor if readings else (2, 2)
    period = (int(size[0]), int(size[1]))
    last = readings[-1].gains if readings else None
    bias, variance = PeriodicBias(period), PeriodicVariance(period)
    mean, spectrum = np.zeros(period), np.zeros(originals.shape[2] // 2 + 1)
    for part in slices(originals.shape):
        for metric in (bias, variance):
            metric.update_state(originals[part], reconstructions[part])
        errors = reconstructions[part].astype(np.float64) - originals[part]
        mean += len(errors) / len(originals) * _mean(errors, period)
        spectrum += len(errors) / len(originals) * _spectrum(errors)
    return Checkerboard(
        chi=max([0.0, *map(checkerboard_gain, uneven)]),
        pattern=np.ones(period) if last is None else pattern(last),
        mean_error=mean - mean.mean(),
        bias=float(bias.result()),
        variance=float(variance.result()),
        spectrum=spectrum,
    )


def _mean(errors: np.ndarray, period: tuple[int, int]) -> np.ndarray:
    """Return the mean at every place of a period."""
    s_h, s_w = period
    return np.array([[errors[:, p::s_h, q::s_w].mean() for q in range(s_w)] for p in range(s_h)])


def _spectrum(errors: np.ndarray) -> np.ndarray:
    """Return the mean power along rows at every frequency."""
    return np.asarray((np.abs(np.fft.rfft(errors, axis=2)) ** 2).mean(axis=(0, 1, 3)))
