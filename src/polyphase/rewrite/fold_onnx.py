"""Fold an ONNX model: return an equal one in the form that is fastest where it runs."""

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

    Upsamplings move past other nodes by the same rules as in `fold`; nodes are recognised by what
    they compute. A convolution that absorbs an upsampling can be written as `ConvTranspose`, as
    `Conv` to all phases and `DepthToSpace`, or both can stay as they are. Which form is fastest
    depends on the runtime and the machine, so whole models are timed in turns. The given model is
    among them, and is returned unchanged if no other one is faster beyond doubt.

    Args:
        model: the path of an ONNX file, or an `onnx.ModelProto`; it does not change.
        shapes: shapes of the inputs, by name, with which to time. For a model that leaves sides
            open, the default is one image and the first size on which it runs, starting with 256.
        runtime: what will run the model: "onnxruntime" or "openvino", at its default precision.
        seconds: time to spend on each comparison of times.
        return_report: whether to return an `OnnxReport` too.

    Returns:
        An `onnx.ModelProto` with the same inputs and outputs; with `return_report` a pair.

    Raises:
        ValueError: if this is not a valid ONNX model of operators 9 to 22, if it does not run, or
            if the outputs of the folded model differ by more than rounding.
        ImportError: if a package is missing; the message names it.

    Exactness: the same operator; float32 outputs differ by rounding. Outputs are compared on two
        random inputs, which have two sizes if sides are open.

    Reference: "What moves" in docs/folding.md.

    Example:
        >>> fast, report = fold_onnx("decoder.onnx", return_report=True)  # doctest: +SKIP
    """
    from polyphase.rewrite.onnx import fold_model

    found, report = fold_model(model, shapes=shapes, runtime=runtime, seconds=seconds)
    return (found, report) if return_report else found
