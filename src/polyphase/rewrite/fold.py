"""Fold a model: move every upsampling towards the output until a convolution absorbs it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
from keras import tree

from polyphase.layers import kinds
from polyphase.ops import arguments, choose
from polyphase.rewrite import obstacles
from polyphase.rewrite.build import Build, Note, Recipe
from polyphase.rewrite.classes import folded_class
from polyphase.rewrite.compare import difference, require_equal, require_finite
from polyphase.rewrite.copying import foreign
from polyphase.rewrite.cost import Cost
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Conv, Form, Upsample
from polyphase.rewrite.graph import graph_of, is_class, is_graph, require_graph
from polyphase.rewrite.inside import Pairs, require_all
from polyphase.rewrite.merge import merged
from polyphase.rewrite.reader import form_of, read
from polyphase.rewrite.report import Finding, Report, Why
from polyphase.rewrite.rules import rules_for
from polyphase.rewrite.sizes import ExampleError
from polyphase.rewrite.to_keras import to_keras, undoes
from polyphase.rewrite.walk import rewritten


def fold(
    model: keras.Layer,
    *,
    inference: bool = False,
    target: str = "polyphase",
    pairs: Pairs = (),
    return_report: bool = False,
) -> Any:
    """Return an equal model that computes upsampling and the convolution after it in one step.

    Each upsampling is moved towards the output, past the layers that it commutes with, until a
    convolution absorbs it: both are then computed in one step, on the small image.

    Only what the rules in `polyphase.rewrite.rules` allow is done. The new model has the same
    inputs, outputs and weights, and can be trained further.

    Args:
        model: a built model, or a layer with a `call` of its own. It does not change. Models and
            layers inside of it are folded too, wherever classes of your own hold them.
        inference: also make the changes that are exact at inference only: batch normalisation moves
            before every interpolation and becomes part of the convolution before it.
        target: "polyphase", or "keras" for a model of Keras' own layers only, which loads where
            Polyphase is not installed. Kernels are then baked into transposed convolutions.
        pairs: for models and layers with a `call` of their own, pairs of layer names that running
            them does not reveal: an upsampling, and the convolution that alone reads its result.
        return_report: whether to return a `Report` too, with a difference measured on random input;
            `report.timed(model, folded, images)` measures what is gained on this machine.

    Returns:
        The new model, or `(model, report)`. It is not compiled.

    A layer cannot be copied if its configuration does not say how to make it. Such a layer is used
    itself: it is part of both models, which share its weights, and the report names it. The same
    holds for layers that share sublayers or weights with each other.

    A model or layer with a `call` of its own is followed by running a copy of it on random input,
    at inference and in training. An upsampling and the convolutions that alone are called with its
    result become one if outputs and losses stay the same. The new layer is an instance of the same
    class.

    Raises:
        TypeError: if `model` is neither a model nor a layer with a `call` of its own.
        ValueError: if the model is not built, is not made of layers or cannot be copied, if weights
            are NaN or infinite, or if the target is unknown.

    Exactness: the same operator; float32 outputs differ by rounding. Where nothing could be done,
    they are the same bit for bit.

    Reference: "What moves" in docs/folding.md.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.UpSampling2D(),
        ...                           keras.layers.Conv2D(2, 3, padding="same", name="draw")])
        >>> [layer.name for layer in fold(model).layers]
        ['draw']
    """
    target = arguments.one_of(target, "target", ("polyphase", "keras"))
    named_only = target == "keras"
    used: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    if is_class(model):
        require_finite(model)
        folded, findings, loads = folded_class(model, pairs, named_only)
        unloadable = [] if loads else [model.name]
    else:
        require_graph(model, "fold")
        require_finite(model)
        folded, build = rewritten(
            model,
            _value,
            _output,
            names=_names,
            inference=inference,
            pairs=pairs,
            named_only=named_only,
        )
        findings, used = list(_findings(model, build, target)), build.used_names()
        unloadable = build.unloadable
        if inference:
            folded, gone = merged(folded)
        folded = to_keras(folded) if target == "keras" else folded
    require_all(findings, pairs)
    if pairs:
        require_equal(model, folded)
    if not return_report:
        return folded
    return folded, Report(
        tuple(findings),
        _difference(model, folded),
        Cost.of(model),
        Cost.of(folded),
        used,
        tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in foreign(folded)),
        tuple(unloadable),
        gone,
    )


def _difference(model: keras.Model, folded: keras.Model) -> float | None:
    try:
        return difference(model, folded)
    except ExampleError:
        return None


def _names(graph: keras.Model) -> list[str]:
    """Return the names of all layers but the upsamplings, which may go or move."""
    return [one.name for one in graph.operations if not isinstance(form_of(one), Upsample)]


def _value(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], build: Build) -> Any:
    """Return a layer's value: delayed, or computed from whole tensors."""
    one, free = read(layer, args, kwargs), id(layer) not in build.alone
    waiting = [
        value for value in tree.flatten((args, kwargs)) if isinstance(value, (Delayed, Joined))
    ]
    if one.per_step and free:
        build.wrapped[id(one.source)] = layer
    alike = all(value.per_step == one.per_step for value in _delayed(waiting))
    for rule in rules_for(one) if free and waiting and alike else ():
        result = rule.apply(one, build)
        if result is not None:
            return result
    if waiting:
        obstacle = obstacles.at(one, layer, build)
        text = f"computed before {layer.name!r}: {obstacle.text}"
        for value in waiting:
            build.note(value.sources, text, obstacle.why)
    args, kwargs = tree.map_structure(build.whole, (args, kwargs))
    one = read(layer, args, kwargs) if waiting else one
    if free and isinstance(one.form, Upsample) and one.keeps_dtype(args[0]):
        return one.form.of(args[0], one)
    if obstacles.upsamples(one.source):
        obstacle = obstacles.left(one, layer, build)
        build.note([id(one.source)], f"left alone: {obstacle.text}", obstacle.why)
    recipe = _ours(one.source, one.form) if free else None
    return build.call(one.source if recipe else layer, *args, recipe=recipe, **kwargs)


def _keeps_size(layer: Any) -> bool:
    """Return whether what a layer returns has everywhere the shape of what it was given."""
    nodes = layer._inbound_nodes
    return all(node.input_tensors[0].shape == node.output_tensors[0].shape for node in nodes)


def _delayed(waiting: list[Any]) -> list[Delayed]:
    return [one for value in waiting for one in getattr(value, "delayed", [value])]


def _ours(layer: Any, form: Form) -> Recipe | None:
    """Return how a layer of Keras is made that ours computes faster, as was measured.

    Transposed convolutions; convolutions alone where `auto` takes another way than the backend's:
    of volumes, by XLA.
    """
    if kinds.is_ours(layer):
        return None
    if kinds.exact(layer) is kinds.TRANSPOSED:
        return Recipe(kinds.TRANSPOSED.ours[layer.rank])
    if not isinstance(form, Conv) or form.way != "full" or not form.plain:
        return None
    row = choose(
        "upsample_conv",
        interpolation="nearest",
        identity=True,
        plain=form.groups == max(form.dilation) == 1,
        channels=layer.kernel.shape[-2],
        filters=layer.filters,
        taps=max(form.kernel_size),
        dtype=layer.compute_dtype,
        rank=layer.rank,
    )
    kind = kinds.UPSAMPLED_CONVOLUTION.ours[layer.rank]
    return None if row.lowering == "direct" else Recipe(kind, {"size": 1}, ("strides",))


def _output(value: Any, name: str, build: Build) -> Any:
    """Return an output as a tensor, made by a layer of the old name."""
    if isinstance(value, (Delayed, Joined)):
        within = f" of the model {build.within!r}: its outputs stay" if build.within else ""
        why = Why.NESTED if build.within else Why.OUTPUT
        build.note(value.sources, f"computed for the output{within}", why)
    tensor = build.whole(value)
    last = tensor._keras_history.operation
    if last.name != name:
        for new in build.here:
            if new.name == name:
                new.name = build.name(f"{name}_inner")
        last.name = name
    return tensor


def _findings(model: keras.Model, build: Build, target: str) -> Iterator[Finding]:
    """Yield what happened to every upsampling and transposed convolution, nested ones first."""
    layers = graph_of(model).operations
    for layer in dict.fromkeys(filter(is_graph, layers)):
        for one in _findings(layer, build.models[id(layer)].build, target):
            yield replace(one, layer=f"{layer.name}/{one.layer}")
    yield from build.findings
    for layer in layers:
        within = kinds.inner(layer)
        if id(within) in build.notes:
            notes = [_of_target(note, build, target) for note in build.notes[id(within)]]
            reasons = [note.why for note in notes if note.why]
            what = "; ".join(note.text for note in notes)
            yield Finding(layer.name, len(reasons) < len(notes), what, tuple(reasons))
            continue
        recipe = _ours(within, form_of(within)) if isinstance(within, keras.Layer) else None
        ours, transposed = build.form(within) == recipe, kinds.exact(within) is kinds.TRANSPOSED
        if recipe and ours and target == "polyphase":
            what = f"computed by polyphase.layers.{recipe.kind.__name__}"
            yield Finding(layer.name, True, what)
        elif recipe and ours and transposed:
            yield Finding(layer.name, False, "left alone: it is Keras' own", (Why.KERAS,))
        elif recipe and transposed:
            yield Finding(layer.name, False, "left alone: it is shared", (Why.SHARED,))
        elif obstacles.upsamples(within) and _keeps_size(layer):
            what = "left alone: it does not change the size of its image"
            yield Finding(layer.name, False, what, (Why.SIZES,))


def _of_target(note: Note, build: Build, target: str) -> Note:
    """Return a note, or what is true where the layer that absorbed is made of two of Keras'."""
    new = build.made[note.by][2] if note.by and target == "keras" else None
    if new is None or not undoes(kinds.inner(new)):
        return note
    return Note(f"{note.text}: with Keras' own layers both are apart again", Why.KERAS)
