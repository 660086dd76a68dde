"""Normalisation goes before nearest upsampling, and batch normalisation at inference before any.

Nearest repeats every pixel equally often, so that mean and variance, of a batch or of one image,
are those of the small images. At inference batch normalisation is an affine map per channel, and
the rows of every interpolation sum to 1. In training it does not commute with the others: they
change the variance. A batch's normalisation of channels that are concatenated is one of each part.
"""

from dataclasses import replace

from polyphase.ops import layout
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Norm, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Delayed | Joined | None:
    """Normalise the small image, or every part."""
    value, norm = one.inputs[0], one.form
    if not isinstance(norm, Norm) or not isinstance(value, (Delayed, Joined)):
        return None
    affine = norm.fixed or (norm.batch and build.inference)
    parts = value.delayed if isinstance(value, Joined) else [value]
    if not all(_passes(norm, part, affine) for part in parts):
        return None
    if isinstance(value, Joined):
        return _parts(one, value, build) if norm.batch and not one.per_step else None
    return value.holding(build.again(one, value.small), one.name)


def _passes(norm: Norm, value: Delayed, affine: bool) -> bool:
    of_channels = [value.channels(axis) for axis in norm.axes] == [True]
    return value.plain and of_channels and (affine or value.copies)


def _parts(one: Operation, value: Joined, build: Writer) -> Joined:
    axis = layout.channel(value.data_format)
    new = build.pieces(one, value.small, [part.shape[axis] for part in value.small])
    parts = tuple(
        part.holding(piece, one.name) if isinstance(part, Delayed) else piece
        for part, piece in zip(value.parts, new, strict=True)
    )
    return replace(value, parts=parts, name=one.name, cut=(*value.cut, one.source), whole=[])
