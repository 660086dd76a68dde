"""Channels of images that are upsampled alike are concatenated before: every channel is apart.

Of others, what is concatenated is remembered: a convolution may not need it as a whole.
"""

from typing import Any

from keras import layers

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, Joined


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | Joined | None:
    """Concatenate the small images, or remember all of them."""
    if type(layer) is not layers.Concatenate:
        return None
    delayed = [value for value in inputs if isinstance(value, Delayed)]
    if not delayed or not delayed[0].channels(layer.axis):
        return None
    first, *others = delayed
    if len(delayed) == len(inputs) and all(one.way == first.way for one in others):
        return first.holding(build.call(layer, [one.small for one in inputs]), layer, *others)
    if any(not one.plain or one.data_format != first.data_format for one in delayed):
        return None
    parts = [build.whole(value) if isinstance(value, Joined) else value for value in inputs]
    return Joined(tuple(parts), layer, layer)
