"""Choose Keras' backend before Keras is imported: the user's choice, else JAX."""

import importlib.util
import json
import os
import sys
from pathlib import Path

# What Keras 3 writes into its configuration file by itself, whatever backend is in use.
_UNTOUCHED = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}

_INSTALL = {
    "jax": "pip install jax",
    "tensorflow": "pip install 'polyphase[tensorflow]'",
    "torch": "pip install 'polyphase[torch]'",
}


def choose_backend() -> None:
    """Point Keras at the backend that the user chose, or at JAX if nothing was chosen.

    1. A Keras that is already imported has its backend: leave it.
    2. Otherwise `KERAS_BACKEND` decides, then Keras' configuration file, then JAX.
    3. A backend that is not installed is refused here, before Keras fails obscurely.

    The file that Keras writes by itself names TensorFlow whatever is installed; while nobody
    has edited it, it is no choice.

    Raises:
        ImportError: if the chosen backend is unknown or not installed.
    """
    if "keras" in sys.modules:
        return
    name, chosen_by = _chosen()
    if name not in _INSTALL:
        raise ImportError(
            f"Polyphase runs on the Keras backends jax, tensorflow and torch. Received: {name!r}, "
            f"from {chosen_by}. Set KERAS_BACKEND to one of the three."
        )
    if importlib.util.find_spec(name) is None:
        raise ImportError(
            f"The Keras backend {name!r}, chosen by {chosen_by}, is not installed. "
            f"Run: {_INSTALL[name]} - or choose another with KERAS_BACKEND=jax."
        )
    os.environ["KERAS_BACKEND"] = name


def _chosen() -> tuple[str, str]:
    from_environment = os.environ.get("KERAS_BACKEND")
    if from_environment:
        return from_environment, "KERAS_BACKEND"
    path = _config_path()
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError):
        config = _UNTOUCHED
    if isinstance(config, dict) and "backend" in config and config != _UNTOUCHED:
        return str(config["backend"]), str(path)
    return "jax", "default"


def _config_path() -> Path:
    home = os.environ.get("KERAS_HOME")
    return Path(home) / "keras.json" if home else Path.home() / ".keras" / "keras.json"
