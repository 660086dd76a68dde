"""Own gradients have gradients, and keep their type, on every backend."""

import keras
import numpy as np
import pytest

from polyphase.ops import upsample, upsample_conv
from tests.gradients import to_numpy
from tests.ops import cases

X = cases.noise(1, 2, 3, 4, 2).astype("float32")
W = cases.noise(2, 3, 3, 2, 3).astype("float32")
FUNCTIONS = {
    "direct": lambda x: upsample(x, 2, "bicubic", lowering="direct"),
    "phases": lambda x: upsample(x, (2, 3), "nearest", lowering="phases"),
    "difference": lambda x: upsample_conv(x, W, 2, lowering="difference"),
    **{f"auto, {name}": lambda x, name=name: upsample(x, 2, name) for name in cases.INTERPOLATIONS},
    "convolved": lambda x: upsample_conv(x, W, 2),
    "blur": lambda x: upsample_conv(x, W, 2, "bilinear", lowering="blur"),
}


def second_order(function, x):
    """Return the gradient of the squared norm of the gradient of `sum(function(x) ** 3)`."""
    return _SECOND[keras.backend.backend()](lambda x: keras.ops.sum(function(x) ** 3), x)


def _jax(loss, x):
    import jax

    return jax.grad(lambda x: (jax.grad(loss)(x) ** 2).sum())(x)


def _tensorflow(loss, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = loss(x)
        norm = tf.reduce_sum(inner.gradient(value, x) ** 2)
    return outer.gradient(norm, x)


def _torch(loss, x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    (first,) = torch.autograd.grad(loss(x), x, create_graph=True)
    return torch.autograd.grad((first**2).sum(), x)[0]


_SECOND = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.grid(1)
def test_a_gradient_penalty_can_be_trained_on(name):
    """`A^T (3 (A x)^2)` is the gradient, so the penalty's is `2 A^T (6 A x * A g)`."""
    function = FUNCTIONS[name]
    shape = X.shape
    columns = [
        to_numpy(function(e.reshape(shape))).ravel() for e in np.eye(X.size, dtype="float32")
    ]
    matrix = np.stack(columns, axis=1).astype("float64")
    y = matrix @ X.ravel()
    gradient = matrix.T @ (3 * y**2)
    expected = (2 * matrix.T @ (6 * y * (matrix @ gradient))).reshape(shape)
    actual = to_numpy(second_order(function, X))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
