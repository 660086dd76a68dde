"""The patterns that upsampling leaves in the weights and in the errors of reconstructions."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from polyphase.algebra.checkerboard import checkerboard_gain, pattern
from polyphase.algebra.harmonics import cells
from polyphase.datasets.storage import slices
from polyphase.inspection.found import Found, found
from polyphase.inspection.harmonics import Pattern, Period, amplitudes, patterns, spectra
from polyphase.inspection.periods import common, period_of
from polyphase.metrics import PeriodicBias, PeriodicVariance


@dataclass(frozen=True)
class Stage:
    """One layer that upsamples, and the pattern at the harmonics of its period.

    Harmonics of a shorter period in the same model count for the layer of that period: a later
    layer makes them too.

    Attributes:
        layer: its name; in a nested model `outer/layer`.
        period: `(rows, columns)`, in pixels of the output.
        chi: checkerboard gain of its weights.
        untrained: gain of the weights with which the training began; None: not known.
        errors: the pattern in reconstruction minus original.
        originals: the same measure in the originals themselves.
    """

    layer: str
    period: Period
    chi: float
    untrained: float | None
    errors: Pattern
    originals: Pattern

    @property
    def seen(self) -> bool:
        """Whether the errors certainly have more of the pattern than the originals themselves.

        If a model only loses detail of the originals, its errors have at most as much as these.
        """
        return self.errors.low > self.originals.amplitude


@dataclass(frozen=True, eq=False)
class Checkerboard:
    """The patterns of one trained model.

    Attributes:
        chi: the largest checkerboard gain of its layers.
        pattern: what the last upsampling layer makes of a constant, divided by its mean,
            `(s_h, s_w)`.
        mean_error: mean of reconstruction minus original at every position in that layer's period,
            minus the mean over all positions, `(s_h, s_w)`; in units of the images, over all images
            and channels.
        bias: `PeriodicBias` of the reconstructions, at that layer's period.
        variance: `PeriodicVariance` of the reconstructions, at that layer's period.
        spectrum: mean power of the errors along rows at 0, 1/width, ..., 1/2 cycles per pixel.
        stages: one for each upsampling layer, in their order.
        harmonics: amplitudes of the errors at the harmonics of the longest period, as returned by
            `inspection.harmonics.amplitudes`; None for runs that did not measure them.
    """

    chi: float
    pattern: np.ndarray
    mean_error: np.ndarray
    bias: float
    variance: float
    spectrum: np.ndarray
    stages: tuple[Stage, ...] = ()
    harmonics: np.ndarray | None = None


def measure(
    model: keras.Model,
    originals: np.ndarray,
    reconstructions: np.ndarray,
    untrained: Sequence[float] | None = None,
    paired: bool = True,
) -> Checkerboard:
    """Return the patterns that a model's upsampling leaves.

    Args:
        model: a built model; one that does not upsample has the chi 0 and the period 2.
        originals: `(n, height, width, channels)` in 0..1.
        reconstructions: the same shape.
        untrained: `gains_of` the model before it was trained; None: not known.
        paired: whether each reconstruction belongs to one original; otherwise the patterns and the
            spectrum are those of the generated images, not of errors.
    """
    layers = _upsampling(model)
    uneven = [one.reading.gains for one in layers if one.reading.gains is not None]
    size = layers[-1].reading.factor if layers else (2, 2)
    period = (int(size[0]), int(size[1]))
    last = layers[-1].reading.gains if layers else None
    bias, variance = PeriodicBias(period), PeriodicVariance(period)
    mean, spectrum = np.zeros(period), np.zeros(originals.shape[2] // 2 + 1)
    for part in slices(originals.shape):
        for metric in (bias, variance):
            metric.update_state(originals[part], reconstructions[part])
        made = reconstructions[part].astype(np.float64)
        errors = made - originals[part]
        mean += len(errors) / len(originals) * _mean(errors, period)
        spectrum += len(errors) / len(originals) * _spectrum(errors if paired else made)
    stages, harmonics = _stages(model, originals, reconstructions, untrained, paired)
    return Checkerboard(
        chi=max([0.0, *map(checkerboard_gain, uneven)]),
        pattern=np.ones(period) if last is None else pattern(last),
        mean_error=mean - mean.mean(),
        bias=float(bias.result()),
        variance=float(variance.result()),
        spectrum=spectrum,
        stages=stages,
        harmonics=harmonics,
    )


def gains_of(model: keras.Model) -> list[float]:
    """Return the checkerboard gain of every layer that upsamples, in their order."""
    return [_chi(one) for one in _upsampling(model)]


def _upsampling(model: keras.Model) -> list[Found]:
    return [one for one in found(model) if not one.reading.gradient]


def _stages(
    model: keras.Model,
    originals: np.ndarray,
    reconstructions: np.ndarray,
    untrained: Sequence[float] | None,
    paired: bool,
) -> tuple[tuple[Stage, ...], np.ndarray | None]:
    """Return the stages of a model whose periods are known, and the amplitudes of all harmonics."""
    layers = _upsampling(model)
    before = [None] * len(layers) if untrained is None else untrained
    known = [
        (one, first, period)
        for one, first in zip(layers, before, strict=True)
        if (period := period_of(model, one)) is not None
    ]
    if not known:
        return (), None
    periods = [period for *_, period in known]
    longest = common(periods)
    count = cells(originals.shape[1:3], longest)
    errors = spectra(reconstructions, count, originals if paired else None)
    own, theirs = patterns(errors, periods), patterns(spectra(originals, count), periods)
    stages = tuple(
        Stage(one.name, period, _chi(one), first, own[period], theirs[period])
        for one, first, period in known
    )
    return stages, amplitudes(errors, longest)


def _chi(one: Found) -> float:
    return 0.0 if one.reading.gains is None else checkerboard_gain(one.reading.gains)


def _mean(errors: np.ndarray, period: tuple[int, int]) -> np.ndarray:
    """Return the mean at every position in a period."""
    s_h, s_w = period
    return np.array([[errors[:, p::s_h, q::s_w].mean() for q in range(s_w)] for p in range(s_h)])


def _spectrum(errors: np.ndarray) -> np.ndarray:
    """Return the mean power along rows at every frequency."""
    return np.asarray((np.abs(np.fft.rfft(errors, axis=2)) ** 2).mean(axis=(0, 1, 3)))
