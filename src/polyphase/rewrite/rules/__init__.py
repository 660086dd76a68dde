"""What may move across an upsampling, or be absorbed by it: one rule per file.

A rule is a function `apply(layer, inputs, build)`. `inputs` are the layer's arguments, tensors,
`Delayed` or `Joined`, at least one of them no tensor. It returns the layer's value, of the same
kinds, or None where it does not hold; then the next rule is asked.
"""

from typing import Any

from polyphase.rewrite.activations import watched
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
    upsampling,
)

# By these the layer's result becomes smaller, or is gone; by the others it stays what it was.
_MOVING = (upsampling, margin, pointwise, normalization, linear, concatenate, one_by_one)
_ABSORBING = (absorb, depthwise, split)


def rules_for(layer: Any) -> tuple[Any, ...]:
    """Return the rules to ask: a layer stays in its place if a loss is computed of its result."""
    return _ABSORBING if watched(layer) else (*_MOVING, *_ABSORBING)
