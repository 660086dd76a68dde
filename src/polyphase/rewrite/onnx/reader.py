"""Reads nodes of an ONNX graph: what each does, as a form. Operators from version 9 to 22."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx_ir as ir

from polyphase.algebra.geometry import same_padding
from polyphase.rewrite.delayed import Margin
from polyphase.rewrite.forms import (
    Concat,
    Conv,
    Form,
    Norm,
    Opaque,
    Operation,
    Pad,
    Pointwise,
    Sum,
    Transpose,
)
from polyphase.rewrite.onnx.resizing import of_repeat, of_resize
from polyphase.rewrite.onnx.shapes import attribute, constant, sides

_DOMAINS = ("", "ai.onnx")
_SIZED = ("Resize", "Upsample", "Reshape", "Pad")  # what else they are called with are sizes
_FLOATS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")


def read(node: ir.Node, opset: int) -> Operation:
    """Return what a node does, to which of its inputs."""
    form, images = _form(node, opset)
    return Operation(
        name=node.name or node.outputs[0].name or node.op_type,
        form=form,
        inputs=images,
        source=node,
        args=tuple(node.inputs),
        dtype="",
        watched=False,
        per_step=False,
    )


def _form(node: ir.Node, opset: int) -> tuple[Form, tuple[ir.Value, ...]]:
    every = tuple(one for one in node.inputs if one is not None)
    reader = _READERS.get(node.op_type) if node.domain in _DOMAINS else None
    if reader is None or not every or _more_is_read(node):
        return Opaque(), every
    sized = node.op_type in _SIZED
    images = every[:1] if sized else tuple(one for one in every if constant(one) is None)
    if not images or any(not _is_image(one) for one in images):
        return Opaque(), every
    form, images = reader(node, images, opset)
    return (form, every) if isinstance(form, Opaque) else (form, images)


def _more_is_read(node: ir.Node) -> bool:
    """Return whether more of a node than its first result is read."""
    return any(one.uses() or one.is_graph_output() for one in node.outputs[1:])


def _is_image(value: ir.Value) -> bool:
    """Return whether a value has channels and at least one spatial axis, and floats."""
    known = value.shape is not None and value.dtype is not None
    return known and len(value.shape or ()) >= 3 and str(value.dtype) in _FLOATS


Reading = tuple[Form, tuple[ir.Value, ...]]
Reader = Callable[[ir.Node, tuple[ir.Value, ...], int], Reading]


def _resize(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    return of_resize(node, opset), images


def _reshape(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    small, form = of_repeat(node) or (images[0], Opaque())
    return form, (small,)


def _always(form: Form) -> Reader:
    """Of one image, whatever else a node is called with."""

    def read(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
        alone = len(images) == 1 and node.inputs[0] is images[0]
        return (form if alone else Opaque()), images

    return read


def _arithmetic(several: Form, affine: bool) -> Reader:
    """Of images, or of an image and known numbers: one, or one for each place along an axis."""

    def read(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
        known = [constant(one) for one in node.inputs if one not in images]
        if not known:
            alike = len({len(one.shape or ()) for one in images}) == 1
            return (several if alike else Opaque()), images
        rank = len(images[0].shape or ())
        if len(images) > 1 or any(one is None or one.ndim > rank for one in known):
            return Opaque(), images
        varies = {
            axis - one.ndim
            for one in known
            if one is not None
            for axis, length in enumerate(one.shape)
            if length > 1
        }
        straight = affine and (node.op_type != "Div" or node.inputs[0] is images[0])
        return Pointwise(affine=straight, varies=tuple(sorted(varies))), images

    return read


def _dropout(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    training = constant(node.inputs[2]) if len(node.inputs) > 2 else np.False_
    passes = training is not None and not training.any()
    return (Pointwise(affine=True) if passes else Opaque()), images


def _softmax(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    """From version 13 along an axis; before, along all from there."""
    axis = attribute(node, "axis", -1)
    return (Pointwise(mixes=(axis,)) if opset >= 13 else Opaque()), images


def _batch_normalization(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    fixed = not attribute(node, "training_mode", 0) and attribute(node, "spatial", 1)
    known = all(constant(one) is not None for one in node.inputs[1:])
    return (Norm((1,), batch=True, fixed=True) if fixed and known else Opaque()), images


def _concat(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    """Of images alone, whose channels are counted."""
    rank = len(images[0].shape or ())
    axis = attribute(node, "axis", 1) % rank
    counted = all(one.shape is not None and isinstance(one.shape[axis], int) for one in images)
    every = len(images) == len(node.inputs)
    return (Concat(axis) if counted and every else Opaque()), images


def _transpose(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    rank = len(images[0].shape or ())
    return Transpose(tuple(attribute(node, "perm", range(rank)[::-1]))), images


def _pad(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    """Zeros, along other axes than the first two."""
    rank = len(images[0].shape or ())
    amounts = attribute(node, "pads", None) if opset < 11 else constant(node.inputs[1])
    value = attribute(node, "value", 0.0) if opset < 11 else _pad_value(node)
    axes = len(node.inputs) > 3 and node.inputs[3] is not None
    plain = attribute(node, "mode", "constant") == "constant" and value == 0 and not axes
    if not plain or amounts is None or len(amounts) != 2 * rank:
        return Opaque(), images
    pairs = [(int(amounts[n]), int(amounts[n + rank])) for n in range(rank)]
    if pairs[:2] != [(0, 0), (0, 0)]:
        return Opaque(), images
    return Pad(tuple(pairs[2:]), "channels_first"), images


def _pad_value(node: ir.Node) -> Any:
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return 0.0
    number = constant(node.inputs[2])
    return None if number is None else number.item()


def _conv(node: ir.Node, images: tuple[ir.Value, ...], opset: int) -> Reading:
    kernel = constant(node.inputs[1])
    if kernel is None or len(images) > 1:
        return Opaque(), images
    size = kernel.shape[2:]
    ones = (1,) * len(size)
    dilation = tuple(attribute(node, "dilations", ones))
    strides = tuple(attribute(node, "strides", ones))
    form = Conv(
        way="full",
        kernel_size=size,
        strides=strides,
        dilation=dilation,
        groups=attribute(node, "group", 1),
        padding=_padding(pads(node), size, dilation),
        data_format="channels_first",
        activation=Pointwise(affine=True),
    )
    return form, images


def _padding(amounts: Margin, size: tuple[int, ...], dilation: tuple[int, ...]) -> str:
    """Return "same" or "valid"; "explicit" for other amounts."""
    same = tuple(same_padding(k, rate) for k, rate in zip(size, dilation, strict=True))
    if amounts == same:
        return "same"
    return "explicit" if any(map(any, amounts)) else "valid"


def pads(node: ir.Node) -> Margin:
    """Return the zeros that a convolution without strides puts around an image."""
    size = sides(node.inputs[1])[2:]
    ones, none = (1,) * len(size), (0,) * 2 * len(size)
    rates = attribute(node, "dilations", ones)
    same = tuple(same_padding(k, rate) for k, rate in zip(size, rates, strict=True))
    said = tuple(attribute(node, "pads", none))
    amounts = {
        "SAME_UPPER": same,
        "SAME_LOWER": tuple((after, before) for before, after in same),
        "NOTSET": tuple(zip(said[: len(size)], said[len(size) :], strict=True)),
        "VALID": ((0, 0),) * len(size),
    }
    return amounts[attribute(node, "auto_pad", "NOTSET")]


_ELEMENTWISE = (  # noqa: SIM905 - a list of words
    "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid "
    "HardSwish LeakyRelu Log Mish Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus "
    "Softsign Sqrt Swish Tan Tanh ThresholdedRelu Clip"
).split()
_READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    **dict.fromkeys(_ELEMENTWISE, _always(Pointwise())),
    **dict.fromkeys(("Identity", "Neg"), _always(Pointwise(affine=True))),
    "Dropout": _dropout,
    "InstanceNormalization": _always(Norm((1,))),
    **dict.fromkeys(("Add", "Sub"), _arithmetic(Sum(), affine=True)),
    "Mul": _arithmetic(Pointwise(), affine=True),
    "Div": _arithmetic(Pointwise(), affine=True),
    **dict.fromkeys(("Max", "Min", "Pow", "PRelu"), _arithmetic(Pointwise(), affine=False)),
    **dict.fromkeys(("Sum", "Mean"), _arithmetic(Sum(), affine=True)),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    "BatchNormalization": _batch_normalization,
    "Concat": _concat,
    "Transpose": _transpose,
    "Pad": _pad,
    "Conv": _conv,
    "Reshape": _reshape,
}
