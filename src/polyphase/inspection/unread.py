"""What `inspect` does not read and that might upsample, so that it does not deny it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.inspection.readings import is_read
from polyphase.rewrite.code import Shape, longer, runs_code, spatial
from polyphase.rewrite.graph import calls, data_format, graph_of, is_graph

Shapes = tuple[list[Shape], list[Shape]]  # of inputs, and of outputs
OWN_CODE = "code of its own"


@dataclass(frozen=True)
class Unread:
    """A layer or operation that is not read and might upsample.

    Attributes:
        layer: its name; within a nested model, wrapper or class, `outer/layer`.
        kind: its class; "code of its own" is added if it runs code that is neither Keras' nor ours.
    """

    layer: str
    kind: str

    def __str__(self) -> str:
        return f"{self.layer} ({self.kind})"


def unread(model: Any, known: frozenset[int] = frozenset()) -> tuple[Unread, ...]:
    """Return what might upsample in a built model and is not read, each once.

    Args:
        model: a layer or model.
        known: ids of operations that were read as parts of others.
    """
    layout = data_format(model)
    found = _within(model, "", layout) if is_graph(model) else _one(model, model.name, None, layout)
    once = {id(operation): one for operation, one in found if id(operation) not in known}
    return tuple(once.values())


def _within(graph: keras.Model, path: str, layout: str) -> Iterator[tuple[Any, Unread]]:
    for operation, inputs, outputs in calls(graph_of(graph)):
        name = f"{path}{operation.name}"
        if is_graph(operation):
            yield from _within(operation, f"{name}/", layout)
        else:
            shapes = [tuple(x.shape) for x in inputs], [tuple(y.shape) for y in outputs]
            yield from _one(operation, name, shapes, layout)


def _one(
    operation: Any, name: str, shapes: Shapes | None, layout: str
) -> Iterator[tuple[Any, Unread]]:
    """Yield an operation, if it might upsample, and what is inside of it."""
    shapes = shapes or _built(operation)
    kind = type(operation).__name__
    if shapes is None or any(len(shape) > 2 for shape in shapes[1]):  # else it gives no image
        if runs_code(operation):
            yield operation, Unread(name, f"{kind}, {OWN_CODE}")
        elif not is_read(operation) and _might_upsample(operation, shapes, layout):
            yield operation, Unread(name, kind)
    for inner in getattr(operation, "_layers", ()):
        if is_graph(inner):
            yield from _within(inner, f"{name}/{inner.name}/", layout)
        else:
            yield from _one(inner, f"{name}/{inner.name}", None, layout)


def _built(layer: Any) -> Shapes | None:
    """Return the shapes that a layer inside of another was built for; None: not known."""
    try:
        shape = tuple(layer.get_build_config()["input_shape"])
        return [shape], [tuple(layer.compute_output_shape(shape))]
    except Exception:  # a layer may do anything there
        return None


def _might_upsample(operation: Any, shapes: Shapes | None, layout: str) -> bool:
    """Return whether one of Keras' or ours might; only sizes that are known deny it."""
    kinds = {kind.__name__ for kind in type(operation).__mro__}
    if type(operation).__module__.startswith("polyphase"):
        return True
    if isinstance(operation, keras.Layer) and not kinds & _LAYERS:
        return False
    if shapes is None:
        return True
    inputs, outputs = shapes
    layout = getattr(operation, "data_format", None) or layout
    judge: Callable[[list[Shape], Shape, str], bool | None] = longer
    if "Reshape" in kinds:
        judge = _unfolded
    elif kinds & _MIX:
        judge = _new_size
    verdicts = [judge(inputs, shape, layout) for shape in outputs]
    if None in verdicts and not any(verdicts):
        return bool(kinds & (_LAYERS | _OPERATIONS))
    return any(verdicts) and not kinds & _LENGTHEN


def _unfolded(inputs: list[Shape], output: Shape, layout: str) -> bool | None:
    """Return whether a reshape might join phases with the axes beside them, or split channels."""
    rank = len(inputs[0])
    if rank == len(output):
        return longer(inputs, output, layout)
    return rank > 4 and 2 < len(output) < rank


def _new_size(inputs: list[Shape], output: Shape, layout: str) -> bool | None:
    """Return whether sums of products give an image a size that no input has."""
    if len(output) < 3:
        return False
    sizes = {side for shape in inputs for side in shape}
    new = [output[axis] for axis in spatial(len(output), layout) if output[axis] not in sizes]
    return None if None in new else bool(new)


# Keras' other layers that can make an image larger; augmentation only does in training.
_LAYERS = frozenset({"CenterCrop", "RandomCrop", "Reshape", "Resizing"})
# Keras' operations that are there to make one larger, or can: without sizes, they might.
_OPERATIONS = frozenset(
    {"AffineTransform", "ConvTranspose", "DepthToSpace", "ElasticTransform", "Fold", "IFFT2"}
    | {"IRFFT", "ISTFT", "Kron", "MapCoordinates", "PerspectiveTransform", "Rearrange", "Repeat"}
    | {"Reshape", "Resize", "ScaleAndTranslate", "Scatter", "Take", "TakeAlongAxis", "Tile"}
)
# Sums of products, whose axes are not those of their inputs.
_MIX = frozenset({"Dot", "Einsum", "Inner", "Kron", "Matmul", "Outer", "Tensordot"})
# What makes an axis longer, but not by upsampling, or only moves axes.
_LENGTHEN = frozenset(
    {"Append", "Concatenate", "Dstack", "Hstack", "Moveaxis", "Pad", "PadImages", "Rot90"}
    | {"Stack", "Swapaxes", "Transpose", "Vstack"}
)
