"""Helpers for tests of upsampling code, Polyphase's own and yours.

None of them needs a test framework: a failed check raises an `AssertionError` that says what was
expected.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

Tensor = Any
Shape = Sequence[int | None]


def coordinate_ramp(shape: Sequence[int], dtype: Any = "float32") -> np.ndarray:
    """Return an array in which the value of every element shows its position.

    `sin(1 + sum_i index_i * sqrt(prime_i))` has no symmetry and no equal neighbours, whichever axes
    are flipped or exchanged.

    Args:
        shape: shape of the array, at most 8 axes.
        dtype: a NumPy float dtype.

    Returns:
        An array of that shape, values in [-1, 1].

    Example:
        >>> ramp = coordinate_ramp((2, 3), "float64")
        >>> ramp.round(2).tolist()
        [[0.84, 0.4, -0.97], [0.66, -0.84, -0.39]]
    """
    roots = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0])
    if len(shape) > len(roots):
        raise ValueError(f"`shape` may have at most {len(roots)} axes. Received: {tuple(shape)}.")
    angles = sum(
        (root * index for root, index in zip(roots, np.indices(tuple(shape)), strict=False)),
        start=np.ones(tuple(shape)),
    )
    return np.sin(angles).astype(dtype)


def assert_adjoint(
    forward: Callable[[np.ndarray], Any],
    adjoint: Callable[[np.ndarray], Any],
    x_shape: Sequence[int],
    y_shape: Sequence[int],
    *,
    tolerance: float = 1e-6,
    dtype: Any = "float32",
    seed: int = 0,
) -> None:
    """Check that two linear functions are each other's adjoint: `<A x, y> = <x, A^T y>`.

    Args:
        forward: `A`; takes an array of `x_shape`, returns an array or tensor of `y_shape`.
        adjoint: `A^T`; takes an array of `y_shape`, returns an array or tensor of `x_shape`.
        x_shape: shape of the inputs.
        y_shape: shape of the outputs.
        tolerance: allowed difference, relative to `||A x|| ||y|| + ||x|| ||A^T y||`.
        dtype: dtype of the random values; the products are summed in float64.
        seed: seed of the random values.

    Raises:
        AssertionError: if a shape or a product differs.

    Example:
        >>> A = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0]])
        >>> assert_adjoint(lambda x: A @ x, lambda y: A.T @ y, (3,), (2,))
    """
    generator = np.random.default_rng(seed)
    x = generator.normal(size=tuple(x_shape)).astype(dtype)
    y = generator.normal(size=tuple(y_shape)).astype(dtype)
    forth, back = _numpy(forward(x)), _numpy(adjoint(y))
    _expect(forth.shape == y.shape, "forward(x)", f"shape {forth.shape}", f"{y.shape}")
    _expect(back.shape == x.shape, "adjoint(y)", f"shape {back.shape}", f"{x.shape}")
    x, y = x.astype(np.float64), y.astype(np.float64)
    left, right = float(np.sum(forth * y)), float(np.sum(x * back))
    scale = np.linalg.norm(forth) * np.linalg.norm(y) + np.linalg.norm(x) * np.linalg.norm(back)
    _expect(
        abs(left - right) <= tolerance * scale,
        "the adjoint",
        f"<A x, y> = {left:.9g} but <x, A^T y> = {right:.9g}",
        f"a difference of at most {tolerance * scale:.2g}",
    )


def assert_layer_contract(
    make_layer: Callable[..., keras.layers.Layer],
    input_shape: Sequence[int],
    *,
    unknown_sizes: bool = True,
    mixed_precision: Sequence[str] = ("mixed_float16", "mixed_bfloat16"),
) -> None:
    """Check what Keras may expect of every layer of signals, images or volumes.

    1. The symbolic shape equals the computed shape in a functional model, with known and with
       unknown sizes, and with batches of two sizes.
    2. A layer made from the configuration and given the weights computes the same bits.
    3. A model that is saved as `.keras` and loaded computes the same bits.
    4. Under a mixed precision policy the output has the policy's dtype, and weights are float32.
    5. One step of gradient descent changes every trainable weight, by as much as the change of the
       loss implies. The layer's input gets its gradient too.

    Args:
        make_layer: `make_layer(**kwargs)` returns a new layer each time; `kwargs` are arguments of
            every Keras layer (`dtype`).
        input_shape: shape of the input with the batch: three to five integers.
        unknown_sizes: whether the sides may be unknown when a model is built.
        mixed_precision: the policies to try.

    Raises:
        AssertionError: with the number of the check that failed.

    Example:
        >>> assert_layer_contract(
        ...     lambda **kwargs: keras.layers.Conv2D(2, 3, **kwargs), (2, 5, 6, 3))
    """
    x = coordinate_ramp(input_shape)
    layer = make_layer()
    expected = _numpy(layer(x))
    _check_shapes(layer, x, expected, unknown_sizes)
    _check_config(layer, x, expected)
    _check_saving(layer, x)
    for policy in mixed_precision:
        _check_policy(make_layer, x, expected, policy)
    _check_training(make_layer(), x)


def _check_shapes(
    layer: keras.layers.Layer, x: np.ndarray, expected: np.ndarray, unknown_sizes: bool
) -> None:
    """Compare the shape that is computed with the shapes that are announced."""
    announced = tuple(layer.compute_output_shape(x.shape))
    _expect(announced == expected.shape, "1. compute_output_shape", announced, expected.shape)
    shapes: list[Shape] = [x.shape[1:]]
    if unknown_sizes:
        last = len(x.shape) - 1
        channel = 1 if getattr(layer, "data_format", None) == "channels_first" else last
        shapes.append([n if i == channel else None for i, n in enumerate(x.shape)][1:])
    for shape in shapes:
        inputs = keras.Input(tuple(shape))
        outputs = layer(inputs)
        fits = len(outputs.shape) == len(x.shape) and all(
            a in (None, b) for a, b in zip(outputs.shape[1:], expected.shape[1:], strict=True)
        )
        _expect(fits, f"1. symbolic shape of {tuple(shape)}", outputs.shape, expected.shape)
        if None not in shape:
            known = tuple(outputs.shape[1:])
            _expect(None not in known, "1. symbolic shape of a known size", known, "no None")
        model = keras.Model(inputs, outputs)
        last = shape is shapes[-1]
        if last:  # compiling is slow: predict once, with the least known, also of the batch
            computed = model.predict(_and_one(x), batch_size=len(x), verbose=0)
            wanted = _and_one(expected)
        else:
            computed, wanted = model(x), expected
        _expect_close(computed, wanted, f"1. the model built for {tuple(shape)}", 1e-5)


def _and_one(x: np.ndarray) -> np.ndarray:
    """Return a batch and its first again, which is a smaller batch behind it."""
    return np.concatenate([x, x[:1]])


def _check_config(layer: keras.layers.Layer, x: np.ndarray, expected: np.ndarray) -> None:
    """Make a twin from the configuration and compare it."""
    config = layer.get_config()
    twin = type(layer).from_config(config)
    again = twin.get_config()
    _expect(again == config, "2. the twin's configuration", again, config)
    twin.build(x.shape)
    twin.set_weights(layer.get_weights())
    _expect_close(_numpy(twin(x)), expected, "2. from_config(get_config())", 0)


def _check_saving(layer: keras.layers.Layer, x: np.ndarray) -> None:
    """Save and load a model of the layer and compare the predictions."""
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, layer(inputs))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    _expect_close(loaded(x), model(x), "3. saved and loaded", 0)
    _expect(type(loaded.layers[-1]) is type(layer), "3. loaded layer", loaded.layers[-1], layer)


def _check_policy(
    make_layer: Callable[..., keras.layers.Layer], x: np.ndarray, expected: np.ndarray, policy: str
) -> None:
    """Compute under a mixed precision policy; look at dtypes and, coarsely, at the numbers."""
    layer = make_layer(dtype=policy)
    y = layer(x)
    dtype = keras.backend.standardize_dtype(y.dtype)
    wanted = keras.DTypePolicy(policy).compute_dtype
    _expect(dtype == wanted, f"4. {policy}: output", dtype, wanted)
    for weight in layer.weights:
        _expect(weight.dtype == "float32", f"4. {policy}: {weight.path}", weight.dtype, "float32")
    if layer.weights:
        full = make_layer()
        full.build(x.shape)
        full.set_weights(layer.get_weights())
        expected = _numpy(full(x))
    _expect_close(_numpy(y), expected, f"4. {policy}", 4e-2 if wanted == "bfloat16" else 5e-3)


def _check_training(layer: keras.layers.Layer, x: np.ndarray) -> None:
    """Take one step of gradient descent and compare it with the change of the loss.

    A dense layer in front asks for the gradient of the layer's input. With learning rate 1 the
    step is the gradient `g`; along it, the loss of float32 predictions changes by `|g|^2` per
    unit, measured on both sides.
    """
    inputs = keras.Input(x.shape[1:])
    front = keras.layers.Dense(x.shape[-1], kernel_initializer=_near_identity)
    model = keras.Model(inputs, layer(front(inputs)))
    before = [np.array(w) for w in map(_numpy, model.trainable_variables)]
    target = 0.5 - 0.3 * coordinate_ramp(tuple(model(x).shape))

    model.compile(optimizer=keras.optimizers.SGD(learning_rate=1.0), loss="mse", jit_compile=False)
    try:
        model.train_on_batch(x, target)
    except (ValueError, RuntimeError) as error:
        raise AssertionError(f"5. no gradient: {error}") from error
    after = [_numpy(w) for w in model.trainable_variables]
    gradient = [b - a for b, a in zip(before, after, strict=True)]
    for weight, g in zip(model.trainable_variables, gradient, strict=True):
        good = bool(np.isfinite(g).all() and np.any(g != 0))
        _expect(good, f"5. the gradient of {weight.path}", "zero or not finite", "a change")

    def loss(step: float) -> float:
        for weight, start, g in zip(model.trainable_variables, before, gradient, strict=True):
            weight.assign(start - step * g)
        return float(np.mean((_numpy(model(x)) - target) ** 2))

    length = float(np.sqrt(sum(np.sum(g * g) for g in gradient)))
    step = 1e-2 / max(length, 1e-2)
    slope = (loss(-step) - loss(step)) / (2 * step)
    _expect(
        abs(slope - length**2) <= 2e-2 * length**2,
        "5. the gradient",
        f"the loss falls by {slope:.5g} per unit along it",
        f"its squared length, {length**2:.5g}",
    )
    _expect(loss(step) < loss(0), "5. the loss after a step", loss(step), f"below {loss(0)}")


def _near_identity(shape: Sequence[int], dtype: Any = None) -> Tensor:
    return keras.ops.convert_to_tensor(
        np.eye(shape[0], shape[1]) + 0.1 * coordinate_ramp(shape), dtype=dtype
    )


def _numpy(x: Any) -> np.ndarray:
    """Return an array, a tensor of any dtype or a variable as float64 NumPy."""
    if not isinstance(x, np.ndarray):
        x = keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))
    return np.asarray(x, dtype=np.float64)


def _expect(condition: Any, what: str, received: Any, expected: Any) -> None:
    if not condition:
        raise AssertionError(f"{what}: received {received}, expected {expected}.")


def _expect_close(actual: Any, expected: Any, what: str, tolerance: float) -> None:
    """Compare two arrays, the difference relative to the largest expected value."""
    actual, expected = _numpy(actual), _numpy(expected)
    _expect(actual.shape == expected.shape, f"{what}: shape", actual.shape, expected.shape)
    error = float(np.max(np.abs(actual - expected), initial=0))
    allowed = tolerance * float(np.max(np.abs(expected), initial=0))
    _expect(error <= allowed, what, f"a difference of {error:.3g}", f"at most {allowed:.3g}")
