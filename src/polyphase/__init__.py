"""Upsampling for Keras: exact, fast, without checkerboards."""

import importlib.util

from polyphase import algebra
from polyphase._backend import choose_backend
from polyphase._version import __version__

__all__ = ["__version__", "algebra"]

# The algebra needs NumPy alone; all else, and the registration of the layers that loading a
# saved model relies on, needs Keras and its backend.
if importlib.util.find_spec("keras") is not None:
    choose_backend()
    from polyphase import (
        constraints,
        initializers,
        inspection,
        layers,
        metrics,
        models,
        ops,
        rewrite,
    )
    from polyphase.inspection import inspect, repair
    from polyphase.rewrite import fold, fold_onnx, to_upsampling
    from polyphase.tuning import tune

    __all__ += [
        "constraints",
        "fold",
        "fold_onnx",
        "initializers",
        "inspect",
        "inspection",
        "layers",
        "metrics",
        "models",
        "ops",
        "repair",
        "rewrite",
        "to_upsampling",
        "tune",
    ]
