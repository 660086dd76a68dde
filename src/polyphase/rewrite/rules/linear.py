"""Sums of images that are upsampled alike: `R x + R y = R (x + y)`, for every interpolation."""

from typing import Any

from keras import layers

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed

_LINEAR = (layers.Add, layers.Subtract, layers.Average)


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | None:
    """Add the small images."""
    if type(layer) not in _LINEAR or not all(isinstance(value, Delayed) for value in inputs):
        return None
    first, *others = inputs
    shapes = {tuple(value.small.shape[1:]) for value in inputs}
    if any(one.way != first.way for one in others) or len(shapes) > 1:
        return None
    return first.holding(build.call(layer, [value.small for value in inputs]), layer, *others)
