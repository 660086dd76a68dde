"""ONNX files: data from strangers, checked before anything is believed."""

import math
import shutil
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
from onnx_ir import external_data

from polyphase.rewrite.reasons import sentence_of

OPSETS = range(9, 23)
_INSIDE = 2**30  # bytes of weights up to which they are written into the file itself
_LARGEST = 2**30  # numbers of one tensor within a model


def loaded(path: Path) -> ir.Model:
    """Return the model in a file. Nothing in it is run; weights beside it must lie in its folder.

    Raises:
        ValueError: in a sentence, for what is no valid ONNX file, or one that cannot be folded.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Give an ONNX model.")
    try:
        onnx.checker.check_model(str(path))
        model = ir.load(path)
    except Exception as error:  # whatever a damaged file raises
        raise ValueError(f"{path} is not a valid ONNX model: {sentence_of(error)}.") from error
    require_readable(model, str(path))
    return model


def require_readable(model: ir.Model, name: str) -> None:
    """Say what of a model cannot be read.

    Raises:
        ValueError: for operators of another version, or tensors of sizes that nobody has.
    """
    imports = model.graph.opset_imports
    opset = imports.get("", imports.get("ai.onnx"))
    if opset not in OPSETS:
        raise ValueError(
            f"The operators of {name} are of version {opset}. Versions {OPSETS[0]} to {OPSETS[-1]} "
            "are read: convert it by `onnx.version_converter`."
        )
    for node in model.graph:
        for value in (*node.inputs, *node.outputs):
            if value is not None and value.shape is not None:
                sides = [side for side in value.shape if isinstance(side, int)]
                if math.prod(sides) > _LARGEST:
                    raise ValueError(
                        f"{name} declares {value.name!r} of shape {list(value.shape)}: more than "
                        f"{_LARGEST:,} numbers."
                    )


def save(model: ir.Model, path: Path) -> list[Path]:
    """Write a model, with its weights beside it if they are too many for one file.

    Returns:
        The files that were written.
    """
    beside = path.with_name(f"{path.name}.data")
    large = weights_bytes(model) > _INSIDE
    ir.save(model, path, external_data=beside.name if large else None)
    return [path, beside] if large else [path]


def copy(source: Path, target: Path) -> None:
    """Write a file's model under another name, byte by byte if its weights are in it."""
    model = ir.load(source)
    values = model.graph.initializers.values()
    if any(isinstance(value.const_value, ir.ExternalTensor) for value in values):
        save(external_data.load_to_model(model), target)
    else:
        shutil.copyfile(source, target)


def weights_bytes(model: ir.Model) -> int:
    """Return the bytes of all initialisers."""
    values = model.graph.initializers.values()
    return sum(value.const_value.nbytes for value in values if value.const_value is not None)


def unknown_operators(model: ir.Model) -> list[str]:
    """Return, once each, operators of domains that ONNX does not define."""
    return sorted(
        {
            f"{node.domain}.{node.op_type}"
            for node in model.graph
            if node.domain not in ("", "ai.onnx", "ai.onnx.ml")
        }
    )


def inputs(model: ir.Model) -> list[ir.Value]:
    """Return the inputs that a caller must give."""
    known: Any = model.graph.initializers
    return [value for value in model.graph.inputs if value.name not in known]
