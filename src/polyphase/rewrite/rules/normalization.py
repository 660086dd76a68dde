"""Normalisation goes before nearest upsampling, and batch normalisation at inference before any.

Nearest repeats every pixel equally often, so that mean and variance, of a batch or of one image,
are those of the small images. At inference batch normalisation is an affine map per channel, and
the rows of every interpolation sum to 1. In training it does not commute with the others: they
change the variance.
"""

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed
from polyphase.rewrite.forms import Norm, Operation


def apply(one: Operation, build: Build) -> Delayed | None:
    """Normalise the small image."""
    value, norm = one.inputs[0], one.form
    if not isinstance(norm, Norm) or not isinstance(value, Delayed) or not value.plain:
        return None
    affine = norm.fixed or (norm.batch and build.inference)
    if [value.channels(axis) for axis in norm.axes] != [True] or not (affine or value.copies):
        return None
    return value.holding(build.again(one, value.small), one.name)
