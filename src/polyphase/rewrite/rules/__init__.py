"""What may move across an upsampling, or be absorbed by it: one rule per file.

A rule is a function `apply(one, build)` of an operation, of whose inputs at least one is no tensor.
It reads its form, knows no framework, and returns its value, of the same kinds as inputs, made by
what `build` makes; or None where it does not hold: then the next rule is asked.
"""

from typing import Any

from polyphase.rewrite.forms import Operation
from polyphase.rewrite.rules import (
    absorb,
    concatenate,
    depthwise,
    linear,
    margin,
    normalization,
    one_by_one,
    pointwise,
    split,
    transpose,
    upsampling,
)

# By these the layer's result becomes smaller, or is gone; by the others it stays what it was.
_MOVING = (upsampling, margin, transpose, pointwise, normalization, linear, concatenate, one_by_one)
_ABSORBING = (absorb, depthwise, split)


def rules_for(one: Operation) -> tuple[Any, ...]:
    """Return the rules to ask: who is watched stays in its place."""
    return _ABSORBING if one.watched else (*_MOVING, *_ABSORBING)
