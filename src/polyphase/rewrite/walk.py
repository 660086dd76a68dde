"""One walk with one memo over a model and all models nested in it."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import tree

from polyphase.rewrite.build import Build, ConflictError, Tensor
from polyphase.rewrite.copying import build_activations, entangled
from polyphase.rewrite.graph import graph_of, is_graph, rebuilt
from polyphase.rewrite.pairs import Pairs
from polyphase.rewrite.zeros import random_weights_are_zeros

Value = Callable[[Any, tuple[Any, ...], dict[str, Any], Build], Any]
Finish = Callable[[Any, str, Build], Tensor]


def operation_names(graph: keras.Model) -> list[str]:
    """Return the names that a new model's layers keep."""
    return [one.name for one in graph.operations]


def as_it_is(value: Any, name: str, build: Build) -> Tensor:
    """Return an output's value, which is a tensor."""
    return value


def rewritten(
    model: keras.Model,
    value: Value,
    finish: Finish = as_it_is,
    *,
    names: Callable[[keras.Model], Iterable[str]] = operation_names,
    inference: bool = False,
    pairs: Pairs = (),
) -> tuple[keras.Model, Build]:
    """Return a new model with its weights, and how it was built.

    Every layer becomes one new layer, wherever in the nested models it is called; every nested
    model one new model. A shared layer that would need two forms keeps its own, and all begins
    anew.

    Args:
        model: a graph of layers.
        value: `value(layer, args, kwargs, build)` returns the value of a layer that is no model.
        finish: `finish(value, name, build)` makes a tensor of an output's value.
        names: of a graph, those that its new layers keep.
        inference: as `Build`'s.
        pairs: as `Build`'s.
    """
    build_activations(model)
    used = entangled(model)
    alone: set[int] = set()

    def walk(one: keras.Model, build: Build) -> keras.Model:
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if not is_graph(layer):
                return value(layer, args, kwargs, build)
            if id(layer) not in build.models:
                inner = build.inside(names(graph_of(layer)))
                build.models[id(layer)] = (walk(layer, inner), inner)
            args, kwargs = tree.map_structure(build.whole, (args, kwargs))
            return build.models[id(layer)][0](*args, **kwargs)

        return rebuilt(one, call, lambda result, name: finish(result, name, build))

    while True:
        build = Build(names(graph_of(model)), inference, alone, pairs, used)
        try:
            with random_weights_are_zeros():
                new = walk(model, build)
        except ConflictError as conflict:
            alone.add(id(conflict.layer))
        else:
            build.move_weights()
            return new, build


def copy(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
    """Return the value of a layer's counterpart of the same form."""
    return build.call(layer, *args, **kwargs)
