"""Reads `keras.ops` on tensors, and operators: what each does, as a form."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Concat, Form, Opaque, Pointwise, Sum, Upsample
from polyphase.rewrite.recognise import keras_means

_IMAGE = keras.KerasTensor((1, 2, 2, 4))
# Functions of single numbers; what else they are told is one number each.
_ELEMENTWISE = (
    *("relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "softplus"),
    *("sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "hard_silu", "squareplus"),
    *("tanh", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "softsign"),
    *("abs", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sign"),
)


def is_image(value: Any) -> bool:
    """Return whether a value is a tensor of the graph, or will be one."""
    return isinstance(value, (keras.KerasTensor, Delayed, Joined))


def form_of(operation: Any, args: tuple[Any, ...]) -> Form:
    """Return what an operation does when called so."""
    read = _READERS.get(type(operation))
    return read(operation, args) if read else Opaque()


def resized(layer: Any, wanted: tuple[int, int], small: Any) -> Form:
    """Return what a resize of a tensor does: an upsampling, by integer factors and of known sides.

    Args:
        layer: Keras' `Resizing`, or its operation.
        wanted: height and width of the result.
        small: what is resized.
    """
    odd = layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio
    known = isinstance(small, keras.KerasTensor) and "float" in small.dtype
    if odd or not known or len(small.shape) != 4:
        return Opaque()
    first = 1 if layer.data_format == "channels_last" else 2
    sides = small.shape[first : first + 2]
    if None in sides or any(out % side for out, side in zip(wanted, sides, strict=True)):
        return Opaque()
    size = (wanted[0] // sides[0], wanted[1] // sides[1])
    agrees = keras_means(layer.interpolation, size)
    return Upsample(size, layer.interpolation, layer.data_format) if agrees else Opaque()


def _resize(operation: Any, args: tuple[Any, ...]) -> Form:
    return resized(operation, tuple(operation.size), args[0]) if args else Opaque()


def _repeat(operation: Any, args: tuple[Any, ...]) -> Form:
    """Nearest upsampling along one axis that is neither the batch's nor the last."""
    dims = len(args[0].shape) if args and isinstance(args[0], keras.KerasTensor) else 0
    axis, repeats = operation.axis, operation.repeats
    if axis is None or not isinstance(repeats, int) or not 3 <= dims <= 5:
        return Opaque()
    space = range(1, dims - 1)
    if axis % dims not in space:
        return Opaque()
    size = tuple(repeats if one == axis % dims else 1 for one in space)
    return Upsample(size, "nearest", "channels_last")


def _constants(args: tuple[Any, ...]) -> list[Any]:
    return [value for value in args if not is_image(value)]


def _numbers(operation: Any, args: tuple[Any, ...]) -> bool:
    """Return whether all that an operation is told but images are single numbers."""
    own = [value for name, value in vars(operation).items() if not name.startswith("_")]
    return all(np.ndim(value) == 0 for value in (*_constants(args), *own))


def _sum(operation: Any, args: tuple[Any, ...]) -> Form:
    if not _constants(args):
        return Sum()
    return Pointwise(affine=True) if _numbers(operation, args) else Opaque()


def _product(operation: Any, args: tuple[Any, ...]) -> Form:
    return Pointwise(affine=bool(_constants(args))) if _numbers(operation, args) else Opaque()


def _quotient(operation: Any, args: tuple[Any, ...]) -> Form:
    by_a_number = len(args) > 1 and not is_image(args[1])
    return Pointwise(affine=by_a_number) if _numbers(operation, args) else Opaque()


def _of_numbers(operation: Any, args: tuple[Any, ...]) -> Form:
    return Pointwise() if _numbers(operation, args) else Opaque()


def _concatenation(operation: Any, args: tuple[Any, ...]) -> Form:
    """Of tensors of the graph; a constant among them has the size that it has."""
    return Opaque() if _constants(tuple(tree.flatten(args))) else Concat(operation.axis)


def _of_an_axis(operation: Any, args: tuple[Any, ...]) -> Form:
    axis = operation.axis
    return Pointwise(mixes=(axis,)) if isinstance(axis, int) else Opaque()


def _class(result: Any) -> type:
    return type(result._keras_history.operation)


RESIZE = _class(ops.image.resize(_IMAGE, (4, 4)))

_READERS: Mapping[type, Callable[[Any, tuple[Any, ...]], Form]] = {
    **{_class(getattr(ops, name)(_IMAGE)): _of_numbers for name in _ELEMENTWISE},
    _class(-_IMAGE): lambda operation, args: Pointwise(affine=True),
    _class(_IMAGE + _IMAGE): _sum,
    _class(_IMAGE - _IMAGE): _sum,
    _class(_IMAGE * _IMAGE): _product,
    **dict.fromkeys((_class(_IMAGE / 2.0), _class(ops.divide(_IMAGE, 2.0))), _quotient),
    **{
        _class(function(_IMAGE, _IMAGE)): _of_numbers
        for function in (ops.maximum, ops.minimum, ops.power)
    },
    _class(ops.clip(_IMAGE, 0.0, 1.0)): _of_numbers,
    _class(ops.cast(_IMAGE, "float16")): _of_numbers,
    _class(ops.softmax(_IMAGE)): _of_an_axis,
    _class(ops.log_softmax(_IMAGE)): _of_an_axis,
    _class(ops.concatenate([_IMAGE, _IMAGE])): _concatenation,
    RESIZE: _resize,
    _class(ops.repeat(_IMAGE, 2, axis=1)): _repeat,
}
