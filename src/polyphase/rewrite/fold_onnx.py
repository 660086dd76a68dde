"""Fold an ONNX model: an equal one, in the way that is fastest where it runs."""

from collections.abc import Mapping
from typing import Any


def fold_onnx(
    model: Any,
    *,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    runtime: str = "onnxruntime",
    seconds: float = 1.0,
    return_report: bool = False,
) -> Any:
    """Return an equal ONNX model in which upsampling is absorbed where that is faster here.

    Nodes are read as what they do, and what may move across an upsampling moves as in `fold`. A
    convolution that absorbs an upsampling can be written as `ConvTranspose`, as `Conv` to all
    phases and `DepthToSpace`, or stay: which is fastest depends on runtime and machine, so that
    whole models are timed in turns. The one that came is among them and is returned as it is
    where none is faster beyond doubt.

    Args:
        model: the path of an ONNX file, or an `onnx.ModelProto`; it does not change.
        shapes: of inputs, by name, on which to time; where a model leaves sides open and nothing
            is said, one image and the first size on which it runs, beginning with 256.
        runtime: "onnxruntime" or "openvino", at its default precision; what will run the model.
        seconds: for each comparison of times.
        return_report: whether to return an `OnnxReport` too.

    Returns:
        An `onnx.ModelProto` with the same inputs and outputs; with `return_report` a pair.

    Raises:
        ValueError: for what is no valid ONNX model of operators 9 to 22, that does not run, or
            whose folded outputs differ by more than rounding.
        ImportError: naming what is not installed.

    Exactness: the same operator. Outputs are compared on two random inputs, of two sizes where
        sides are open; float32 outputs differ by rounding.

    Reference: "What moves" in docs/folding.md.

    Example:
        >>> fast, report = fold_onnx("decoder.onnx", return_report=True)  # doctest: +SKIP
    """
    from polyphase.rewrite.onnx import fold_model

    found, report = fold_model(model, shapes=shapes, runtime=runtime, seconds=seconds)
    return (found, report) if return_report else found
