"""`polyphase fold --onnx --openvino --tflite` of a Keras model: files for other runtimes."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polyphase.cli.fold_onnx import write_onnx, write_openvino

if TYPE_CHECKING:
    import keras

    from polyphase.rewrite import OnnxReport


def exported(
    model: "keras.Model",
    folded: "keras.Model",
    files: Mapping[str, Path],
    progress: Callable[[str], object],
    *,
    grid_sample: bool,
) -> list[str]:
    """Write the files that are wanted, by their suffixes; return lines that report on them.

    For ONNX, the given model is converted and the result is then folded for each runtime. With
    `grid_sample`, images are read between their pixels by the operator of that name.

    Raises:
        ExportError: if the model cannot be converted, or a file computes something else.
        ValueError: if the model cannot be folded.
    """
    from polyphase.rewrite.export import to_onnx, to_openvino

    notes: list[str] = []
    if ".tflite" in files:
        progress("Converting to TensorFlow Lite and timing both models")
        notes += _tflite(model, folded, files[".tflite"])
    if ".onnx" not in files:
        return notes
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        progress("Converting to ONNX and checking the result")
        off = to_onnx(model, plain, notes.append, grid_sample=grid_sample)
        _require_equal(off, ".onnx", model)
        notes += _said(".onnx", write_onnx(plain, files[".onnx"], {}, progress))
        if ".xml" in files:

            def save(found: Path) -> None:
                _require_equal(to_openvino(model, found, files[".xml"]), ".xml", model)

            notes += _said(".xml", write_openvino(plain, {}, progress, save))
    return notes


def _tflite(model: "keras.Model", folded: "keras.Model", path: Path) -> list[str]:
    from polyphase.rewrite.tflite import to_tflite

    off, times = to_tflite(model, folded, path)
    if off is None or times is None:
        return [
            ".tflite: the model as it was, not the folded one, and neither compared nor timed: "
            "there is no interpreter. Run: pip install ai-edge-litert"
        ]
    _require_equal(off, ".tflite", model)
    before, after = (one.median for one in times)
    gain = f"{before:.3g} ms before, {after:.3g} ms after, {before / after:.2f} times as fast"
    said = (
        f"{gain}, in TensorFlow Lite"
        if before != after
        else f"{before:.3g} ms, the model as it was"
    )
    return [
        f".tflite: {said}",
        f"Largest difference on random input: {off:.1e} of the largest output",
    ]


def _require_equal(off: float, suffix: str, model: "keras.Model") -> None:
    from polyphase.rewrite.compare import tolerance
    from polyphase.rewrite.export import ExportError

    if not off <= tolerance(model):
        raise ExportError(
            f"The exported {suffix} differs from the model by {off:.1e} of the largest output, "
            "which is more than rounding. Nothing was written."
        )


def _said(suffix: str, report: "OnnxReport") -> list[str]:
    first, *others = report.summary().splitlines()
    return [f"{suffix}: {first}", *others]
