"""Sums of images that are upsampled alike: `R x + R y = R (x + y)`, for every interpolation."""

from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.forms import Operation, Sum
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | None:
    """Add the small images."""
    values = [value for value in one.inputs if isinstance(value, Delayed)]
    if not isinstance(one.form, Sum) or len(values) < len(one.inputs):
        return None
    first, *others = values
    shapes = {tuple(value.small.shape[1:]) for value in values}
    if any(other.way != first.way for other in others) or len(shapes) > 1:
        return None
    return first.holding(build.again(one, *(value.small for value in values)), one.name, *others)
