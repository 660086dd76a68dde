"""Channels of images that are upsampled alike are concatenated before: every channel is apart.

Of others, what is concatenated is remembered: a convolution may not need it as a whole.
"""

from typing import Any

from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Concat, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | Joined | None:
    """Concatenate the small images, or remember all of them."""
    if not isinstance(one.form, Concat):
        return None
    delayed = [value for value in one.inputs if isinstance(value, Delayed)]
    if not delayed or not delayed[0].channels(one.form.axis):
        return None
    first, *others = delayed
    if len(delayed) == len(one.inputs) and all(other.way == first.way for other in others):
        return first.holding(build.again(one, *(v.small for v in delayed)), one.name, *others)
    if any(not other.plain or other.data_format != first.data_format for other in delayed):
        return None
    parts = tuple(_part(value, build) for value in one.inputs)
    return Joined(parts, one.name, one) if any(isinstance(one, Delayed) for one in parts) else None


def _part(value: Any, build: Writer) -> Any:
    if isinstance(value, Delayed) and value.unchanged:  # resized to the size that it has
        return value.small
    return build.whole(value) if isinstance(value, Joined) else value
