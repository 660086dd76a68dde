"""Whether two models compute the same at inference, measured on random input."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.sizes import ExampleError, example_call

# float32 outputs of equal operators differ by rounding; a mistake differs by much more.
TOLERANCE = {"float32": 1e-4, "float64": 1e-4, "float16": 3e-2, "bfloat16": 2e-1}


def difference(model: keras.Layer, other: keras.Layer) -> float:
    """Return the largest difference of two models' outputs on noise, relative to the largest.

    Neither model changes. NaN: the outputs have no finite number by which to compare them.

    Raises:
        ExampleError: if no example was found on which the model runs.
    """
    args, kwargs = example_call(model)
    try:
        expected = outputs(model, *args, **kwargs)
    except Exception as error:  # whatever a class raises
        raise ExampleError(
            f"The model {model.name!r} does not run on the example that was made for it: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error
    return largest(expected, outputs(other, *args, **kwargs))


def largest(expected: list[np.ndarray], actual: list[np.ndarray]) -> float:
    """Return the largest relative difference of pairs of arrays, NaN if any is."""
    return float(np.max([relative(*pair) for pair in zip(expected, actual, strict=True)]))


def relative(expected: np.ndarray, actual: np.ndarray) -> float:
    """Return the largest difference of two arrays, relative to the largest expected magnitude.

    NaN and infinities are equal to the same in the same place and infinitely far from all else;
    where nothing is finite there is nothing to compare, which is NaN.
    """
    if expected.shape != actual.shape:
        return float("inf")
    finite = np.isfinite(expected)
    if not expected.size:
        return 0.0
    if not np.array_equal(expected[~finite], actual[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return float("nan")
    if not np.isfinite(actual[finite]).all():
        return float("inf")
    scale = float(np.abs(expected[finite]).max()) or 1.0
    return float(np.abs(actual[finite] - expected[finite]).max()) / scale


def outputs(model: keras.Layer, *args: Any, **kwargs: Any) -> list[np.ndarray]:
    """Return what a model returns at inference as float32; nothing of the model changes."""
    return runs(model, args, kwargs)


def _own(variables: list[Any]) -> list[Any]:
    return [variable.value for variable in variables]


def runs(
    model: keras.Layer,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    training: bool = False,
    values: Callable[[list[Any]], list[Any]] = _own,
) -> list[np.ndarray]:
    """Return what a model returns, and in training its losses, as float32; nothing of it changes.

    `values` are those of its variables for that: their own, if not said otherwise.

    In a stateless scope assignments (moving statistics, seeds) stay in the scope and losses are not
    kept. On JAX the model is compiled as a whole, which takes a fraction of compiling each of its
    operations; what cannot be traced runs as it is, with the same results.
    """
    kwargs = {**kwargs, "training": training}
    if not all(one.built for one in model._flatten_layers()):
        model(*args, **{**kwargs, "training": False})  # makes weights, which no trace must do
    variables = model.variables

    def call(taken: list[Any], *args: Any) -> Any:
        mapping = list(zip(variables, taken, strict=True))
        with keras.StatelessScope(state_mapping=mapping, collect_losses=training) as scope:
            result = model(*args, **kwargs)
        return [*tree.flatten(result), *scope.losses]

    args = tree.map_structure(keras.ops.convert_to_tensor, args)
    known = {id(one): set(one._loss_ids) for one in model._flatten_layers()}
    try:
        results = _compiled(call, values(variables), *args)
    finally:
        for one in model._flatten_layers():
            one._loss_ids = known.get(id(one), one._loss_ids)
    return [keras.ops.convert_to_numpy(keras.ops.cast(y, "float32")) for y in results]


def _compiled(call: Any, *args: Any) -> Any:
    if keras.backend.backend() == "jax":
        import jax

        try:
            return jax.jit(call)(*args)
        except Exception:  # raised again below if it is not about tracing
            pass
    return call(*args)


def tolerance(model: keras.Layer) -> float:
    """Return by how much outputs may differ for rounding: by the coarsest layer's dtype."""
    dtypes = {getattr(one, "compute_dtype", "float32") for one in model._flatten_layers()}
    return max(TOLERANCE.get(dtype, TOLERANCE["float32"]) for dtype in dtypes)


def require_equal(model: keras.Layer, other: keras.Layer) -> None:
    """Say that a named pair was none.

    Raises:
        ValueError: if outputs differ by more than rounding.
    """
    off = difference(model, other)
    if not off <= tolerance(model):
        raise ValueError(
            f"With these pairs joined the outputs differ by {off:.1e} of the largest: the "
            "convolution of a pair must read the upsampling's result, and nothing else may."
        )


def require_finite(model: keras.Layer) -> None:
    """Say which weights are not numbers.

    Raises:
        ValueError: if there are any.
    """
    bad = [weight.path for weight in model.weights if not _finite(weight)]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise ValueError(
            f"Weights of {model.name!r} are NaN or infinite: {', '.join(bad[:3])}{more}. Load "
            "weights from before the training failed."
        )


def _finite(weight: Any) -> bool:
    if "float" not in weight.dtype:
        return True
    value = keras.ops.convert_to_numpy(weight.value)
    return bool(np.isfinite(value.astype("float32", copy=False)).all())
