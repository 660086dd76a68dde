"""Two upsamplings in a row by nearest are one.

`U_s U_t x` copies every pixel `s*t` times, in the same order as `U_{s*t}`, for integers.
"""

import operator
from dataclasses import replace

from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.forms import Operation, Upsample
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | None:
    """Multiply the factors."""
    first = one.inputs[0]
    if not isinstance(one.form, Upsample) or not isinstance(first, Delayed) or not first.plain:
        return None
    second = one.form.of(first.small, one)
    if not (first.copies and second.copies and first.data_format == second.data_format):
        return None
    if not one.keeps_dtype(first.small):
        return None
    build.note(second.sources, "joined with the upsampling before it")
    size = tuple(map(operator.mul, first.size, second.size))
    sources = (*first.sources, *second.sources)
    return replace(second, size=size, sources=sources, crossed=first.crossed)
