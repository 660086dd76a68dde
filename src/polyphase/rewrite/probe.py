"""Runs of a layer on noise of its arguments' shapes, with which others are compared.

With random weights: what is multiplied by nothing, as new layers may be, would not be seen.
"""

import functools
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.compare import relative, runs, tolerance
from polyphase.rewrite.sizes import noise
from polyphase.rewrite.trace import Trace, traced

_SIDE = 16  # of images whose sides are not known


class Probe:
    """A layer and arguments on which it runs.

    Args:
        layer: of which nothing changes.
        args: what it is called with: tensors, symbolic ones, other values.
        kwargs: likewise, by name.
    """

    def __init__(self, layer: keras.Layer, args: Any, kwargs: dict[str, Any]) -> None:
        self.layer = layer
        self._generator = np.random.default_rng(0)
        self._args, self._kwargs = tree.map_structure(self._concrete, (args, kwargs))

    @property
    def runs(self) -> bool:
        """Whether the layer itself runs on them."""
        return self._results(False) is not None

    def equals(self, other: keras.Layer, training: bool = False) -> bool:
        """Return whether another layer returns the same; in training, with the same losses.

        Where the layer itself does not run, no other is known to be the same; what does not run in
        training is not asked for it.
        """
        expected = self._results(training)
        if expected is None:
            return training
        try:
            actual = runs(other, self._args, self._kwargs, training, _drawn)
        except Exception:  # whatever a class raises
            return False
        if len(expected) != len(actual):
            return False
        off = [relative(*pair) for pair in zip(expected, actual, strict=True)]
        return not any(one > tolerance(self.layer) for one in off)

    def watch(self, other: keras.Layer, training: bool = False) -> tuple[bool, Trace]:
        """Return whether another layer returns the same, and what it did."""
        with traced(other) as trace:
            return self.equals(other, training), trace

    @functools.cache  # noqa: B019 - as long as the probe lives
    def _results(self, training: bool) -> list[np.ndarray] | None:
        try:
            return runs(self.layer, self._args, self._kwargs, training, _drawn)
        except Exception:  # whatever a class raises
            return None

    def _concrete(self, value: Any) -> Any:
        if not isinstance(value, keras.KerasTensor):
            return value
        shape = (2 if value.shape[0] is None else value.shape[0], *value.shape[1:])
        sides = tuple(_SIDE if side is None else side for side in shape)
        return keras.ops.convert_to_tensor(noise(sides, value.dtype, self._generator))


def _drawn(variables: list[Any]) -> list[Any]:
    """Return random numbers for variables, the same at each call; integers stay what they are."""
    generator = np.random.default_rng(1)

    def draw(variable: Any) -> Any:
        if "float" not in variable.dtype:
            return variable.value
        numbers = generator.standard_normal(variable.shape)
        if numbers.ndim > 1:
            numbers /= np.sqrt(np.prod(numbers.shape[:-1]))
        else:  # scales, offsets, variances
            numbers = np.abs(numbers) + 0.5
        return keras.ops.convert_to_tensor(numbers, variable.dtype)

    return [draw(variable) for variable in variables]
