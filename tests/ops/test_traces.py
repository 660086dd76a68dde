"""Compilers and function transformations: the result and the gradient are those of eager mode."""

import keras
import numpy as np
import pytest

from polyphase.ops import (
    conv_transpose,
    depth_to_space,
    reassemble,
    sample,
    upsample,
    upsample_conv,
    upsample_depthwise_conv,
)
from tests.gradients import to_numpy, vjp
from tests.ops import cases

BACKEND = keras.backend.backend()
# PyTorch's compiler and forward mode call what it deprecates; vmap of one resize loops.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning"),
]
only = {
    name: pytest.mark.skipif(name != BACKEND, reason=f"of {name}")
    for name in ("jax", "tensorflow", "torch")
}


def kernel(*shape):
    return keras.ops.convert_to_tensor(cases.noise(7, *shape).astype("float32"))


def one(lowering, size, interpolation):
    return lambda x: upsample(x, size, interpolation, lowering=lowering)


def transposed(lowering):
    w = kernel(4, 3, 2, 3)
    return lambda x: conv_transpose(x, w, (3, 2), "same", lowering=lowering)


def depthwise(lowering):
    w = kernel(3, 2, 3, 2)
    return lambda x: upsample_depthwise_conv(x, w, (3, 2), padding="same", lowering=lowering)


def convolved(lowering, size, interpolation="nearest"):
    w = kernel(3, 2, 3, 2)
    return lambda x: upsample_conv(x, w, size, interpolation, "same", lowering=lowering)


def reassembled(lowering):
    w = kernel(12, 10, 9)

    def function(x):
        large = keras.ops.repeat(keras.ops.repeat(x[..., :1], 3, axis=1), 2, axis=2)
        return reassemble(x, w + 0.0 * large, (3, 2), lowering=lowering)

    return function


def sampled():
    """At the same places, whatever the image."""
    places = kernel(3, 7, 2) * 3.0
    return lambda x: sample(x, places + 0.0 * x[:, :1, :1, :1])


# Factors that are no powers of two, and ratios: tables, not the backend's own resize.
FUNCTIONS = {
    **{
        f"upsample-{lowering}-{interpolation}": one(lowering, size, interpolation)
        for lowering, size in (
            ("auto", (3, 2)), ("direct", (1.5, 3)), ("phases", (3, 2)), ("reference", 1.5),
        )
        for interpolation in ("nearest", "bicubic")
    },
    "upsample-output_size": lambda x: upsample(
        x, output_size=(7, 11), interpolation="bilinear"
    ),
    **{
        f"upsample_conv-{lowering}": convolved(lowering, (3, 2))
        for lowering in (
            "auto", "reference", "direct", "phases", "transpose", "difference", "patches", "blur",
        )
    },
    "upsample_conv-blurred": convolved("blur", (3, 2), "bicubic"),
    "upsample_conv-bilinear": convolved("auto", (3, 1.5), "bilinear"),
    **{
        f"conv_transpose-{lowering}": transposed(lowering)
        for lowering in ("auto", "reference", "direct", "phases", "patches")
    },
    **{
        f"upsample_depthwise_conv-{lowering}": depthwise(lowering)
        for lowering in ("auto", "reference", "direct", "phases")
    },
    "depth_to_space": lambda x: depth_to_space(x, (3, 1)),
    **{
        f"reassemble-{lowering}": reassembled(lowering)
        for lowering in ("reference", "phases", "bands")
    },
    "sample": sampled(),
}  # fmt: skip
functions = pytest.mark.parametrize("name", FUNCTIONS)
X = cases.noise(1, 2, 4, 5, 3)


def eager(function):
    y, (dx,), _ = vjp(function, [X], np.ones)
    return y, dx


def expect(name, y, dx):
    """Compare with eager mode, whose gradient is that of the sum of the squares here."""
    function = FUNCTIONS[name]
    expected, (gradient,), _ = vjp(function, [X], eager(function)[0])
    np.testing.assert_allclose(to_numpy(y), expected, atol=2e-5)
    np.testing.assert_allclose(to_numpy(dx), gradient, atol=2e-4)


SOME = ["upsample-auto-bicubic", "upsample-direct-nearest", "upsample-output_size",
        "upsample_conv-auto", "upsample_conv-difference", "upsample_conv-blurred",
        "conv_transpose-patches", "upsample_depthwise_conv-phases", "depth_to_space",
        "reassemble-phases", "reassemble-bands", "sample"]  # fmt: skip


@only["torch"]
@pytest.mark.parametrize("name", SOME)
def test_torch_compile_reads_it_as_one_graph(name):
    import torch

    torch.compiler.reset()
    compiled = torch.compile(FUNCTIONS[name], backend="aot_eager", fullgraph=True)
    x = torch.tensor(X, dtype=torch.float32, requires_grad=True)
    y = compiled(x)
    (y.square().sum() / 2).backward()
    expect(name, y.detach(), x.grad)


@only["torch"]
@pytest.mark.parametrize("name", SOME)
def test_torch_compile_takes_a_second_size(name):
    import torch

    torch.compiler.reset()
    if name.startswith(("reassemble", "sample")):
        pytest.skip("their kernels and places are of one size here")
    function = FUNCTIONS[name]
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    for side in (4, 6, 7):
        x = torch.tensor(cases.noise(1, 2, side, 5, 3), dtype=torch.float32)
        np.testing.assert_allclose(to_numpy(compiled(x)), to_numpy(function(x)), atol=2e-5)


@only["torch"]
def test_torch_compile_takes_a_second_size_and_the_default_compiler():
    import torch

    torch.compiler.reset()
    function = FUNCTIONS["upsample-auto-bicubic"]
    compiled = torch.compile(function, fullgraph=True)
    for side in (4, 6):
        x = torch.tensor(cases.noise(1, 1, side, 5, 1), dtype=torch.float32)
        np.testing.assert_allclose(to_numpy(compiled(x)), to_numpy(function(x)), atol=2e-6)


@only["torch"]
@functions
def test_functorch_differentiates_and_maps(name):
    import torch

    function = FUNCTIONS[name]
    x = torch.tensor(X, dtype=torch.float32)
    dx = torch.func.grad(lambda x: function(x).square().sum() / 2)(x)
    expect(name, function(x).detach(), dx)
    images = torch.stack([x, 2 * x])
    np.testing.assert_allclose(
        to_numpy(torch.func.vmap(function)(images)),
        to_numpy(torch.stack([function(x), function(2 * x)])),
        atol=2e-5,
    )
    y, tangent = torch.func.jvp(function, (x,), (x,))
    np.testing.assert_allclose(to_numpy(tangent), to_numpy(y), atol=2e-5)  # a linear map
    each = torch.func.vmap(torch.func.grad(lambda x: function(x).square().sum() / 2))(images)
    np.testing.assert_allclose(to_numpy(each[1]), 2 * to_numpy(dx), atol=5e-4)


@only["tensorflow"]
@pytest.mark.parametrize("name", SOME)
def test_xla_compiles_it_on_tensorflow(name):
    import tensorflow as tf

    function = FUNCTIONS[name]

    @tf.function(jit_compile=True)
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            loss = tf.reduce_sum(y * y) / 2
        return y, tape.gradient(loss, x)

    expect(name, *both(tf.constant(X, "float32")))


@only["tensorflow"]
@pytest.mark.parametrize("name", SOME)
def test_tensorflow_accumulates_forwards(name):
    import tensorflow as tf

    x = tf.constant(X, "float32")
    with tf.autodiff.ForwardAccumulator(x, x) as accumulator:
        y = FUNCTIONS[name](x)
    np.testing.assert_allclose(to_numpy(accumulator.jvp(y)), to_numpy(y), atol=2e-5)


@only["jax"]
@pytest.mark.parametrize("name", SOME)
@pytest.mark.grid(3)
def test_jax_transforms_it(name):
    import jax

    function = FUNCTIONS[name]
    x = jax.numpy.asarray(X, "float32")
    gradient = jax.grad(lambda x: (function(x) ** 2).sum() / 2)
    expect(name, function(x), jax.jit(gradient)(x))
    images = jax.numpy.stack([x, 2 * x])
    y = jax.jit(jax.vmap(function))(images)
    np.testing.assert_allclose(to_numpy(y[1]), 2 * to_numpy(function(x)), atol=5e-5)
    each = jax.jit(jax.vmap(gradient))(images)
    np.testing.assert_allclose(to_numpy(each[1]), 2 * to_numpy(gradient(x)), atol=5e-4)


@only["jax"]
def test_jax_has_forward_mode_without_an_own_gradient_and_says_so_with_one():
    import jax

    x = jax.numpy.asarray(X, "float32")
    for name in ("upsample-reference-bicubic", "upsample_conv-phases", "depth_to_space"):
        y, tangent = jax.jvp(FUNCTIONS[name], (x,), (x,))
        np.testing.assert_allclose(to_numpy(tangent), to_numpy(y), atol=2e-5)
    with pytest.raises(TypeError, match="can't apply forward-mode"):
        jax.jvp(FUNCTIONS["upsample-auto-bicubic"], (x,), (x,))


@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_keras_compiles_and_trains_a_layer(interpolation):
    from polyphase.layers import UpSampling2D

    model = keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            keras.layers.Dense(2),
            UpSampling2D(2, interpolation=interpolation),
        ]
    )
    model.compile("sgd", "mean_squared_error", jit_compile=BACKEND != "torch")
    before = model.get_weights()
    model.fit(X.astype("float32"), np.ones((2, 8, 10, 2), "float32"), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
