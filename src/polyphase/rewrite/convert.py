"""A program: a saved model into an ONNX or TensorFlow Lite file, on KERAS_BACKEND.

python -m polyphase.rewrite.convert MODEL.keras OUT.onnx|OUT.tflite REASON any|same [grid-sample]

Sides that the model leaves open are left open ("any"), or become those of the example that it is
tried on ("same"). With "grid-sample" PyTorch writes that operator where images are read between
their pixels. If it fails, REASON holds the error's own sentence.
"""

import contextlib
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

import polyphase.layers  # noqa: F401 - registers what files may name
from polyphase.ops.sample import as_grid_sample
from polyphase.rewrite.graph import input_structure
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.sizes import example


def convert(saved: str, out: str, sides: str) -> None:
    """Write the file."""
    model = keras.models.load_model(saved, compile=False)
    x = example(model)
    model(x, training=False)
    if keras.backend.backend() == "torch":
        _teach_converter()
    if out.endswith(".tflite"):
        one = tree.map_structure(
            lambda tensor, array: keras.InputSpec(
                shape=(1, *array.shape[1:]),
                dtype=tensor.dtype,
                name=tensor._keras_history.operation.name,
            ),
            input_structure(model),
            x,
        )
        model.export(out, format="litert", verbose=False, input_signature=[one])
        return
    if sides == "any" and keras.backend.backend() == "torch":
        _traced(model, x, out)
        return
    tensors = input_structure(model)
    signature = tree.map_structure(
        lambda tensor, array: keras.InputSpec(
            shape=tensor.shape if sides == "any" else (None, *array.shape[1:]),
            dtype=tensor.dtype,
            name=tensor.name,
        ),
        tensors,
        x,
    )
    model.export(out, format="onnx", verbose=False, input_signature=[signature])


def _teach_converter() -> None:
    """Tell PyTorch's converter of three operations that it does not know.

    Keras' layers ask for volumes channels last in memory; a file knows no memory => the same
    numbers. Keras' `take` flattens its indices. Runtimes divide by a factor, and do not multiply
    by its rounded inverse => by integers, any nearest is "nearest-exact".
    """
    import torch
    from torch.onnx.symbolic_helper import _interpolate_helper

    def contiguous(graph: Any, tensor: Any, memory_format: Any) -> Any:
        return tensor

    def ravel(graph: Any, tensor: Any) -> Any:
        return graph.op("Reshape", tensor, graph.op("Constant", value_t=torch.tensor([-1])))

    torch.onnx.register_custom_op_symbolic("aten::contiguous", contiguous, 9)
    torch.onnx.register_custom_op_symbolic("aten::ravel", ravel, 9)
    for rank in (1, 2, 3):
        nearest = _interpolate_helper(f"upsample_nearest{rank}d", rank + 2, "nearest")
        torch.onnx.register_custom_op_symbolic(f"aten::_upsample_nearest_exact{rank}d", nearest, 11)


def _traced(model: keras.Model, x: Any, out: str) -> None:
    """Convert on PyTorch, whose sizes stay open where the model's are.

    Keras' own `export` tries open sides as one pixel, which no U-Net halves.
    """
    import torch

    class Flat(torch.nn.Module):
        """The model, with its inputs one by one."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *arrays: Any) -> Any:
            return self.model(tree.pack_sequence_as(x, arrays), training=False)

    tensors = tree.flatten(input_structure(model))
    torch.onnx.export(
        Flat().eval(),
        tuple(torch.from_numpy(np.asarray(one)) for one in tree.flatten(x)),
        out,
        input_names=[tensor.name for tensor in tensors],
        dynamic_axes={
            tensor.name: {
                axis: f"{tensor.name}_{axis}" if axis else "batch"
                for axis, side in enumerate(tensor.shape)
                if side is None
            }
            for tensor in tensors
        },
        dynamo=False,
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # PyTorch warns of every size that it follows
    _saved, _out, _reason, _sides, *_options = sys.argv[1:]
    try:
        with as_grid_sample() if _options else contextlib.nullcontext():
            convert(_saved, _out, _sides)
    except Exception as error:  # whatever a converter raises is the reason that is told
        Path(_reason).write_text(sentence_of(error))
        sys.exit(1)
