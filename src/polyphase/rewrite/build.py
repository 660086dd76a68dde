"""The layers of a new model, made while an old one is walked through."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.layers import kinds
from polyphase.rewrite import frames
from polyphase.rewrite.activations import configuration, restore
from polyphase.rewrite.classes import cloned_alike
from polyphase.rewrite.copying import foreign, has_weights_like, move_state, own_objects
from polyphase.rewrite.cost import chosen
from polyphase.rewrite.delayed import Boundary, Delayed, Joined, Margin
from polyphase.rewrite.forms import Operation
from polyphase.rewrite.inside import (
    Pairs,
    concerned,
    holds_upsampling,
    join,
    left,
    require_none_named,
)
from polyphase.rewrite.operations import is_image
from polyphase.rewrite.probe import Probe
from polyphase.rewrite.reader import UPSAMPLED
from polyphase.rewrite.report import Finding, Why
from polyphase.rewrite.trace import Trace

Tensor = Any
_SHARED = ("alone", "closed", "unloadable", "used", "made", "models", "notes", "wrapped")
Weights = list[np.ndarray]
_SHARES = "shares layers or weights with others, so that it cannot be copied"
_NO_COPY = "cannot be copied: its `get_config` does not say how to make it"


@dataclass(frozen=True)
class Recipe:
    """What a layer becomes.

    Attributes:
        kind: the class.
        changes: what its configuration says otherwise.
        dropped: what its configuration does not have.
        weights: makes the new weights of the old; None: they are the same.
        parts: the channels of each of several layers that it becomes; empty: it becomes one.
    """

    kind: type[keras.Layer]
    changes: dict[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    weights: Callable[[Weights], Weights] | None = field(default=None, compare=False)
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Note:
    """What happened to an upsampling.

    Attributes:
        text: in words.
        why: nothing was gained; None: something was.
        by: the id of the layer that absorbed it; 0: none did.
    """

    text: str
    why: Why | None = None
    by: int = 0


class ConflictError(Exception):
    """A shared layer would need two forms at once."""

    def __init__(self, layer: keras.Layer) -> None:
        self.layer = layer


class BoundaryError(Exception):
    """A nested model would be another, and nothing gained."""

    def __init__(self, boundaries: Iterable[Boundary]) -> None:
        self.boundaries = set(boundaries)


@dataclass(frozen=True)
class Nested:
    """A nested model, made anew.

    Attributes:
        model: the new one.
        build: how it was built.
        entering: per input, how it will be upsampled within; None: it is a tensor.
        leaving: per output, how it will be upsampled behind it; None: it is a tensor.
    """

    model: keras.Model
    build: "Build"
    entering: list[Delayed | Joined | None]
    leaving: list[Delayed | None]


class Build:
    """The layers of one new model, each made once from one of the old.

    What is made once for the whole model, with all models nested in it, is shared with the builds
    of those: what `_SHARED` names.

    Attributes:
        inference: whether the new model is for inference only.
        alone: ids of layers that must keep their form.
        used: ids of layers that cannot be copied: they themselves are part of the new model.
        pairs: what to join inside of layers that are classes; None: nothing is.
        named_only: whether nothing else is joined there.
        findings: what became of upsamplings there.
        unloadable: names of layers whose configurations do not say how to make them.
        made: id of an old layer -> the old layer, how it was made, and the new layer.
        models: id of a nested model -> the new one.
        closed: boundaries of nested models that nothing crosses delayed.
        wrapped: id of a layer -> the TimeDistributed that calls it for every step of a sequence.
        here: the layers and operations that were made for this very model.
        operations: id of an old operation -> its copy.
        names: that are taken.
        notes: id of an upsampling -> what happened to it.
        within: the name of the nested model that this builds; "": it is not nested.
    """

    def __init__(
        self,
        names: Iterable[str],
        inference: bool = False,
        alone: Iterable[int] = (),
        pairs: Pairs | None = None,
        used: Iterable[int] = (),
        closed: Iterable[Boundary] = (),
        named_only: bool = False,
    ) -> None:
        self.names = set(names)
        self.inference = inference
        self.used = set(used)
        self.alone = self.used | set(alone)
        self.pairs = pairs
        self.named_only = named_only
        self.findings: list[Finding] = []
        self.unloadable: list[str] = []
        self.made: dict[int, tuple[keras.Layer, Recipe | None, Any]] = {}
        self.models: dict[int, Nested] = {}
        self.closed = set(closed)
        self.wrapped: dict[int, keras.layers.TimeDistributed] = {}
        self.here: list[Any] = []
        self.operations: dict[int, Any] = {}
        self.notes: dict[int, dict[Note, None]] = {}
        self.within = ""

    def form(self, layer: keras.Layer) -> Recipe | None:
        """Return how a layer's counterpart was made; None: as it was, or not at all."""
        return self.made[id(layer)][1] if id(layer) in self.made else None

    def inside(self, model: keras.Model, names: Iterable[str]) -> "Build":
        """Return the build of a nested model."""
        inner = Build(names, self.inference, pairs=self.pairs, named_only=self.named_only)
        inner.within = model.name
        for shared in _SHARED:
            setattr(inner, shared, getattr(self, shared))
        return inner

    def used_names(self) -> tuple[str, ...]:
        """Return the names of the layers that are used themselves, in the order of the walk."""
        return tuple(old.name for old, _, new in self.made.values() if new is old)

    def note(
        self, sources: Iterable[int], text: str, why: Why | None = None, by: Any = None
    ) -> None:
        """Remember what happened to upsamplings: nothing was gained, and why, or something was."""
        for source in sources:
            self.notes.setdefault(source, {})[Note(text, why, id(by) if by else 0)] = None

    def call(self, layer: Any, *args: Any, recipe: Recipe | None = None, **kwargs: Any) -> Any:
        """Call the new counterpart of a layer: a copy, one in another form, or the layer itself.

        Raises:
            ConflictError: if the layer is shared and has another form already, or can have none.
        """
        if not isinstance(layer, keras.Layer):
            return self._operation(layer)(*args, **kwargs)
        if id(layer) not in self.made:
            return self._first(layer, recipe, args, kwargs)
        _, known, new = self.made[id(layer)]
        if known != recipe:
            raise ConflictError(layer)
        return new(*args, **kwargs)

    def _operation(self, old: Any) -> Any:
        """Return the copy of an operation, which knows where it is called and may be renamed."""
        if id(old) not in self.operations:
            new = object.__new__(type(old))  # `copy` would serialise it
            new.__dict__ |= vars(old) | {"_inbound_nodes": [], "_outbound_nodes": []}
            self.operations[id(old)] = new
            self.here.append(new)
        return self.operations[id(old)]

    def again(self, one: Operation, *inputs: Any, recipe: Recipe | None = None) -> Any:
        """Call the new counterpart of an operation's layer on other inputs."""
        others = iter(inputs)
        args = tree.map_structure(
            lambda value: next(others) if is_image(value) else value, one.args
        )
        return self.call(one.source, *args, recipe=recipe)

    def upsampled(self, one: Operation, way: str, value: Delayed, padding: str) -> Any:
        """Call what upsamples and then convolves as an operation does: `way` is its `Conv`'s."""
        changes: dict[str, Any] = {"size": value.size}
        if way == "full":
            changes |= {"interpolation": value.interpolation, "padding": padding}
        kind = UPSAMPLED[way].ours[len(value.size)]
        return self.again(one, value.small, recipe=Recipe(kind, changes, ("strides",)))

    def concatenated(self, one: Operation, parts: Sequence[Any]) -> Any:
        """Call what upsamples parts, concatenates and then convolves as an operation does."""
        delayed = [part for part in parts if isinstance(part, Delayed)]
        as_it_is = (1,) * len(delayed[0].size)
        sizes = tuple(part.size if isinstance(part, Delayed) else as_it_is for part in parts)
        changes = {"size": sizes, "interpolation": delayed[0].interpolation}
        kind = kinds.CONCATENATED.ours[len(as_it_is)]
        recipe = Recipe(kind, changes, ("strides", "groups"))
        small = [part.small if isinstance(part, Delayed) else part for part in parts]
        return self.call(one.source, small, recipe=recipe)

    def pieces(self, one: Operation, parts: Sequence[Tensor], channels: Sequence[int]) -> list[Any]:
        """Call a normalisation of each channel on parts of the channels: a layer for each part.

        Raises:
            ConflictError: if the layer is shared and whole elsewhere, or in other parts.
        """
        old = one.source
        recipe = Recipe(type(old), parts=tuple(channels))
        if id(old) not in self.made:
            names = [self.name(f"{old.name}_{number}") for number in range(len(parts))]
            new = [type(old).from_config(self.config(old) | {"name": name}) for name in names]
            self.made[id(old)] = (old, recipe, new)
        _, known, new = self.made[id(old)]
        if known != recipe:
            raise ConflictError(old)
        return [layer(part) for layer, part in zip(new, parts, strict=True)]

    def absorbs(self, value: Delayed) -> bool:
        """Return whether there is a layer that upsamples so and convolves: always."""
        return True

    def blurs(self, one: Operation, part: Delayed) -> bool:
        """Return whether `auto` computes a part by nearest's convolution, blurred."""
        shape = part.small.shape
        known = None not in [shape[axis] for axis in part.space]
        return known and chosen(one.source, shape, part.size, part.interpolation) == "blur"

    def config(self, layer: keras.Layer) -> dict[str, Any]:
        """Return a layer's configuration, with a copy of an activation that is a layer itself.

        Such an activation is copied once, like every layer, and what has no configuration is used.
        """
        config = configuration(layer)
        own = (
            {"activation": self.activation(config["activation"])} if "activation" in config else {}
        )
        return config | own

    def activation(self, function: Any) -> Any:
        """Return an activation for a new layer: the very function, or the copy of a layer."""
        if not isinstance(function, keras.Layer):
            return function
        if id(function) not in self.made:
            new = _counterpart(function, None, self) or function
            if function.built and not new.built:  # a symbolic call of its owner does not
                new.build_from_config(function.get_build_config())
            self.made[id(function)] = (function, None, new)
        return self.made[id(function)][2]

    def _first(self, layer: keras.Layer, recipe: Recipe | None, args: Any, kwargs: Any) -> Any:
        """Make a layer's counterpart and call it; where it is not one, use the layer itself."""
        new = None if id(layer) in self.used else _counterpart(layer, recipe, self)
        old = self.wrapped.get(id(layer), layer)
        if new and old is not layer:
            new = keras.layers.TimeDistributed(new, name=old.name, dtype=old.dtype_policy)
        result = None
        try:
            result = new(*args, **kwargs) if new else None
        except Exception:  # whatever a class raises that its configuration does not describe
            new = None
        copied = new
        if not recipe and (foreign(old) or (self.pairs is not None and concerned(old))):
            new = self._of_a_class(old, new, Probe(old, args, kwargs))
        elif new and not recipe and not has_weights_like(new, old):
            new = None
        if not new and recipe:
            raise ConflictError(layer)
        if not new:
            self.used.add(id(old))
            new = old
        if new is not copied:
            result = new(*args, **kwargs)
        self.made[id(layer)] = (old, recipe, new)
        self.here.append(new)
        return result

    def _of_a_class(
        self, old: keras.Layer, new: keras.Layer | None, probe: Probe
    ) -> keras.Layer | None:
        """Return a copy of a layer that may hold anything, joined; None: the layer itself is used.

        Configurations of others than Keras' layers and ours may be wrong, so that both are called.
        """
        trace = Trace()
        if new:
            new = new if has_weights_like(new, old) else None
        if new:
            move_state(old, new)
            same, trace = probe.watch(new)
            new = new if same or not foreign(old) else None
        shared = id(old) in self.used
        if not new and not shared and foreign(old):
            self.unloadable.append(old.name)
        if self.pairs is None:
            return new
        if not new and not shared and holds_upsampling(old):
            new, trace = cloned_alike(old, probe)
        if new:
            self.findings += join(new, trace, probe, self.pairs, self.named_only)
            return new
        why = _SHARES if shared else _NO_COPY
        require_none_named(old, self.pairs, why)
        self.findings += left(old, probe.watch(old)[1], why)
        return None

    def name(self, wanted: str) -> str:
        """Return a name for a layer that has no counterpart: as wanted, or with a number."""
        number, name = 1, wanted
        while name in self.names:
            name, number = f"{wanted}_{number}", number + 1
        self.names.add(name)
        return name

    def whole(self, value: Any) -> Any:
        """Return a value as a tensor: compute what has been delayed, once."""
        if isinstance(value, Joined) and not value.whole:
            if value.cut:  # for nothing
                raise ConflictError(value.cut[-1])
            parts = [self.whole(part) for part in value.parts]
            value.whole.append(self.again(value.concatenate, *parts))
        if isinstance(value, Delayed) and not value.whole:
            if value.crossed:
                raise BoundaryError(value.crossed[-1:])
            name = self.name(f"{value.name}_upsampled" if value.moved else value.name)
            kind = kinds.UPSAMPLING.ours[len(value.size)]
            layer = kind(
                value.size,
                value.data_format,
                value.interpolation,
                name=f"{name}_step" if value.per_step else name,
                dtype=value.small.dtype,
            )
            if value.per_step:
                layer = keras.layers.TimeDistributed(layer, name=name)
            value.whole.append(self.framed(layer(value.small), value.margin, value))
        return value.whole[0] if isinstance(value, (Delayed, Joined)) else value

    def framed(self, tensor: Tensor, margin: Margin, value: Delayed) -> Tensor:
        """Put zeros around an image, or cut it, as a margin says."""
        for kind, sign in ((frames.padding, 1), (frames.cropping, -1)):
            amounts = tuple(
                (max(0, sign * before), max(0, sign * after)) for before, after in margin
            )
            if any(map(any, amounts)):
                name = self.name(f"{value.name}_{kind.__name__}")
                tensor = kind(amounts, value.data_format, name=name, dtype=tensor.dtype)(tensor)
        return tensor

    def move_weights(self) -> None:
        """Give all new layers their weights."""
        for old, recipe, new in self.made.values():
            if recipe and recipe.parts:
                _move_parts(old, new, recipe.parts)
            elif recipe and recipe.weights:
                new.set_weights(recipe.weights(old.get_weights()))
            elif new is not old:
                move_state(old, new)


def _move_parts(old: keras.Layer, new: Sequence[keras.Layer], channels: Sequence[int]) -> None:
    """Give several layers the weights of their channels, frozen or not."""
    ends = np.cumsum(channels)[:-1]
    pieces = zip(*(np.split(weight, ends) for weight in old.get_weights()), strict=True)
    for layer, weights in zip(new, pieces, strict=True):
        layer.set_weights(list(weights))
        for one, other in zip(old.variables, layer.variables, strict=True):
            other.trainable = one.trainable


def _counterpart(layer: keras.Layer, recipe: Recipe | None, build: Build) -> keras.Layer | None:
    """Return a new, unbuilt layer; None if the configuration does not say how to make it."""
    try:
        config = build.config(layer)
        with keras.saving.custom_object_scope(own_objects(layer)):
            if recipe is None:
                new = type(layer).from_config(config)
                new.name = layer.name  # which not every configuration has
                restore(layer, new)
                return new
            kept = {name: value for name, value in config.items() if name not in recipe.dropped}
            return recipe.kind.from_config(kept | recipe.changes)
    except Exception:  # whatever a class raises
        return None
