"""Decoders with what is said to help against checkerboards, for `polyphase compare --decoder`.

    polyphase compare --task gan --decoder transposed-3 --decoder benchmarks.remedies:even

They are the decoders `transposed-3` and `subpixel`, whose kernel is kept even by `EvenPhases` from
its first step on, or begins without a checkerboard by `ICNR`.
"""

import keras

from polyphase.constraints import EvenPhases
from polyphase.initializers import ICNR
from polyphase.models.decoders import decoder


def even(filters: int, activation: str, name: str) -> keras.Layer:
    """Return a stage of `transposed-3` that never makes a checkerboard of a constant."""
    return _changed(
        decoder("transposed-3")(filters, activation, name), kernel_constraint=EvenPhases(2)
    )


def icnr(filters: int, activation: str, name: str) -> keras.Layer:
    """Return a stage of `subpixel` that makes none of a constant before it is trained."""
    return _changed(
        decoder("subpixel")(filters, activation, name), kernel_initializer=ICNR(2, "he_uniform")
    )


def _changed(layer: keras.Layer, **changes: object) -> keras.Layer:
    return type(layer).from_config(layer.get_config() | changes)
