"""Checked arguments of the operations: one clear sentence for what cannot be used."""

import operator
from typing import Any

import keras
import numpy as np

Tensor = Any


def tensor(x: Tensor, operation: str) -> Tensor:
    """Return `x` as a tensor of rank 4, or say what is wrong with it."""
    if isinstance(x, keras.KerasTensor):
        raise ValueError(
            f"`{operation}` computes with values and received a symbolic Keras tensor. "
            "In a functional model use the layer of polyphase.layers."
        )
    x = keras.ops.convert_to_tensor(x)
    if len(x.shape) != 4:
        raise ValueError(
            f"`{operation}` expects images of rank 4, (batch, height, width, channels) or "
            f"(batch, channels, height, width). Received: shape {tuple(x.shape)}."
        )
    if 0 in x.shape[1:]:
        raise ValueError(
            f"`{operation}` expects images of at least one pixel and one channel; only the batch "
            f"may be empty. Received: shape {tuple(x.shape)}."
        )
    return x


def pair(value: Any, name: str) -> tuple[int, int]:
    """Return a positive integer, or two of them, as `(height, width)`."""
    values = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        numbers = tuple(operator.index(v) for v in values)
    except TypeError:
        numbers = ()
    if len(numbers) != 2 or min(numbers) < 1:
        raise ValueError(
            f"`{name}` must be a positive integer or two of them, (height, width). "
            f"Received: {name}={value!r}."
        )
    return numbers


def size_pair(value: Any) -> tuple[int | float, int | float]:
    """Return an upsampling size, or two of them, as `(height, width)`; integral ones as int."""
    values = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        numbers = tuple(int(v) if float(v).is_integer() else float(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if len(numbers) != 2 or not all(1 <= n < float("inf") for n in numbers):
        raise ValueError(
            "`size` must be a number of at least 1 or two of them, (height, width): upsampling "
            f"does not shrink. Received: size={value!r}."
        )
    return numbers


def output_size(value: Any, x: Tensor) -> tuple[Any, ...]:
    """Return the sides of the output of `(n, *space, c)`, none below the image's.

    Integers, or integer scalar tensors.
    """
    inputs = keras.ops.shape(x)[1:-1]
    rank = len(inputs)
    values = list(value) if isinstance(value, (tuple, list, np.ndarray)) else [value] * rank
    sides = tuple(v if keras.ops.is_tensor(v) else _index(v) for v in values)
    pairs = list(zip(inputs, sides, strict=False))
    known = [pair for pair in pairs if all(isinstance(n, int) for n in pair)]
    if len(sides) != rank or None in sides or any(out < n for n, out in known):
        raise ValueError(
            f"{_SHRINKS} Received: output_size={value!r}, an image of "
            f"{' x '.join(map(str, inputs))} pixels."
        )
    if len(known) < rank and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        for side, out in pairs:  # checked when run
            tf.debugging.assert_greater_equal(tf.cast(out, "int32"), side, _SHRINKS)
    return sides


_SHRINKS = (
    "`output_size` must be an integer or two of them, (height, width), of at least the image's "
    "sides: upsampling does not shrink."
)


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


def kernel(value: Tensor, channels: Any, axis: int, operation: str, groups: bool = True) -> Tensor:
    """Return a kernel of rank 4 whose input channels, on `axis`, fit the image's.

    They divide them where the operation has groups, and equal them where it has none.
    """
    if len(value.shape) != 4:
        raise ValueError(
            f"`{operation}` expects a kernel of rank 4, (height, width, channels, channels). "
            f"Received: kernel shape {tuple(value.shape)}."
        )
    made_for = value.shape[axis]
    if channels is not None and (channels % made_for if groups else channels != made_for):
        raise ValueError(
            f"`{operation}`: the kernel is made for {made_for} input channels. "
            f"Received: an image with {channels} channels, kernel shape {tuple(value.shape)}."
        )
    return value


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
            "Use it on the real and the imaginary part."
        )
    if "float" not in dtype:
        dtype = keras.config.floatx()
    return [None if t is None else keras.ops.cast(t, dtype) for t in tensors]


def output_padding(value: Any, strides: tuple[int, int]) -> tuple[int, int] | None:
    """Return Keras' `output_padding`: None, or two integers from 0 to the stride less 1."""
    if value is None:
        return None
    values = value if isinstance(value, (tuple, list)) else (value, value)
    fits = len(values) == 2 and all(
        isinstance(v, int) and 0 <= v < s for v, s in zip(values, strides, strict=True)
    )
    if not fits:
        raise ValueError(
            "`output_padding` must be None, or an integer or two from 0 to less than the stride. "
            f"Received: output_padding={value!r}, strides={strides}."
        )
    return tuple(values)
