"""Fold a model: delay every upsampling until a convolution absorbs it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
from keras import tree

from polyphase.layers import Conv2DTranspose
from polyphase.ops import arguments
from polyphase.rewrite.activations import watched
from polyphase.rewrite.build import Build, ConflictError, Form
from polyphase.rewrite.compare import difference, require_equal
from polyphase.rewrite.cost import Cost
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.graph import graph_of, is_graph, rebuilt, require_graph
from polyphase.rewrite.merge import merged
from polyphase.rewrite.pairs import Pairs, copied, require_all
from polyphase.rewrite.recognise import same_dtype, upsampling
from polyphase.rewrite.report import Finding, Report
from polyphase.rewrite.rules import rules_for
from polyphase.rewrite.to_keras import to_keras


def fold(
    model: keras.Model,
    *,
    inference: bool = False,
    target: str = "polyphase",
    pairs: Pairs = (),
    return_report: bool = False,
) -> Any:
    """Return an equal model in which upsampling is delayed until a convolution absorbs it.

    What the rules in `polyphase.rewrite.rules` allow is done, and nothing else: the new model has
    the same inputs, outputs and weights, and can be trained on.

    Args:
        model: Functional or Sequential, built; nested models are folded in their places. It is
            left as it is.
        inference: also do what is exact at inference only: batch normalisation goes before
            every interpolation and becomes part of the convolution before it.
        target: "polyphase", or "keras": only Keras' own layers, which load where Polyphase is not
            installed. Kernels are then baked into transposed convolutions.
        pairs: of models and layers that are classes: names of an upsampling layer and of the
            convolution that alone reads its result.
        return_report: whether to return a `Report` too, with a difference measured on random input.

    Returns:
        The new model, or `(model, report)`. It is not compiled.

    Raises:
        TypeError: for what is not a model.
        ValueError: for a model that is not built or not made of layers, or an unknown target.

    Exactness: the same operator; float32 outputs differ by rounding. Where nothing could be done,
    they are the same bit for bit.

    Reference: mathematics, section 7.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.UpSampling2D(),
        ...                           keras.layers.Conv2D(2, 3, padding="same", name="draw")])
        >>> [layer.name for layer in fold(model).layers]
        ['draw']
    """
    target = arguments.one_of(target, "target", ("polyphase", "keras"))
    if pairs and not is_graph(model):
        folded, findings = copied(model, pairs)
    else:
        require_graph(model, "fold")
        folded, findings = _folded(model, inference, pairs)
        folded = merged(folded) if inference else folded
        folded = to_keras(folded) if target == "keras" else folded
    require_all(findings, pairs)
    if pairs:
        require_equal(model, folded)
    if not return_report:
        return folded
    return folded, Report(
        tuple(findings), difference(model, folded), Cost.of(model), Cost.of(folded)
    )


def _folded(model: keras.Model, inference: bool, pairs: Pairs) -> tuple[keras.Model, list[Finding]]:
    """Fold; a shared layer that would need two forms is left alone, and all begins anew."""
    graph = graph_of(model)
    names = [one.name for one in graph.operations if upsampling(one) is None]
    alone: set[int] = set()
    while True:
        try:
            return _attempt(model, graph, Build(names, inference, alone, pairs))
        except ConflictError as conflict:
            alone.add(id(conflict.layer))


def _attempt(
    model: keras.Model, graph: keras.Model, build: Build
) -> tuple[keras.Model, list[Finding]]:
    """Call the counterparts of all layers in the order of the graph."""
    nested: dict[int, tuple[keras.Model, list[Finding]]] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_graph(layer):
            return _value(layer, args, kwargs, build)
        if id(layer) not in nested:
            nested[id(layer)] = _folded(layer, build.inference, build.pairs)
        args, kwargs = tree.map_structure(build.whole, (args, kwargs))
        return nested[id(layer)][0](*args, **kwargs)

    new = rebuilt(model, call, lambda value, name: _output(value, name, build))
    build.move_weights()
    found = [
        replace(one, layer=f"{inner.name}/{one.layer}")
        for inner, findings in nested.values()
        for one in findings
    ]
    return new, [*found, *build.findings, *_findings(graph, build)]


def _value(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
    """Return a layer's value: delayed, or computed from whole tensors."""
    inputs = list(args[0]) if args and isinstance(args[0], (list, tuple)) else list(args[:1])
    waiting = [
        value for value in tree.flatten((args, kwargs)) if isinstance(value, (Delayed, Joined))
    ]
    said = type(layer) is not keras.layers.Resizing and any(
        value is not None for value in kwargs.values()
    )  # Keras tells Resizing whether it is trained; it resizes the same
    simple = len(args) == 1 and not said and id(layer) not in build.alone
    for rule in rules_for(layer) if simple and waiting else ():
        result = rule.apply(layer, inputs, build)
        if result is not None:
            return result
    for value in waiting:
        build.note(value.sources, f"computed before {layer.name!r}", gained=False)
    args, kwargs = tree.map_structure(build.whole, (args, kwargs))
    delayed = upsampling(layer, args[0]) if simple else None
    if delayed is not None and same_dtype(layer, args[0]):
        return delayed
    form = Form(Conv2DTranspose) if type(layer) is keras.layers.Conv2DTranspose else None
    return build.call(layer, *args, form=form, **kwargs)


def _output(value: Any, name: str, build: Build) -> Any:
    """Return an output as a tensor, made by a layer of the old name."""
    if isinstance(value, (Delayed, Joined)):
        build.note(value.sources, "computed for the output", gained=False)
    tensor = build.whole(value)
    last = tensor._keras_history.operation
    if last.name != name:
        for _, _, new in build.made.values():
            if new.name == name:
                new.name = build.name(f"{name}_inner")
        last.name = name
    return tensor


def _findings(graph: keras.Model, build: Build) -> Iterator[Finding]:
    """Yield what happened to every upsampling and transposed convolution of a graph."""
    for layer in graph.layers:
        if type(layer) is keras.layers.Conv2DTranspose:
            yield Finding(layer.name, True, "computed by polyphase.layers.Conv2DTranspose")
        elif isinstance(layer, (keras.layers.UpSampling2D, keras.layers.Resizing)):
            reason = (
                "its activity_regularizer reads the upsampled image"
                if watched(layer)
                else "not the numbers of our interpolation"
            )
            notes = build.notes.get(layer.name, {f"left alone: {reason}": False})
            yield Finding(layer.name, any(notes.values()), "; ".join(notes))
