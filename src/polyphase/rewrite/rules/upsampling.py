"""Two upsamplings in a row by nearest are one.

`U_s U_t x` copies every pixel `s*t` times, in the same order as `U_{s*t}`, for integers.
"""

import operator
from dataclasses import replace
from typing import Any

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.recognise import same_dtype, upsampling


def apply(layer: Any, inputs: list[Any], build: Build) -> Delayed | None:
    """Multiply the factors."""
    first = inputs[0]
    second = upsampling(layer)
    if second is None or not isinstance(first, Delayed) or not first.plain:
        return None
    if not same_dtype(layer, first.small):
        return None
    if not (first.copies and second.copies and first.data_format == second.data_format):
        return None
    build.note((layer.name,), "joined with the upsampling before it")
    size = tuple(map(operator.mul, first.size, second.size))
    return replace(second, small=first.small, size=size, sources=(*first.sources, layer.name))
