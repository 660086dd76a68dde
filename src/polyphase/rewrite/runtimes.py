"""What runs ONNX files here: onnxruntime and OpenVINO, on the processor."""

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]
Session = Callable[[Arrays], list[np.ndarray]]


class MissingError(ImportError):
    """A runtime that is not installed, in one sentence."""


class Runtime(Protocol):
    """Loads files.

    Attributes:
        name: of the package.
    """

    name: str

    def load(self, path: Path, exact: bool = False) -> Session:
        """Return what runs a file.

        Args:
            path: of an ONNX file.
            exact: as the file says, operator by operator, in its own precision; else as the
                runtime does it by default.
        """

    def precision(self, path: Path) -> str:
        """Return the dtype in which the runtime computes a file by default; "": in its own."""


class OnnxRuntime:
    """onnxruntime."""

    name = "onnxruntime"

    def __init__(self) -> None:
        self._module = needed(self.name)

    def load(self, path: Path, exact: bool = False) -> Session:
        """Return what runs a file; nothing but its own operators is loaded."""
        module = self._module
        options = module.SessionOptions()
        options.log_severity_level = 4  # what fails is told once, by who calls this
        # Threads of one session that wait in a loop take the processors of another's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if exact:
            options.graph_optimization_level = module.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = module.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda arrays: list(session.run(None, dict(arrays)))

    def precision(self, path: Path) -> str:
        """Return nothing: it is the file's own."""
        return ""


class OpenVino:
    """OpenVINO."""

    name = "openvino"

    def __init__(self) -> None:
        silence_openvino()
        self._core = needed(self.name).Core()

    def load(self, path: Path, exact: bool = False) -> Session:
        """Return what runs a file; by default in bfloat16 on some processors."""
        compiled = self._compiled(path, {"INFERENCE_PRECISION_HINT": "f32"} if exact else {})
        request = compiled.create_infer_request()

        def run(arrays: Arrays) -> list[np.ndarray]:
            results = request.infer(dict(arrays))
            return [np.array(results[output]) for output in compiled.outputs]

        return run

    def precision(self, path: Path) -> str:
        """Return what OpenVINO chose for this processor."""
        hint = self._compiled(path, {}).get_property("INFERENCE_PRECISION_HINT")
        return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}.get(*[_name(hint)] * 2)

    def _compiled(self, path: Path, options: Mapping[str, Any]) -> Any:
        return self._core.compile_model(self._core.read_model(str(path)), "CPU", dict(options))


RUNTIMES: Mapping[str, Callable[[], Runtime]] = {
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
}


def silence_openvino() -> None:
    """Keep OpenVINO from forking this process, which has threads, to send usage statistics."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def needed(module: str) -> Any:
    """Import a package.

    Raises:
        MissingError: if it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingError(
            f"ONNX files are folded with {module}, which is not installed. "
            "Run: pip install 'polyphase[export]'"
        ) from error


def _name(hint: Any) -> str:
    return getattr(hint, "to_string", lambda: str(hint))()
