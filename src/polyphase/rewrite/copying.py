"""Copies of layers: whether a copy is one, which layers cannot have one, and what it takes over."""

import types
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from polyphase.rewrite.activations import layer_of
from polyphase.rewrite.graph import graphs, is_graph
from polyphase.rewrite.joined import plain_class


def own_objects(layer: keras.Layer) -> dict[str, Any]:
    """Return the classes and functions that a layer has, by the names that configurations use.

    In `keras.saving.custom_object_scope` a layer is made of its configuration although nobody
    registered its initialisers, regularisers, activations and sublayers.
    """
    values = [
        value for one in layer._flatten_layers() for value in (one, *list(vars(one).values()))
    ]
    objects = [
        one if isinstance(one, types.FunctionType) else plain_class(type(one)) for one in values
    ]
    return {one.__name__: one for one in objects if not _of(one, "keras", "polyphase", "builtins")}


def _of(kind: Any, *packages: str) -> bool:
    return kind.__module__.split(".")[0] in packages


def has_weights_like(new: keras.Layer, old: keras.Layer) -> bool:
    """Return whether a copy takes the old layer's weights."""
    shapes = [[(tuple(w.shape), w.dtype) for w in one.weights] for one in (old, new)]
    return shapes[0] == shapes[1]


def move_state(old: keras.Layer, new: keras.Layer) -> None:
    """Give a copy the weights, frozen or not, the states of random generators, and names inside."""
    new.set_weights(old.get_weights())
    layers = [one._flatten_layers(include_self=False) for one in (old, new)]
    if list(map(type, layers[0])) == list(map(type, layers[1])):
        for one, other in zip(*layers, strict=True):
            other.name = one.name
    if len(old.variables) == len(new.variables):
        for one, other in zip(old.variables, new.variables, strict=True):
            other.trainable = one.trainable
            other._path = one.path  # which depends on how a class was called first
            # Numbers of its own: a training step on JAX deletes the arrays that it was given.
            other.assign(np.array(keras.ops.convert_to_numpy(one.value)))
    for layer in new._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # derives mean and variance from the weights


def foreign(layer: keras.Layer) -> list[type[keras.Layer]]:
    """Return the classes in a layer, or of it, that are neither Keras' nor ours, each once."""
    kinds = dict.fromkeys(plain_class(type(one)) for one in layer._flatten_layers())
    return [kind for kind in kinds if not _of(kind, "keras", "polyphase")]


def entangled(model: keras.Model) -> set[int]:
    """Return the ids of layers that share sublayers or weights: copies of them would not.

    A layer in a class and in the graph, or in two classes; a kernel that two layers use. Not a
    layer that is the activation of several: of that there is one copy.
    """
    owners: dict[int, set[int]] = {}
    for layer in _layers(model):
        apart = set(map(id, _parts(layer_of(layer))))
        for part in _parts(layer):
            if id(part) not in apart:
                owners.setdefault(id(part), set()).add(id(layer))
    return {one for group in owners.values() if len(group) > 1 for one in group}


def build_activations(model: keras.Model) -> None:
    """Make the weights of activations that are layers, as the first call of a model would.

    Making a graph builds its layers, but not the activations of them.
    """
    for graph in graphs(model):
        for one in graph.operations:
            function = layer_of(one) if isinstance(one, keras.Layer) else None
            if function is not None and not function.built:
                function.build(one._inbound_nodes[0].output_tensors[0].shape)


def _parts(layer: keras.Layer | None) -> list[Any]:
    return [*layer._flatten_layers(), *layer.variables] if layer else []


def _layers(model: keras.Model) -> Iterable[keras.Layer]:
    """Yield the layers of a model and of its nested models that are no models."""
    for graph in graphs(model):
        for one in graph.operations:
            if isinstance(one, keras.Layer) and not is_graph(one):
                yield one
