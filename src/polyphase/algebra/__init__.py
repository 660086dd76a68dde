"""The mathematics of upsampling as data: NumPy, float64, no framework."""

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
