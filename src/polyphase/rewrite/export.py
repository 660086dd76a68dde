"""Export a folded model to ONNX and OpenVINO, and check what was exported."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.compare import example
from polyphase.rewrite.to_keras import to_keras

# What Keras converts with, by backend.
_CONVERTERS = {"torch": "onnxscript", "jax": "jax2onnx", "tensorflow": "tf2onnx"}
_CONVERT = """
import sys, warnings
warnings.simplefilter("ignore")
from polyphase.rewrite.compare import example
import keras
model = keras.models.load_model(sys.argv[1], compile=False)
model(example(model))
model.export(sys.argv[2], format="onnx", verbose=False)
"""


class ExportError(Exception):
    """A model that could not be exported, in one sentence."""


def to_onnx(model: keras.Model, path: Path) -> float:
    """Write a folded model as an ONNX file, and compare it with the model.

    The model is turned into Keras' own layers, which every backend loads, and converted by Keras on
    the backend in use if it can, else on another that is installed with its converter.

    Args:
        model: a Functional or Sequential model.
        path: the file to write.

    Returns:
        The largest difference between onnxruntime's outputs and the model's on noise, relative to
        the largest output.

    Raises:
        ExportError: if nothing that can convert is installed, or the conversion fails.
        ValueError: for a layer that none of Keras' equals.
    """
    runtime = _needed("onnxruntime")
    backend = _backend()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        to_keras(model).save(saved)
        done = subprocess.run(
            [sys.executable, "-c", _CONVERT, str(saved), str(path)],
            env=os.environ | {"KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise ExportError(f"Keras cannot convert this model to ONNX on {backend}: {reason}")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return _difference(
        model, lambda arrays: session.run(None, dict(zip(names, arrays, strict=True)))
    )


def to_openvino(model: keras.Model, onnx: Path, path: Path) -> float:
    """Write an exported ONNX file as OpenVINO's `.xml` and `.bin`, and compare with the model.

    Args:
        model: what was exported.
        onnx: the ONNX file.
        path: the `.xml` file to write.

    Returns:
        As `to_onnx`, of OpenVINO's outputs.

    Raises:
        ExportError: if OpenVINO is not installed.
    """
    # OpenVINO would fork this process, which has threads, to send usage statistics.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    openvino = _needed("openvino")
    core = openvino.Core()
    openvino.save_model(core.read_model(str(onnx)), str(path), compress_to_fp16=False)
    exactly = {"INFERENCE_PRECISION_HINT": "f32"}  # by default some processors compute in bfloat16
    compiled = core.compile_model(str(path), "CPU", exactly)
    return _difference(
        model, lambda arrays: [compiled(arrays)[output] for output in compiled.outputs]
    )


def _backend() -> str:
    """Return a backend on which Keras can convert to ONNX: that in use, or another."""
    for backend in (keras.backend.backend(), *_CONVERTERS):
        if all(map(importlib.util.find_spec, (backend, _CONVERTERS[backend]))):
            return backend
    raise ExportError(
        "Keras converts to ONNX on PyTorch with onnxscript, on JAX with jax2onnx and on TensorFlow "
        "with tf2onnx; none of the three is installed. Run: pip install 'polyphase[torch,export]'"
    )


def _needed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExportError(
            f"The export is checked with {module}, which is not installed. "
            "Run: pip install 'polyphase[torch,export]'"
        ) from error


def _difference(model: keras.Model, run: Any) -> float:
    x = example(model)
    worst = 0.0
    for expected, actual in zip(tree.flatten(model(x)), run(tree.flatten(x)), strict=True):
        truth = keras.ops.convert_to_numpy(keras.ops.cast(expected, "float32"))
        worst = max(worst, float(np.abs(actual - truth).max() / (np.abs(truth).max() or 1.0)))
    return worst
