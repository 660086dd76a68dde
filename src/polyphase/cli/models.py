"""Models from files: code in them is never run, and their sizes are checked first."""

import importlib.util
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

import polyphase.constraints
import polyphase.initializers
import polyphase.layers  # noqa: F401 - files may name what these three register
from polyphase.cli.errors import fail
from polyphase.cli.formats import configuration, refusal
from polyphase.cli.legacy import readable
from polyphase.rewrite.graph import calls, graph_of, is_graph
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.zeros import random_weights_are_zeros

# A file can declare weights in a line that no memory holds. Keras stores weights as they are, so
# that a model's are about as large as its file.
SPARE = 2**30  # bytes of weights that any file may declare
EXPANSION = 16  # bytes of weights that may be declared for each byte of the file beyond that
LARGEST_IMAGE = 2**30  # values of one image inside of a model
_CARRIES_CODE = ("TorchModuleWrapper", "TFSMLayer", "__lambda__")
# Where Keras finds what files name: its own classes, and its libraries' if they are installed.
_LIBRARIES = ("keras", "keras_hub", "keras_cv", "keras_nlp")
_MODELS = ("Functional", "Model", "Sequential")
_FUNCTIONS = (
    keras.activations,
    keras.constraints,
    keras.initializers,
    keras.losses,
    keras.metrics,
    keras.regularizers,
)


class RefusedError(ValueError):
    """Raised for a file that is not loaded; its message says why in one sentence."""


def load_model(path: Path, progress: Callable[[str], object] = lambda line: None) -> keras.Model:
    """Load a model from a `.keras`, `.h5` or `.hdf5` file.

    Keras loads it in safe mode, and what looks like code is refused before Keras reads the file.
    Weights are counted before they are allocated.

    Args:
        path: the file.
        progress: called with a line of text before work that takes time.

    Raises:
        typer.Exit: with one line, for a file that is not a Keras model, that holds code, or that
            declares sizes beyond the limits above.
    """
    advice = refusal(path)
    if advice:
        raise fail(advice)
    try:
        config = configuration(path)
        _require_data(config)
        progress(f"Loading {path}")
        with (
            random_weights_are_zeros(),
            readable(path, config) as file,
            warnings.catch_warnings(action="ignore"),  # of how an old file was made
            _bounded(SPARE + EXPANSION * path.stat().st_size),
        ):
            model = keras.models.load_model(file, compile=False, safe_mode=True)
        _require_images(model)
    except Exception as error:  # damaged files fail in Keras in every way there is
        said = str(error) if isinstance(error, RefusedError) else sentence_of(error)
        raise fail(f"{path} cannot be loaded as a Keras model: {said}.") from error
    return model


def _require_data(config: Any) -> None:
    """Say which part of a configuration is code, or needs code that is not here.

    Raises:
        RefusedError: naming the layer or class.
    """
    for entry, owner in _entries(config):
        kind, inner = entry["class_name"], entry.get("config")
        if kind in _CARRIES_CODE or (kind == "Lambda" and _is_code(inner)):
            raise RefusedError(
                f"its layer {owner!r} holds Python code, and code in files is not run. Use "
                "polyphase in the Python program that makes the model"
            )
        if not _known(entry):
            what = f"function {inner}" if kind == "function" else f"class {kind}"
            module = entry.get("module")
            origin = f" of {module}" if module not in (None, "builtins", "__main__") else ""
            raise RefusedError(
                f"it needs the {what}{origin}, and code in files is not run. Import it in Python "
                "and use polyphase there: load the model with `keras.models.load_model`, then call "
                "`polyphase.fold` or `polyphase.inspect`"
            )


def _entries(config: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every object in a configuration, and the name of the layer that it is part of."""
    waiting = [(config, "model")]
    while waiting:
        value, owner = waiting.pop()
        if isinstance(value, list):
            waiting += [(one, owner) for one in value]
        if isinstance(value, dict):
            inner = value.get("config")
            if isinstance(value.get("class_name"), str):
                named = inner.get("name") if isinstance(inner, dict) else None
                owner = named if isinstance(named, str) else owner
                yield value, owner
            waiting += [(one, owner) for key, one in value.items() if key != "compile_config"]


def _is_code(config: Any) -> bool:
    """Return whether a `Lambda` brings its function along, as files before Keras 3 do."""
    return not (isinstance(config, dict) and isinstance(config.get("function"), dict))


def _known(entry: dict[str, Any]) -> bool:
    """Return whether a class or function is here; in doubt, Keras decides."""
    module, kind, inner = entry.get("module"), entry["class_name"], entry.get("config")
    function = kind == "function" and isinstance(inner, str)
    name = str(inner if function else entry.get("registered_name") or kind)
    if kind.startswith("__") or keras.saving.get_registered_object(name) is not None:
        return True
    if function and module == "builtins":
        return any(hasattr(space, name) for space in _FUNCTIONS)
    if module is not None:
        package = str(module).split(".")[0]
        return package == "builtins" or (
            package in _LIBRARIES and importlib.util.find_spec(package) is not None
        )
    layer = isinstance(inner, dict) and "name" in inner  # a file from before Keras 3
    return not layer or kind in _MODELS or hasattr(keras.layers, kind)


@contextmanager
def _bounded(largest: int) -> Iterator[None]:
    """Count the weights that layers declare, before they are allocated.

    Raises:
        RefusedError: naming the layer at which they are more than `largest` bytes.
    """
    declared = 0
    add = keras.Layer.add_weight

    def counted(layer: keras.Layer, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        nonlocal declared
        declared += 4 * math.prod(shape or ())
        if declared > largest:
            raise RefusedError(
                f"up to its layer {layer.name!r} it declares {declared:,} bytes of weights, more "
                f"than the {largest:,} that are accepted from a file of its size"
            )
        return add(layer, shape, *args, **kwargs)

    keras.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.Layer.add_weight = add


def _require_images(model: keras.Model) -> None:
    """Say which image inside of a model is too large to compute.

    Raises:
        RefusedError: naming the layer that makes it.
    """
    for layer, inputs, outputs in calls(graph_of(model)) if is_graph(model) else ():
        if is_graph(layer):
            _require_images(layer)
        for tensor in (*inputs, *outputs):
            values = math.prod(side or 1 for side in tensor.shape[1:])
            if values > LARGEST_IMAGE:
                raise RefusedError(
                    f"its layer {layer.name!r} reads or makes an image of {values:,} values, more "
                    f"than the {LARGEST_IMAGE:,} that are computed here"
                )
