"""What images show of the patterns that a model's layers might make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.algebra.harmonics import cells
from polyphase.inspection.draws import given, in_parts
from polyphase.inspection.found import Found
from polyphase.inspection.harmonics import Pattern, Period, patterns, spectra
from polyphase.inspection.periods import common, period_of
from polyphase.rewrite.graph import data_format

LEVELS = 255  # of grey between black and white
MOST = 1024  # images


@dataclass(frozen=True)
class Evidence:
    """How strong a pattern with a layer's period is in what a model makes of images.

    Attributes:
        period: per axis, in pixels of the output.
        levels: root mean square of the pattern, in grey levels: 255 are the range of the images.
        low: lower end of its 95% interval over the images.
        high: upper end of that interval.
        before: the same measure for the images themselves, if the output is compared with them; 0
            if it is not.
    """

    period: Period
    levels: float
    low: float
    high: float
    before: float

    @property
    def seen(self) -> bool:
        """Whether its interval lies above what the images have, and it is at least one level."""
        return self.low > self.before and self.levels >= 1


def evidence(model: keras.Model, layers: Sequence[Found], images: Any) -> dict[str, Evidence]:
    """Return what a model's first output shows, by the names of the layers whose period is known.

    An output with the shape of the input is compared with it: the errors are looked at. Of any
    other the output itself is.

    Args:
        model: Functional or Sequential.
        layers: whose patterns are looked for.
        images: an array, or a list of one for each input; at most 1,024 are taken.

    Raises:
        ValueError: if they do not fit the model's inputs.
        ImportError: if SciPy is not installed.
    """
    arrays = given(model, images, MOST)
    known = {one.name: period_of(model, one) for one in layers}
    periods = {name: period for name, period in known.items() if period is not None}
    if not periods:
        return {}
    outputs = _last(model, _run(model, arrays))
    same = model.outputs[0].shape[1:] == model.inputs[0].shape[1:]
    originals = _last(model, arrays[0].astype("float32")) if same else None
    reference = outputs if originals is None else originals
    scale = LEVELS / (float(np.ptp(reference)) or 1.0)
    count = cells(outputs.shape[1:-1], common(list(periods.values())))
    found = patterns(spectra(outputs, count, originals), periods.values())
    before = {} if originals is None else patterns(spectra(originals, count), periods.values())
    return {
        name: _scaled(period, found[period], before.get(period), scale)
        for name, period in periods.items()
    }


def _scaled(period: Period, found: Pattern, before: Pattern | None, scale: float) -> Evidence:
    return Evidence(
        period,
        levels=scale * found.amplitude,
        low=scale * found.low,
        high=scale * found.high,
        before=scale * before.amplitude if before else 0.0,
    )


def _run(model: keras.Model, arrays: list[np.ndarray]) -> np.ndarray:
    """Return the first output for all images; a batch that the model fixes is filled up."""
    found = []
    for part in in_parts(model, arrays):
        made = model.predict_on_batch(part if len(part) > 1 else part[0])
        first = made[0] if isinstance(made, list | tuple) else made
        found.append(np.asarray(first, "float32"))
    return np.concatenate(found)[: len(arrays[0])]


def _last(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return images with their channels last."""
    return images if data_format(model) == "channels_last" else np.moveaxis(images, 1, -1)
