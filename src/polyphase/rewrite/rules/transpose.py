"""Channels go from one end to the other before every upsampling, which keeps to its axes."""

from dataclasses import replace

from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Operation, Transpose
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | Joined | None:
    """Move the channels of the small image, or of every part."""
    value, form = one.inputs[0], one.form
    if not isinstance(form, Transpose) or not isinstance(value, (Delayed, Joined)):
        return None
    rank = len(form.order)
    first, last = "channels_first", "channels_last"
    forwards, backwards = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    known = {(first, forwards): last, (last, backwards): first}
    after = known.get((value.data_format, form.order))
    if after is None:
        return None

    def moved(part: Delayed) -> Delayed:
        new = part.holding(build.again(one, part.small), one.name)
        return replace(new, data_format=after)

    if isinstance(value, Delayed):
        return moved(value)
    parts = tuple(
        moved(part) if isinstance(part, Delayed) else build.again(one, part) for part in value.parts
    )
    return replace(value, parts=parts, name=one.name, whole=[])
