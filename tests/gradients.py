"""Vector-Jacobian products on any backend; nothing here imports Polyphase."""

import contextlib

import keras
import numpy as np


def to_numpy(x):
    """Return a tensor of any dtype, bfloat16 too, as float64 NumPy."""
    if keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16"):
        x = keras.ops.cast(x, "float32")
    return np.asarray(keras.ops.convert_to_numpy(x), dtype=np.float64)


def precision(dtype):
    """Return the context in which a dtype exists: JAX has float64 only when asked."""
    if dtype == "float64" and keras.backend.backend() == "jax":
        import jax

        return jax.enable_x64(True)
    return contextlib.nullcontext()


def vjp(function, arrays, cotangent, dtype="float32"):
    """Return `function(*arrays)` and the gradients of `sum(cotangent * function(*arrays))`.

    Args:
        function: takes and returns tensors; computed in `dtype`.
        arrays: NumPy arrays.
        cotangent: a NumPy array of the output's shape, or a function that makes it from the shape.
        dtype: what the arrays are cast to.

    Returns:
        The output, the list of gradients (float64 NumPy all) and the output's dtype.
    """
    backend = keras.backend.backend()
    with precision(dtype):
        xs = [keras.ops.convert_to_tensor(a, dtype=dtype) for a in arrays]
        y, gradients = _VJP[backend](function, xs, lambda y: _cotangent(y, cotangent))
        return (
            to_numpy(y),
            [to_numpy(g) for g in gradients],
            keras.backend.standardize_dtype(y.dtype),
        )


def _cotangent(y, cotangent):
    value = cotangent(tuple(y.shape)) if callable(cotangent) else cotangent
    return keras.ops.convert_to_tensor(value, dtype=keras.backend.standardize_dtype(y.dtype))


def _jax(function, xs, cotangent):
    import jax

    def run(*xs):
        y, pull = jax.vjp(function, *xs)
        return y, pull(cotangent(y))

    return jax.jit(run)(*xs)


def _tensorflow(function, xs, cotangent):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(xs)
        y = function(*xs)
    return y, tape.gradient(y, xs, output_gradients=cotangent(y))


def _torch(function, xs, cotangent):
    import torch

    xs = [x.detach().requires_grad_() for x in xs]
    y = function(*xs)
    gradients = torch.autograd.grad(y, xs, cotangent(y))
    return y.detach(), gradients


_VJP = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}


def second(function, arrays):
    """Return the gradients of the summed squares of the gradients of `function(*arrays)`.

    Args:
        function: takes float32 tensors, returns a number.
        arrays: NumPy arrays.
    """
    xs = [keras.ops.convert_to_tensor(a, dtype="float32") for a in arrays]

    def squares(gradients):
        return sum(keras.ops.sum(one**2) for one in gradients)

    return [to_numpy(one) for one in _SECOND[keras.backend.backend()](function, xs, squares)]


def _jax_second(function, xs, squares):
    import jax

    which = tuple(range(len(xs)))
    return jax.grad(lambda *xs: squares(jax.grad(function, which)(*xs)), which)(*xs)


def _tensorflow_second(function, xs, squares):
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch(xs)
        with tf.GradientTape() as inner:
            inner.watch(xs)
            y = function(*xs)
        z = squares(inner.gradient(y, xs))
    return outer.gradient(z, xs)


def _torch_second(function, xs, squares):
    import torch

    xs = [x.requires_grad_() for x in xs]
    first = torch.autograd.grad(function(*xs), xs, create_graph=True)
    return [one.detach() for one in torch.autograd.grad(squares(first), xs)]


_SECOND = {"jax": _jax_second, "tensorflow": _tensorflow_second, "torch": _torch_second}
