"""After how many pixels of a model's output the pattern of a layer repeats."""

import math
from collections.abc import Sequence
from fractions import Fraction

import keras

from polyphase.inspection.alignment import scales
from polyphase.inspection.found import Found
from polyphase.inspection.harmonics import Period


def period_of(model: keras.Model, one: Found) -> Period | None:
    """Return a layer's period in pixels of the first output; None: not known, or not whole."""
    scale = scales(model, one.shown)[0] if one.in_graph else None
    if scale is None:
        return None
    period = [Fraction(s) / by for s, by in zip(one.factor, scale, strict=True)]
    whole = all(one.denominator == 1 for one in period) and set(period) != {1}
    return tuple(map(int, period)) if whole else None


def common(periods: Sequence[Period]) -> Period:
    """Return the shortest period that all of some divide.

    Example:
        >>> common([(2, 2), (4, 3)])
        (4, 6)
    """
    return tuple(math.lcm(*along) for along in zip(*periods, strict=True))
