"""`polyphase fold --onnx --openvino` of a Keras model: what each runtime runs fastest."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polyphase.cli.fold_onnx import write_onnx, write_openvino

if TYPE_CHECKING:
    import keras

    from polyphase.rewrite import OnnxReport


def exported(
    model: "keras.Model", files: Mapping[str, Path], progress: Callable[[str], object]
) -> list[str]:
    """Write the files that are wanted, by their suffixes; return what there is to say of them.

    The model is converted as it was, and what comes of it folded for each runtime.

    Raises:
        ExportError: if it cannot be converted, or a file computes something else.
        ValueError: for what cannot be folded.
    """
    from polyphase.rewrite.export import to_onnx, to_openvino

    notes: list[str] = []
    if ".onnx" not in files:
        return notes
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        progress("Converting to ONNX, and checking that")
        _require_equal(to_onnx(model, plain, notes.append), ".onnx", model)
        notes += _said(".onnx", write_onnx(plain, files[".onnx"], {}, progress))
        if ".xml" in files:

            def save(found: Path) -> None:
                _require_equal(to_openvino(model, found, files[".xml"]), ".xml", model)

            notes += _said(".xml", write_openvino(plain, {}, progress, save))
    return notes


def _require_equal(off: float, suffix: str, model: "keras.Model") -> None:
    from polyphase.rewrite.compare import tolerance
    from polyphase.rewrite.export import ExportError

    if not off <= tolerance(model):
        raise ExportError(
            f"The exported {suffix} differs by {off:.1e} of the largest output, more than "
            "rounding; nothing was written."
        )


def _said(suffix: str, report: "OnnxReport") -> list[str]:
    first, *others = report.summary().splitlines()
    return [f"{suffix}: {first}", *others]
