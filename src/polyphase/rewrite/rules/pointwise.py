"""Functions of single pixels go before nearest upsampling.

`U` copies pixels, so `f(U x) = U f(x)` for every `f` that computes a pixel from that pixel, of one
image or of several that are upsampled alike. An affine `f` that is the same for all pixels goes
before every interpolation, because its rows sum to 1: `a (R x) + b = R (a x + b)`. A function of
single numbers, of channels that are concatenated, is applied to each part.
"""

from dataclasses import replace

from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Operation, Pointwise
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | Joined | None:
    """Apply the function to the small image, or to every part."""
    function = one.form
    if not isinstance(function, Pointwise) or (function.at_inference and not build.inference):
        return None
    if isinstance(one.inputs[0], Joined) and len(one.inputs) == 1:
        return _parts(one, function, one.inputs[0], build)
    values = [value for value in one.inputs if isinstance(value, Delayed)]
    if len(values) < len(one.inputs):
        return None
    first, *others = values
    alike = first.plain and all(other.way == first.way for other in others)
    if not alike or not function.passes(first):
        return None
    return first.holding(build.again(one, *(value.small for value in values)), one.name, *others)


def _parts(one: Operation, function: Pointwise, value: Joined, build: Writer) -> Joined | None:
    if not function.elementwise or not all(map(function.passes, value.delayed)):
        return None
    parts = tuple(
        part.holding(build.again(one, part.small), one.name)
        if isinstance(part, Delayed)
        else build.again(one, part)
        for part in value.parts
    )
    return replace(value, parts=parts, name=one.name, whole=[])
