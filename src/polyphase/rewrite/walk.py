"""One walk with one memo over a model and all models nested in it."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import tree

from polyphase.rewrite.build import BoundaryError, Build, ConflictError, Nested, Tensor
from polyphase.rewrite.copying import build_activations, entangled
from polyphase.rewrite.delayed import Boundary, Delayed, Joined
from polyphase.rewrite.graph import graph_of, is_graph, rebuilt
from polyphase.rewrite.inside import Pairs
from polyphase.rewrite.report import Why
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
    pairs: Pairs | None = None,
    named_only: bool = False,
) -> tuple[keras.Model, Build]:
    """Return a new model with its weights, and how it was built.

    Every layer becomes one new layer, wherever in the nested models it is called; every nested
    model one new model. What waits to be upsampled crosses into nested models and out of them. A
    shared layer that would need two forms keeps its own, a nested model whose inputs or outputs
    would be others for nothing keeps those, and all begins anew.

    Args:
        model: a graph of layers.
        value: `value(layer, args, kwargs, build)` returns the value of a layer that is no model.
        finish: `finish(value, name, build)` makes a tensor of an output's value.
        names: of a graph, those that its new layers keep.
        inference: as `Build`'s.
        pairs: as `Build`'s.
        named_only: as `Build`'s.
    """
    build_activations(model)
    used = entangled(model)
    alone: set[int] = set()
    closed: set[Boundary] = set()

    def walk(build: Build) -> Callable[..., Any]:
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if is_graph(layer):
                return nested(layer, args, kwargs, build)
            return value(layer, args, kwargs, build)

        return call

    def nested(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
        args, entering = _entering(layer, args, build)
        for value in tree.flatten((args, kwargs)):
            if isinstance(value, (Delayed, Joined)):
                text = f"computed before the model {layer.name!r}: its inputs stay"
                build.note(value.sources, text, Why.NESTED)
        args, kwargs = tree.map_structure(build.whole, (args, kwargs))
        if id(layer) not in build.models:
            inner, leaving = build.inside(layer, names(graph_of(layer))), []

            def leave(result: Any, name: str) -> Tensor:
                waits = _leaves(result, ("out of", id(layer)), inner)
                leaving.append(result.of(None, ("out of", id(layer))) if waits else None)
                return result.small if waits else finish(result, name, inner)

            new = rebuilt(layer, walk(inner), leave, entering)
            build.models[id(layer)] = Nested(new, inner, entering, leaving)
        known = build.models[id(layer)]
        if [one and one.way for one in known.entering] != [one and one.way for one in entering]:
            raise BoundaryError([("into", id(layer))])
        _as_before(known.entering, entering, build)
        return _left(known.model(*args, **kwargs), known.leaving)

    def attempt(build: Build) -> keras.Model:
        return rebuilt(model, walk(build), lambda result, name: finish(result, name, build))

    while True:
        build = Build(names(graph_of(model)), inference, alone, pairs, used, closed, named_only)
        try:
            with random_weights_are_zeros():
                new = attempt(build)
        except ConflictError as conflict:
            alone.add(id(conflict.layer))
        except BoundaryError as conflict:
            closed |= conflict.boundaries
        else:
            build.move_weights()
            return new, build


def _entering(
    layer: keras.Model, args: tuple[Any, ...], build: Build
) -> tuple[tuple[Any, ...], list[Delayed | Joined | None]]:
    """Return a nested model's arguments, small where they are upsampled within, and how.

    What will be concatenated within is a list of images: the nested model gets more inputs.
    """
    boundary = ("into", id(layer))
    inputs = tree.flatten(args)
    if boundary in build.closed or len(inputs) != len(layer.inputs):
        return args, [None] * len(layer.inputs)
    waits = (Delayed, Joined)
    entering = [one.of(one.small, boundary) if isinstance(one, waits) else None for one in inputs]
    small = tree.map_structure(
        lambda value: value.small if isinstance(value, waits) else value, args
    )
    return small, entering


def _as_before(
    known: list[Delayed | Joined | None], entering: list[Delayed | Joined | None], build: Build
) -> None:
    """Note of what enters a nested model what became of that which entered it first."""
    for first, other in zip(known, entering, strict=True):
        if first and other:
            for source, alike in zip(first.sources, other.sources, strict=False):
                build.notes.setdefault(alike, {}).update(build.notes.get(source, {}))


def _leaves(result: Any, boundary: Boundary, inner: Build) -> bool:
    """Return whether an output is upsampled behind a nested model; not if that is all it does."""
    if not isinstance(result, Delayed) or boundary in inner.closed:
        return False
    return not isinstance(result.small._keras_history.operation, keras.layers.InputLayer)


def _left(results: Any, leaving: list[Delayed | None]) -> Any:
    """Return a nested model's outputs, to be upsampled where they are."""
    values = [
        one.of(tensor) if one else tensor
        for tensor, one in zip(tree.flatten(results), leaving, strict=True)
    ]
    return tree.pack_sequence_as(results, values)


def copy(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
    """Return the value of a layer's counterpart of the same form."""
    return build.call(layer, *args, **kwargs)
