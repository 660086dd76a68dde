"""What can be known of an ONNX graph before it is walked through, written into a copy of it."""

import onnx_ir as ir
from onnx_ir import external_data
from onnx_ir.passes import common
from onnxscript.optimizer import fold_constants

from polyphase.rewrite.forms import Upsample
from polyphase.rewrite.onnx.reader import read
from polyphase.rewrite.onnx.shapes import constant

_LARGEST = 2**24  # numbers of a constant that is computed before
_SIZES = 64  # numbers of what describes sizes
_ROUNDS = 8


def prepared(model: ir.Model) -> ir.Model:
    """Return a copy with constants computed and shapes inferred, which computes the same.

    Initialisers that format versions before 4 list as inputs are that no more.
    """
    model = external_data.load_to_model(model.clone())
    if model.ir_version < 4:
        common.RemoveInitializersFromInputsPass()(model)
        model.ir_version = 4
    common.InlinePass()(model)
    fold_constants(
        model,
        onnx_shape_inference=True,
        input_size_limit=_LARGEST,
        output_size_limit=_LARGEST,
        should_fold=_small,
    )
    common.RemoveUnusedNodesPass()(model)
    model.graph.sort()
    for _ in range(_ROUNDS):
        if not _shaped(model):
            break
        common.ShapeInferencePass()(model)
    return model


def _small(node: ir.Node) -> bool | None:
    """Return whether a constant is surely computed before: what may be large is not, by default."""
    shape = constant(node.inputs[0]) if node.op_type == "ConstantOfShape" else None
    return True if shape is not None and shape.prod() <= _SIZES else None


def _shaped(model: ir.Model) -> bool:
    """Write the shapes of repeated images, which no inference follows; return if any is new."""
    new = False
    for node in model.graph:
        result = node.outputs[0]
        one = (
            read(node, model.graph.opset_imports.get("", 0)) if node.op_type == "Reshape" else None
        )
        if one is None or not isinstance(one.form, Upsample):
            continue
        sides = list(one.inputs[0].shape)
        first = 2 if one.form.data_format == "channels_first" else 1
        for axis, factor in enumerate(one.form.size, first):
            sides[axis] = sides[axis] * factor if isinstance(sides[axis], int) else None
        if result.shape is None or result.shape != sides:
            new = new or _more(result.shape, sides)
            result.shape = ir.Shape(sides)
    return new


def _more(known: ir.Shape | None, sides: list[int | None]) -> bool:
    """Return whether sides say what was not known."""
    before = sum(isinstance(side, int) for side in known or ())
    return known is None or sum(isinstance(side, int) for side in sides) > before
