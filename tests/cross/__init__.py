"""Against other libraries, where they compute the same by definition."""

import math

import keras
import pytest


def enlarged(height, width, size):
    """Return the sides that an image has after upsampling."""
    rows, columns = size if isinstance(size, tuple) else (size, size)
    return math.floor(height * rows), math.floor(width * columns)


def only_on(backend):
    """Skip, with a reason, where another backend runs."""
    return pytest.mark.skipif(
        keras.backend.backend() != backend, reason=f"compares with the functions of {backend}"
    )
