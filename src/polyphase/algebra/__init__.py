"""The mathematics of upsampling as data: NumPy, float64, no framework."""

from polyphase.algebra import (
    checkerboard,
    differences,
    equivalence,
    geometry,
    kernels,
    phases,
    resampling,
)

__all__ = [
    "checkerboard",
    "differences",
    "equivalence",
    "geometry",
    "kernels",
    "phases",
    "resampling",
]
