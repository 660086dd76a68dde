"""Checked arguments of the operations: one clear sentence for what cannot be used."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from polyphase.algebra import kernels

Tensor = Any


_SPACE = {
    1: ("signals", "length"),
    2: ("images", "height, width"),
    3: ("volumes", "depth, height, width"),
}


def tensor(x: Tensor, operation: str) -> Tensor:
    """Return `x` as a tensor with a batch, spatial axes and channels, or say what is wrong."""
    if isinstance(x, keras.KerasTensor):
        raise ValueError(
            f"`{operation}` computes with values, but received a symbolic Keras tensor. "
            "In a functional model, use the layer of polyphase.layers."
        )
    x = keras.ops.convert_to_tensor(x)
    if len(x.shape) - 2 not in _SPACE:
        expected = ", ".join(
            f"{what} of rank {rank + 2}, (batch, {space}, channels)"
            for rank, (what, space) in _SPACE.items()
        )
        raise ValueError(
            f"`{operation}` expects {expected}, or channels first. "
            f"Received: shape {tuple(x.shape)}."
        )
    if 0 in x.shape[1:]:
        raise ValueError(
            f"`{operation}` expects images of at least one pixel and one channel; only the batch "
            f"may be empty. Received: shape {tuple(x.shape)}."
        )
    return x


def integers(value: Any, name: str, rank: int) -> tuple[int, ...]:
    """Return a positive integer, or one per axis, as one per axis."""
    numbers = _per_axis(value, operator.index, rank)
    if numbers is None or min(numbers) < 1:
        raise ValueError(
            f"`{name}` must be a positive integer{_or_each(rank)}. Received: {name}={value!r}."
        )
    return numbers


def odd(value: Any, name: str) -> int:
    """Return an odd integer of at least 3."""
    numbers = _per_axis(value, operator.index, 1)
    if numbers is None or numbers[0] < 3 or numbers[0] % 2 == 0:
        raise ValueError(
            f"`{name}` must be an odd integer of at least 3, so that a kernel has a middle tap. "
            f"Received: {name}={value!r}."
        )
    return int(numbers[0])


def of_any_rank(value: Any, name: str) -> int | tuple[int, ...]:
    """Return a positive integer, or one per axis, as it is: the rank is known when it is used."""
    rank = len(value) if isinstance(value, (tuple, list)) and 1 <= len(value) <= 3 else 1
    numbers = _per_axis(value, operator.index, rank)
    if numbers is None or min(numbers) < 1:
        raise ValueError(
            f"`{name}` must be a positive integer or one per axis. Received: {name}={value!r}."
        )
    return numbers if isinstance(value, (tuple, list)) else numbers[0]


def sizes(value: Any, rank: int) -> tuple[int | float, ...]:
    """Return an upsampling size, or one per axis, as one per axis; integral ones as int."""
    numbers = _per_axis(value, lambda v: int(v) if float(v).is_integer() else float(v), rank)
    if numbers is None or not all(1 <= n < float("inf") for n in numbers):
        raise ValueError(
            f"`size` must be a number of at least 1{_or_each(rank)}: upsampling does not shrink. "
            f"Received: size={value!r}."
        )
    return numbers


def _per_axis(value: Any, convert: Callable[[Any], Any], rank: int) -> tuple[Any, ...] | None:
    values = value if isinstance(value, (tuple, list)) else (value,) * rank
    try:
        numbers = tuple(convert(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if len(numbers) == rank else None


def _or_each(rank: int) -> str:
    return f" or {('one', 'two', 'three')[rank - 1]} of them, ({_SPACE[rank][1]})"


def interpolation(value: Any, rank: int) -> str:
    """Return an interpolation's name: "linear" and "cubic", in every rank, as that rank calls them.

    Rank 1: as they are; rank 2: "bilinear", "bicubic"; rank 3: "trilinear", "tricubic".
    """
    prefix = ("", "bi", "tri")[rank - 1]
    names = [prefix + name[2:] if name.startswith("bi") else name for name in kernels.KERNELS]
    chosen = one_of(value, "interpolation", tuple(dict.fromkeys([*names, "linear", "cubic"])))
    return prefix + chosen if chosen in ("linear", "cubic") else chosen


def corners(aligned: bool, interpolation: str) -> bool:
    """Return whether corners are aligned, which nearest does not do."""
    if aligned and interpolation == "nearest":
        raise ValueError(
            "`align_corners` is for interpolations other than nearest. Received: "
            f"align_corners={aligned!r}, interpolation='nearest'. Leave one of them out."
        )
    return aligned


def output_size(value: Any, x: Tensor) -> tuple[Any, ...]:
    """Return the sides of the output of `(n, *space, c)`, none below the image's.

    Integers, or integer scalar tensors.
    """
    inputs = keras.ops.shape(x)[1:-1]
    rank = len(inputs)
    shrinks = (
        f"`output_size` must be an integer{_or_each(rank)}, at least as large as the image's "
        "sides: upsampling does not shrink."
    )
    values = list(value) if isinstance(value, (tuple, list, np.ndarray)) else [value] * rank
    sides = tuple(v if keras.ops.is_tensor(v) else _index(v) for v in values)
    pairs = list(zip(inputs, sides, strict=False))
    known = [pair for pair in pairs if all(isinstance(n, int) for n in pair)]
    if len(sides) != rank or None in sides or any(out < n for n, out in known):
        raise ValueError(
            f"{shrinks} Received: output_size={value!r}, an image of "
            f"{' x '.join(map(str, inputs))} pixels."
        )
    if len(known) < rank and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        for side, out in pairs:  # checked when run
            tf.debugging.assert_greater_equal(tf.cast(out, "int32"), side, shrinks)
    return sides


def _index(value: Any) -> int | None:
    try:
        return operator.index(value)
    except TypeError:
        return None


def no_strides(kwargs: dict[str, Any], layer: str) -> None:
    """Refuse strides of a layer that upsamples by `size` and convolves with stride 1."""
    if "strides" in kwargs:
        raise ValueError(
            f"{layer} upsamples by `size` and convolves with stride 1. Received: "
            f"strides={kwargs['strides']!r}. Use `size` for the factor."
        )


def one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """Return a lower-case choice, or say what the choices are."""
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(allowed)}. Received: {value!r}.")
    return value.lower()


def data_format(value: str | None) -> str:
    """Return a data format; `None` means Keras' configured one."""
    if value is None:
        return str(keras.config.image_data_format())
    return one_of(value, "data_format", ("channels_last", "channels_first"))


def parameters(kernel: Any, bias: Any) -> tuple[Tensor, Tensor | None]:
    """Return a kernel and a bias, if there is one, as tensors."""
    convert = keras.ops.convert_to_tensor
    return convert(kernel), None if bias is None else convert(bias)


def kernel(value: Tensor, x: Tensor, axis: int, operation: str, groups: bool = True) -> Tensor:
    """Return a kernel of as many spatial axes as `(n, *space, c)` has, made for its channels.

    Its input channels, on `axis`, divide the image's where the operation has groups, and equal them
    where it has none.
    """
    if len(value.shape) != len(x.shape):
        raise ValueError(
            f"`{operation}` expects a kernel of rank {len(x.shape)}, "
            f"({_SPACE[len(x.shape) - 2][1]}, channels, channels). "
            f"Received: kernel shape {tuple(value.shape)}."
        )
    made_for, channels = value.shape[axis], x.shape[-1]
    if channels is not None and (channels % made_for if groups else channels != made_for):
        raise ValueError(
            f"`{operation}`: the kernel is made for {made_for} input channels. "
            f"Received: an image with {channels} channels, kernel shape {tuple(value.shape)}."
        )
    return value


def groups(value: Any, channels: int | None, of: str) -> int:
    """Return into how many groups a number of channels, if it is known, is divided."""
    numbers = _per_axis(value, operator.index, 1)
    if numbers is None or numbers[0] < 1 or (channels or 0) % numbers[0]:
        number = "" if channels is None else f", {channels}"
        raise ValueError(
            f"`groups` must be a positive integer that divides the {of}{number}. "
            f"Received: groups={value!r}."
        )
    return int(numbers[0])


def bias(value: Tensor | None, filters: int, operation: str) -> Tensor | None:
    """Return a bias of one number per output channel, or None."""
    if value is None:
        return None
    if tuple(value.shape) != (filters,):
        raise ValueError(
            f"`{operation}` expects a bias of one number per output channel, shape ({filters},). "
            f"Received: bias shape {tuple(value.shape)}."
        )
    return value


def promoted(operation: str, *tensors: Tensor | None) -> list[Any]:
    """Return tensors in the one float dtype that an operation computes in.

    Equal dtypes stay; of different ones the result is Keras' promotion (integers and a float: the
    float; float16 and bfloat16: float32); integers alone become Keras' float type.
    """
    dtypes = sorted({keras.backend.standardize_dtype(t.dtype) for t in tensors if t is not None})
    dtype = dtypes[0] if len(dtypes) == 1 else str(keras.backend.result_type(*dtypes))
    if any("complex" in one for one in dtypes):
        raise ValueError(
            f"`{operation}` computes with real numbers. Received: {', '.join(dtypes)}. "
            "Apply it to the real and the imaginary part separately."
        )
    if "float" not in dtype:
        dtype = keras.config.floatx()
    return [None if t is None else keras.ops.cast(t, dtype) for t in tensors]


def output_padding(value: Any, strides: Sequence[int]) -> tuple[int, ...] | None:
    """Return Keras' `output_padding`: None, or integers from 0 to the stride less 1, per axis."""
    if value is None:
        return None
    values = value if isinstance(value, (tuple, list)) else (value,) * len(strides)
    fits = len(values) == len(strides) and all(
        isinstance(v, int) and 0 <= v < s for v, s in zip(values, strides, strict=True)
    )
    if not fits:
        raise ValueError(
            "`output_padding` must be None, an integer, or one per axis, at least 0 and less than "
            f"the stride. Received: output_padding={value!r}, strides={tuple(strides)}."
        )
    return tuple(values)
