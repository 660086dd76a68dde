"""Export a folded model to ONNX and OpenVINO, and check what was exported."""

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.compare import largest, outputs, require_finite, tolerance
from polyphase.rewrite.graph import input_structure
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.runtimes import silence_openvino
from polyphase.rewrite.sizes import example
from polyphase.rewrite.to_keras import to_keras

# What Keras converts with, by backend.
_CONVERTERS = {"torch": "onnxscript", "jax": "jax2onnx", "tensorflow": "tf2onnx"}

# What notes are told unless the caller listens otherwise.
_WARN = functools.partial(warnings.warn, stacklevel=3)


class ExportError(Exception):
    """A model that could not be exported, in one sentence."""


def require_runtimes(openvino: bool = False) -> None:
    """Find out whether an export can be made and checked, without importing anything.

    Args:
        openvino: whether to OpenVINO too.

    Raises:
        ExportError: naming what is not installed.
    """
    for module in ("onnxruntime", "openvino") if openvino else ("onnxruntime",):
        if importlib.util.find_spec(module) is None:
            raise _missing(module)
    _backend()


def to_onnx(
    model: keras.Model,
    path: Path,
    note: Callable[[str], object] = _WARN,
    *,
    grid_sample: bool = False,
) -> float:
    """Write a model as an ONNX file, and compare it with the model.

    The model's layers are turned into Keras' own, which every backend loads, as far as Keras has
    equal ones: an upsampling and a convolution stay two, which `fold_onnx` makes one where that is
    faster. They are converted by Keras on the backend in use if it can, else on another that is
    installed with its converter. Sides that the model leaves open stay open, if that computes the
    same at two sizes; else the file is for one size.

    Args:
        model: a Functional or Sequential model.
        path: the file to write.
        note: is told, in a sentence, if the file is for one size only.
        grid_sample: whether images are read between their pixels, as `DySample2D` does, by one
            operator, GridSample, which PyTorch writes; else by gathers, which every runtime has.

    Returns:
        The largest difference between onnxruntime's outputs and the model's on noise, relative to
        the largest output; NaN if any value is.

    Raises:
        ExportError: if nothing that can convert is installed, or the conversion fails.
        ValueError: for weights that are NaN or infinite.
    """
    runtime = _needed("onnxruntime")
    require_finite(model)
    backend = _torch() if grid_sample else _backend()
    x = example(model)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        to_keras(model, strict=False, baked=False).save(saved)

        def attempt(sides: str, inputs: list[Any]) -> float:
            convert_apart(saved, path, backend, sides, *["grid-sample"] * grid_sample)
            return _difference(model, inputs, lambda arrays: _run(runtime, path, arrays))

        if not _open(model):
            return attempt("same", [x])
        try:
            off = attempt("any", [x, _larger(model, x)])
            if off <= tolerance(model):
                return off
            reason = f"other sizes differ by {off:.1e}"
        except Exception as error:  # of the converter or the runtime; one size may still do
            reason = sentence_of(error)
        off = attempt("same", [x])
    shapes = ", ".join("x".join(map(str, one.shape[1:])) for one in tree.flatten(x))
    note(f"The ONNX file takes inputs of {shapes} only: {reason}.")
    return off


def convert_apart(saved: Path, path: Path, backend: str, sides: str, *options: str) -> None:
    """Let another process, on a backend that can, write the file.

    Args:
        saved: the model's.
        path: ends in .onnx or .tflite.
        backend: that can.
        sides: "any": those that the model leaves open stay open; "same": they are an example's.
        *options: of `polyphase.rewrite.convert`.

    Raises:
        ExportError: with the reason that its error gives.
    """
    reason = saved.with_name("reason.txt")
    reason.unlink(missing_ok=True)
    command = [sys.executable, "-m", "polyphase.rewrite.convert"]
    done = subprocess.run(
        [*command, str(saved), str(path), str(reason), sides, *options],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = f"its process ended with exit code {done.returncode} and gave no reason"
        said = reason.read_text() if reason.exists() else said
        kind = {".onnx": "ONNX", ".tflite": "TensorFlow Lite"}[path.suffix]
        raise ExportError(f"Keras cannot convert this model to {kind} on {backend}: {said}.")


def _run(runtime: Any, path: Path, arrays: list[Any]) -> list[Any]:
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what fails is told once, by what calls this
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return list(session.run(None, dict(zip(names, arrays, strict=True))))


def _open(model: keras.Model) -> bool:
    """Return whether a model leaves sides of its inputs open."""
    return any(None in tensor.shape[1:] for tensor in model.inputs)


def _larger(model: keras.Model, x: Any) -> Any:
    """Return an example with twice the length along all sides that a model leaves open."""

    def larger(tensor: Any, array: Any) -> Any:
        for axis in (n for n, side in enumerate(tensor.shape) if n and side is None):
            array = np.concatenate((array, np.flip(array, axis)), axis)
        return array

    return tree.map_structure(larger, input_structure(model), x)


def to_openvino(model: keras.Model, onnx: Path, path: Path) -> float:
    """Write an ONNX file as OpenVINO's `.xml` and `.bin`, and compare with the model.

    Args:
        model: what was exported.
        onnx: the ONNX file, folded or not.
        path: the `.xml` file to write.

    Returns:
        As `to_onnx`, of OpenVINO's outputs; at two sizes where the ONNX file takes any.

    Raises:
        ExportError: if OpenVINO is not installed.
    """
    save_openvino(onnx, path)
    core = _needed("openvino").Core()
    exactly = {"INFERENCE_PRECISION_HINT": "f32"}  # by default some processors compute in bfloat16
    compiled = core.compile_model(str(path), "CPU", exactly)
    x = example(model)
    any_size = compiled.input(0).get_partial_shape()[1:].is_dynamic if _open(model) else False
    return _difference(
        model,
        [x, _larger(model, x)] if any_size else [x],
        lambda arrays: [compiled(arrays)[output] for output in compiled.outputs],
    )


def save_openvino(onnx: Path, path: Path) -> None:
    """Write an ONNX file as OpenVINO's `.xml` and `.bin`, in its own precision."""
    silence_openvino()
    openvino = _needed("openvino")
    model = openvino.Core().read_model(str(onnx))
    openvino.save_model(model, str(path), compress_to_fp16=False)


def _backend() -> str:
    """Return a backend on which Keras can convert to ONNX: that in use, or another."""
    for backend in (keras.backend.backend(), *_CONVERTERS):
        if all(map(importlib.util.find_spec, (backend, _CONVERTERS[backend]))):
            return backend
    raise ExportError(
        "Keras converts to ONNX on PyTorch with onnxscript, on JAX with jax2onnx and on TensorFlow "
        "with tf2onnx; none of the three is installed. Run: pip install 'polyphase[torch,export]'"
    )


def _torch() -> str:
    """Return the backend that writes GridSample."""
    if all(map(importlib.util.find_spec, ("torch", _CONVERTERS["torch"]))):
        return "torch"
    raise ExportError(
        "GridSample is written by PyTorch with onnxscript, which are not both installed. "
        "Run: pip install 'polyphase[torch,export]'; or leave --grid-sample out."
    )


def _needed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise _missing(module) from error


def _missing(module: str) -> ExportError:
    return ExportError(
        f"The export is checked with {module}, which is not installed. "
        "Run: pip install 'polyphase[torch,export]'"
    )


def _difference(model: keras.Model, inputs: list[Any], run: Callable[[list[Any]], Any]) -> float:
    """Return the largest difference on all inputs, relative to each largest output."""
    each = [largest(outputs(model, x), run(tree.flatten(x))) for x in inputs]
    return float(np.max(each))  # NaN stays
