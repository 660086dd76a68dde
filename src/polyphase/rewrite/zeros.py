"""Layers whose weights are set afterwards are built without drawing random numbers for them."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from polyphase.initializers import ICNR

_KERAS = keras.Layer.add_weight
_LOCK = threading.Lock()
_THREADS: dict[int, int] = {}  # how many contexts are open in each thread

_RANDOM = (
    keras.initializers.RandomNormal,
    keras.initializers.RandomUniform,
    keras.initializers.TruncatedNormal,
    keras.initializers.VarianceScaling,
    keras.initializers.Orthogonal,
    ICNR,
)


@contextlib.contextmanager
def random_weights_are_zeros() -> Iterator[None]:
    """Start the random weights of new layers as zeros, which loading or `set_weights` replaces.

    On JAX every random initialiser is compiled for every shape, most of the time of loading a
    model. The layers' configurations keep their initialisers, and other threads theirs. Ones,
    constants and arrays are as ever; so are all weights of layers that load them by a method of
    their own, which may leave some out.

    Example:
        >>> with random_weights_are_zeros():
        ...     layer = keras.layers.Dense(2)
        ...     layer.build((None, 3))
        >>> float(layer.kernel[0, 0]), type(layer.kernel_initializer).__name__
        (0.0, 'GlorotUniform')
    """
    thread = threading.get_ident()
    with _LOCK:
        _THREADS[thread] = _THREADS.get(thread, 0) + 1
        keras.Layer.add_weight = _add_weight
    try:
        yield
    finally:
        with _LOCK:
            _THREADS[thread] -= 1
            if not _THREADS[thread]:
                del _THREADS[thread]
            if not _THREADS:
                keras.Layer.add_weight = _KERAS


def _add_weight(
    self: keras.Layer, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any
) -> Any:
    """As Keras' `add_weight`, with zeros for random numbers."""
    if threading.get_ident() in _THREADS and _loads_all(self) and _is_random(initializer):
        initializer = _zeros
    return _KERAS(self, shape, initializer, *args, **kwargs)


def _zeros(shape: Any, dtype: Any = None) -> Any:
    """Return zeros made by NumPy: JAX would compile its own for every shape."""
    return keras.ops.convert_to_tensor(np.zeros(shape, "float32"), dtype)


def _loads_all(layer: keras.Layer) -> bool:
    """Return whether a layer loads its weights by a method of Keras' own: then all of them."""
    return type(layer).load_own_variables.__module__.split(".")[0] == "keras"


def _is_random(initializer: Any) -> bool:
    """Return whether an initialiser draws random numbers; None is Keras' glorot_uniform."""
    return initializer is None or isinstance(keras.initializers.get(initializer), _RANDOM)
