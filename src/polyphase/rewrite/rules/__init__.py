"""What may move across an upsampling, or be absorbed by it: one rule per file.

A rule is a function `apply(layer, inputs, build)`. `inputs` are the layer's arguments, tensors,
`Delayed` or `Joined`, at least one of them no tensor. It returns the layer's value, of the same
kinds, or None where it does not hold; then the next rule is asked.
"""

from polyphase.rewrite.rules import (
    absorb,
    concatenate,
    depthwise,
    linear,
    margin,
    normalization,
    pointwise,
    split,
    upsampling,
)

RULES = (
    upsampling,
    margin,
    pointwise,
    normalization,
    linear,
    concatenate,
    absorb,
    depthwise,
    split,
)
