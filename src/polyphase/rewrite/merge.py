"""At inference batch normalisation becomes part of the convolution before it.

`gamma (C_w x + b - mean) / sqrt(variance + epsilon) + beta` is affine per output channel, so it is
a convolution too: kernel times `g = gamma / sqrt(variance + epsilon)`, bias `(b - mean) g + beta`.
The weights are computed in float64 and rounded once; what LoRA adds to a kernel becomes part of it.
Only where the convolution has no activation, nothing else reads its result, no loss is computed of
it or of the normalised one, both compute in one dtype, and neither layer is shared.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from polyphase.layers import kinds
from polyphase.ops import layout
from polyphase.rewrite.activations import linear, watched
from polyphase.rewrite.build import Build, Recipe, Weights
from polyphase.rewrite.copying import entangled
from polyphase.rewrite.effective import LORA, effective
from polyphase.rewrite.graph import graphs
from polyphase.rewrite.walk import rewritten


def merged(model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
    """Return the model, of the same outputs at inference, and the names of what was merged."""
    pairs = _pairs(model)
    merging = {id(normalisation): one for one, normalisation in pairs.items()}

    def value(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
        if id(layer) in merging and merging[id(layer)] not in build.alone:
            return args[0]
        merges = id(layer) in pairs and id(layer) not in build.alone
        recipe = _recipe(layer, pairs[id(layer)]) if merges else None
        return build.call(layer, *args, recipe=recipe, **kwargs)

    new, build = rewritten(model, value, _named)
    gone = (one.name for one in pairs.values() if id(one) not in build.made)
    return new, tuple(gone)


def _pairs(model: keras.Model) -> dict[int, layers.BatchNormalization]:
    """Return for the id of each convolution the normalisation that becomes part of it."""
    nodes = [
        node
        for graph in graphs(model)
        for group in graph._nodes_by_depth.values()
        for node in group
    ]
    shared = entangled(model)
    calls: dict[int, int] = {}
    readers: dict[int, int] = {id(y): 1 for graph in graphs(model) for y in graph.outputs}
    for node in nodes:
        calls[id(node.operation)] = calls.get(id(node.operation), 0) + 1
        for tensor in node.input_tensors:
            readers[id(tensor)] = readers.get(id(tensor), 0) + 1
    pairs = {}
    for node in nodes:
        layer = node.operation
        if type(layer) is not layers.BatchNormalization or calls[id(layer)] > 1:
            continue
        tensor = node.input_tensors[0]
        before = tensor._keras_history.operation
        once = calls[id(before)] == 1 and readers[id(tensor)] == 1
        if once and not {id(layer), id(before)} & shared and _fits(before, layer):
            pairs[id(before)] = layer
    return pairs


def _fits(layer: Any, normalisation: layers.BatchNormalization) -> bool:
    kind = kinds.exact(layer)
    if kind is kinds.TRANSPOSED and getattr(layer, "groups", 1) > 1:
        return False  # its kernel has the output channels of one group
    if not kind.outputs or kind is kinds.DENSE or len(normalisation.input_spec.axes) != 1:
        return False
    if watched(layer) or watched(normalisation):
        return False
    if layer.compute_dtype != normalisation.compute_dtype:
        return False
    from_channels = normalisation.axis - layout.channel(layer.data_format)
    return linear(layer.activation) and from_channels % (layer.rank + 2) == 0


def _recipe(layer: keras.Layer, normalisation: layers.BatchNormalization) -> Recipe:
    return Recipe(type(layer), {"use_bias": True}, LORA, _scaling(layer, normalisation))


def _scaling(layer: Any, normalisation: layers.BatchNormalization) -> Callable[[Weights], Weights]:
    """Return what makes the merged weights of the convolution's."""

    def scale(_: Weights) -> Weights:
        kernels, biases = effective(layer)
        factor, shift = affine(normalisation)
        shape = [1] * kernels[-1].ndim
        for axis in kinds.exact(layer).outputs:
            shape[axis] = kernels[-1].shape[axis]
        scaled = kernels[-1].astype("float64") * factor.reshape(shape)
        return [*kernels[:-1], scaled, sum(biases) * factor + shift]

    return scale


def affine(normalisation: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return `g` and `h` of `y = g x + h`, what batch normalisation is at inference; float64."""

    def value(variable: Any, otherwise: float) -> np.ndarray:
        if variable is None:
            return np.array(otherwise)
        return keras.ops.convert_to_numpy(variable).astype("float64")

    variance = value(normalisation.moving_variance, 1.0)
    factor = value(normalisation.gamma, 1.0) / np.sqrt(variance + normalisation.epsilon)
    return factor, value(normalisation.beta, 0.0) - value(normalisation.moving_mean, 0.0) * factor


def _named(tensor: Any, name: str, build: Build) -> Any:
    """Give an output's layer the name that it had, where that was a normalisation's."""
    last = tensor._keras_history.operation
    if last.name != name and name in build.names:
        last.name = name
    return tensor
