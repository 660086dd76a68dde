"""How much of a layer's checkerboard reaches the output: measured, with and without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.algebra.lattice import lattice_power
from polyphase.inspection.alignment import scales
from polyphase.inspection.draws import draws
from polyphase.inspection.found import Found
from polyphase.ops import layout
from polyphase.rewrite.graph import data_format, graph_of, is_graph, output_structure
from polyphase.rewrite.sizes import ExampleError

Tensors = list[Any]
# Below this share of the largest number a pattern is rounding, and its way cannot be followed.
LEAST = 1e-6


@dataclass(frozen=True)
class Share:
    """Which share of a pattern reaches the output, over the draws of one kind of input.

    Attributes:
        median: 0: cancelled, 1: as strong as it was made.
        low: a quarter of the draws are below.
        high: a quarter of the draws are above.
    """

    median: float
    low: float
    high: float


def survival(model: keras.Model, one: Found, images: Any = None) -> dict[str, Share] | None:
    """Return which share of a pattern reaches the output, by kind of input.

    The model runs twice at inference, the second time with the layer's phases made even. What that
    changes has a component at the layer's period, less what it has at the frequencies beside: the
    root of its power in the output, divided by that in the layer's own image, is the share. Both
    are in the units of the images: an offset behind the layer changes nothing. The model does not
    change: what it assigns stays in a stateless scope.

    Args:
        model: Functional or Sequential.
        one: a layer of it whose phases can be made even.
        images: for the model's inputs, an array or a list of some; None: constants and smooth
            random images in the range of the inputs.

    Returns:
        "constant" and "smooth", or "images" -> the share. Draws for which the layer shows no
        pattern, as it gets only zeros, or outputs are not finite, are left out, and kinds of which
        no draw is left; None if none is, if no output is an image, or no example fits the model.
    """
    if not one.in_graph or one.reading.even is None:
        return None
    twin = _with(one.node, one.reading.even())
    try:
        kinds = draws(model, images)
    except ExampleError:
        return None
    wide = scales(model, one.shown)
    measured = {
        kind: np.concatenate([_shares(model, one, twin, part, wide) for part in parts])
        for kind, parts in kinds.items()
    }
    return {
        kind: Share(*(float(np.percentile(shares, at)) for at in (50, 25, 75)))
        for kind, shares in measured.items()
        if len(shares)
    } or None


def _shares(
    model: keras.Model, one: Found, twin: Any, arrays: Tensors, wide: Sequence[Any]
) -> np.ndarray:
    """Return the share of every draw that has one; `wide` as of `scales`."""
    (made, *arrived), (even, *others) = (
        _images(model, one, replaced, arrays) for replaced in ({}, {id(one.node): twin})
    )
    if made is None or even is None or all(x is None for x in arrived):
        return np.array([])
    base = [1 / factor for factor in one.factor]  # cycles per sample of the layer
    own = lattice_power(made - even, base)
    seen = np.zeros_like(own)
    for x, other, scale in zip(arrived, others, wide, strict=True):
        if x is not None:
            by = scale or _rounded(made.shape, x.shape)
            there = [float(f * times) for f, times in zip(base, by, strict=True)]
            seen = np.maximum(seen, lattice_power(x - other, there))
    largest = np.abs(even).reshape(len(even), -1).max(axis=1)
    fine = np.isfinite(seen) & (own > (LEAST * largest) ** 2)
    return np.sqrt(seen[fine] / own[fine])


def _images(
    model: keras.Model, one: Found, replaced: dict[int, Any], arrays: Tensors
) -> list[np.ndarray | None]:
    """Return the layer's image and the model's outputs; None for what is no image."""
    shown: Tensors = []
    with keras.StatelessScope():
        outputs = _run(model, arrays, replaced, one.shown, shown)
    own = shown[0]
    return [_image(model, x) if len(x.shape) == len(own.shape) else None for x in (own, *outputs)]


def _rounded(small: tuple[int, ...], large: tuple[int, ...]) -> list[float]:
    """Return the ratio of sides, where borders are cut, as an integer or the inverse of one."""
    ratios = [a / b for a, b in zip(small[1:-1], large[1:-1], strict=True)]
    return [round(one) if one > 1 else 1 / round(1 / one) for one in ratios]


def _image(model: keras.Model, tensor: Any) -> np.ndarray:
    """Return images as float32, channels last."""
    image = keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))
    return np.moveaxis(image, layout.channel(data_format(model)), -1)


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
