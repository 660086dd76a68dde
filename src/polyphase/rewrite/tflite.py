"""Export to TensorFlow Lite: of two equal models the file that its interpreter runs faster."""

import importlib
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.compare import largest, outputs, require_finite
from polyphase.rewrite.export import ExportError, convert_apart
from polyphase.rewrite.graph import input_structure
from polyphase.rewrite.sizes import example
from polyphase.rewrite.to_keras import to_keras
from polyphase.timing import Times, rounds, summary, surely_less

_SECONDS = 2.0


def to_tflite(
    model: keras.Model, folded: keras.Model, path: Path
) -> tuple[float | None, tuple[Times, Times] | None]:
    """Write a model as a `.tflite` file: folded, where the interpreter runs that faster here.

    Both are turned into Keras' own layers and converted by Keras on TensorFlow, for one example of
    the sizes that the model says. The folded one has its kernels baked into transposed
    convolutions.

    Args:
        model: a Functional or Sequential model.
        folded: what `fold` made of it.
        path: the file to write.

    Returns:
        The largest difference between the interpreter's outputs and the model's on noise, relative
        to the largest output; and the times before and after, the same twice if the file is of the
        model as it was. Both None where no interpreter is installed that runs that: then it is it.

    Raises:
        ExportError: if TensorFlow is not installed, or the conversion fails.
        ValueError: for weights that are NaN or infinite.
    """
    require_finite(model)
    if importlib.util.find_spec("tensorflow") is None:
        raise ExportError(
            "Keras converts to TensorFlow Lite on TensorFlow, which is not installed. "
            "Run: pip install 'polyphase[tensorflow]'"
        )
    x = tree.map_structure(lambda array: array[:1], example(model))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / "before.tflite", folder / "after.tflite"]
        plain = [to_keras(model, strict=False, baked=False), to_keras(folded, strict=False)]
        for one, file in zip(plain, files, strict=True):
            saved = file.with_suffix(".keras")
            one.save(saved)
            convert_apart(saved, file, "tensorflow", "same")
        runs = [_interpreted(file, one, x) for file, one in zip(files, plain, strict=True)]
        before, after = runs[0], runs[1] or runs[0]
        if before is None or after is None:
            os.replace(files[0], path)
            return None, None
        samples = list(rounds({"before": before, "after": after}, _SECONDS).values())
        faster = runs[1] is not None and surely_less(samples[1], samples[0])
        chosen = after if faster else before
        os.replace(files[1] if faster else files[0], path)
    times = summary(samples[0]), summary(samples[1] if faster else samples[0])
    return largest(outputs(model, x), chosen()), times


def _interpreted(path: Path, model: keras.Model, x: Any) -> Callable[[], list[np.ndarray]] | None:
    """Return what runs a model's file on an example; None if no interpreter does."""
    make = _interpreter()
    if make is None:
        return None
    names = [one._keras_history.operation.name for one in tree.flatten(input_structure(model))]
    arrays = dict(zip(names, tree.flatten(x), strict=True))
    try:
        with warnings.catch_warnings(action="ignore"):  # TensorFlow's own says that it will move
            run = make(str(path), num_threads=os.cpu_count()).get_signature_runner()
        run(**arrays)
    except (RuntimeError, ValueError):  # of operators that TensorFlow Lite has not
        return None
    count = len(tree.flatten(model.outputs))

    def call() -> list[np.ndarray]:
        found = run(**arrays)
        return [found[f"output_{number}"] for number in range(count)]

    return call


def _interpreter() -> Any:
    """Return LiteRT's interpreter, else TensorFlow's, else None."""
    for module, name in (("ai_edge_litert.interpreter", None), ("tensorflow", "lite")):
        if importlib.util.find_spec(module.split(".")[0]) is not None:
            found = importlib.import_module(module)
            return getattr(
                found if name is None else getattr(found, name, None), "Interpreter", None
            )
    return None
