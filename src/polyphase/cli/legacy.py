"""`Sequential` models of Keras 2, whose first layer knows the input's shape.

Keras 3 takes that shape for one without a batch, and cannot build them. With an input layer in
front, as later versions wrote, it can.
"""

import copy
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

_SHAPE = "batch_input_shape"


@contextmanager
def readable(path: Path, config: Any) -> Iterator[Path]:
    """Yield a file that Keras 3 reads: the given one, or a temporary copy with input layers.

    Args:
        path: a `.keras` or HDF5 file.
        config: the configuration that it holds.
    """
    repaired = with_inputs(config)
    if repaired == config:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(shutil.copyfile(path, Path(folder) / "model.h5"))
        with h5py.File(changed, "r+") as file:
            file.attrs["model_config"] = json.dumps(repaired)
        yield changed


def with_inputs(config: Any) -> Any:
    """Return a configuration in which every `Sequential` of Keras 2 begins with an input layer."""
    if isinstance(config, list):
        return [with_inputs(one) for one in config]
    if not isinstance(config, dict):
        return config
    config = {key: with_inputs(value) for key, value in config.items()}
    if config.get("class_name") != "Sequential" or "module" in config:
        return config
    inner = config["config"]
    if isinstance(inner, list):  # before Keras 2.2.3
        inner = {"name": "sequential", "layers": inner}
    layers = inner.get("layers") or []
    shape = _input_shape(layers[0]) if layers else None
    if shape is None or layers[0]["class_name"] == "InputLayer":
        return config | {"config": inner}
    first = copy.deepcopy(layers[0])
    first["config"].pop(_SHAPE, None)
    entry = {"class_name": "InputLayer", "config": {_SHAPE: shape}}
    return config | {"config": inner | {"layers": [entry, first, *layers[1:]]}}


def _input_shape(layer: Any) -> Any:
    """Return the shape, with its batch, that a layer or a model in front expects; None: unknown."""
    inner = layer.get("config") if isinstance(layer, dict) else None
    if not isinstance(inner, dict):
        return None
    if _SHAPE in inner:
        return inner[_SHAPE]
    nested = inner.get("layers")
    return _input_shape(nested[0]) if isinstance(nested, list) and nested else None
