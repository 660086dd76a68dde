"""The mathematics of upsampling in NumPy and float64, without a framework."""

from polyphase.algebra import (
    channel_order,
    checkerboard,
    differences,
    equivalence,
    geometry,
    kernels,
    phases,
    resampling,
)

__all__ = [
    "channel_order",
    "checkerboard",
    "differences",
    "equivalence",
    "geometry",
    "kernels",
    "phases",
    "resampling",
]
