"""How much of a layer's checkerboard reaches the output: measured, with and without it."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.algebra.resampling import resampling_matrix
from polyphase.inspection.found import Found
from polyphase.ops import axes
from polyphase.rewrite.graph import data_format, graph_of, is_graph, output_structure
from polyphase.rewrite.sizes import ExampleError, shapes

Tensors = list[Any]
# Below this share of the signal a pattern is rounding, and its way cannot be followed.
LEAST = 1e-6


def survival(model: keras.Model, one: Found) -> dict[str, float] | None:
    """Return which share of a pattern reaches the output, by kind of input.

    The model runs twice at inference, the second time with the layer's phases made even. The
    relative difference of its outputs, divided by that of the layer's own, is the share. The model
    does not change: what it assigns stays in a stateless scope.

    Args:
        model: Functional or Sequential.
        one: a layer of it whose phases can be made even.

    Returns:
        "constant" and "smooth" -> share, 0: cancelled, 1: as it was made. Inputs for which the
        layer shows no pattern, as it gets only zeros, or outputs are not finite, are left out; None
        if all of them are, or if no example fits the model.
    """
    if not one.in_graph or one.reading.even is None:
        return None
    twin = _with(one.layer, one.reading.even())
    try:
        kinds = examples(model)
    except ExampleError:
        return None
    shares = {}
    for kind, arrays in kinds.items():
        seen: list[Tensors] = []
        for replaced in ({}, {id(one.layer): twin}):
            shown: Tensors = []
            with keras.StatelessScope():
                outputs = _run(model, arrays, replaced, one.shown, shown)
            seen.append([shown[0], *outputs])
        made, *arrived = (_relative(a, b) for a, b in zip(*seen, strict=True))
        if LEAST < made < np.inf and np.isfinite(arrived).all():
            shares[kind] = max(arrived) / made
    return shares or None


def _with(layer: keras.Layer, weights: Tensors) -> Callable[..., Any]:
    """Return what a layer computes with other weights; the layer itself keeps its own."""
    values = {
        id(variable): keras.ops.cast(value, variable.dtype)
        for variable, value in zip(layer.weights, weights, strict=True)
    }

    def call(*args: Any, **kwargs: Any) -> Any:
        trainable, others = (
            [values.get(id(variable), variable.value) for variable in variables]
            for variables in (layer.trainable_variables, layer.non_trainable_variables)
        )
        return layer.stateless_call(trainable, others, *args, **kwargs)[0]

    return call


def examples(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Return two examples of every input: constant images, and smooth random ones.

    Inputs that are not images are noise in both; sides that are not known are those that fit.

    Raises:
        ExampleError: if none were found.
    """
    generator = np.random.default_rng(0)
    first = axes.spatial(data_format(model))[0]
    kinds: dict[str, list[np.ndarray]] = {"constant": [], "smooth": []}
    for shape, tensor in zip(shapes(model), model.inputs, strict=True):
        noise = generator.standard_normal(shape)
        for kind, arrays in kinds.items():
            image = _SHAPED[kind](noise, first) if len(shape) == 4 else noise
            arrays.append(np.asarray(image if "float" in tensor.dtype else image > 0, tensor.dtype))
    return kinds


def _constant(noise: np.ndarray, first: int) -> np.ndarray:
    corner = noise.take([0], first).take([0], first + 1)
    return np.asarray(np.broadcast_to(corner, noise.shape))


def _smooth(noise: np.ndarray, first: int) -> np.ndarray:
    """Return noise of an eighth of the sides, upsampled."""
    for axis in (first, first + 1):
        side = noise.shape[axis]
        few = max(1, -(-side // 8))
        noise = resampling_matrix(few, side, "bicubic").apply(noise.take(range(few), axis), axis)
    return noise


_SHAPED = {"constant": _constant, "smooth": _smooth}


def _run(
    model: keras.Model, inputs: Tensors, replaced: dict[int, Any], watched: Any, shown: Tensors
) -> Tensors:
    """Return a model's outputs with layers replaced; keep what the watched one returns."""

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if is_graph(layer):
            outputs = _run(layer, tree.flatten(args), replaced, watched, shown)
            return tree.pack_sequence_as(output_structure(layer), outputs)
        if isinstance(layer, keras.Layer) and id(layer) not in replaced:
            kwargs = kwargs | {"training": False}
        value = replaced.get(id(layer), layer)(*args, **kwargs)
        if layer is watched:
            shown.append(value)
        return value

    graph = graph_of(model)
    tensors = [keras.ops.convert_to_tensor(one) for one in inputs]
    return list(
        tree.flatten(graph._run_through_graph(tensors, operation_fn=lambda one: one, call_fn=call))
    )


def _relative(actual: Any, even: Any) -> float:
    """Return the norm of a difference, relative to that of the even one."""
    one, other = (
        keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")) for tensor in (actual, even)
    )
    norm = float(np.linalg.norm(other))
    return float(np.linalg.norm(one - other)) / norm if norm else 0.0
