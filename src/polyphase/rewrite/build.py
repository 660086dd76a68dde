"""The layers of a new model, made while an old one is walked through."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from polyphase.layers import UpSampling2D
from polyphase.rewrite.activations import configuration, restore
from polyphase.rewrite.delayed import Delayed, Joined, Margin
from polyphase.rewrite.pairs import Pairs, join
from polyphase.rewrite.report import Finding

Tensor = Any
Weights = list[np.ndarray]


@dataclass(frozen=True)
class Form:
    """What a layer becomes.

    Attributes:
        kind: the class.
        changes: what its configuration says otherwise.
        dropped: what its configuration does not have.
        weights: makes the new weights of the old; None: they are the same.
    """

    kind: type[keras.Layer]
    changes: dict[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    weights: Callable[[Weights], Weights] | None = field(default=None, compare=False)


class ConflictError(Exception):
    """A shared layer would need two forms at once."""

    def __init__(self, layer: keras.Layer) -> None:
        self.layer = layer


class Build:
    """The layers of the new model, each made once from one of the old.

    Attributes:
        inference: whether the new model is for inference only.
        alone: ids of layers that must keep their form.
        pairs: what to join inside of layers that are classes; `findings`: what was.
        made: id of an old layer -> the old layer, its form, and the new layer.
        names: that are taken.
        notes: name of an upsampling -> what happened to it -> whether that gained anything.
    """

    def __init__(
        self,
        names: Iterable[str],
        inference: bool = False,
        alone: Iterable[int] = (),
        pairs: Pairs = (),
    ) -> None:
        self.names = set(names)
        self.inference = inference
        self.alone = set(alone)
        self.pairs = pairs
        self.findings: list[Finding] = []
        self.made: dict[int, tuple[keras.Layer, Form | None, keras.Layer]] = {}
        self.notes: dict[str, dict[str, bool]] = {}

    def note(self, names: Iterable[str], text: str, gained: bool = True) -> None:
        """Remember what happened to upsamplings."""
        for name in names:
            self.notes.setdefault(name, {})[text] = gained

    def call(self, layer: Any, *args: Any, form: Form | None = None, **kwargs: Any) -> Any:
        """Call the new counterpart of a layer: a clone, or in another form.

        Raises:
            ConflictError: if the layer is shared and has another form already.
            ValueError: if the layer cannot be made from its configuration.
        """
        if not isinstance(layer, keras.Layer):
            return layer(*args, **kwargs)
        if id(layer) not in self.made:
            new = _counterpart(layer, form, self)
            self.findings += join(new, self.pairs)
            self.made[id(layer)] = (layer, form, new)
        _, known, new = self.made[id(layer)]
        if known != form:
            raise ConflictError(layer)
        return new(*args, **kwargs)

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
            try:
                new = _counterpart(function, None, self)
                if function.built and not new.built:  # a symbolic call of its owner does not
                    new.build_from_config(function.get_build_config())
            except ValueError:
                new = function
            self.made[id(function)] = (function, None, new)
        return self.made[id(function)][2]

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
            parts = [self.whole(part) for part in value.parts]
            value.whole.append(self.call(value.concatenate, parts))
        if isinstance(value, Delayed) and not value.whole:
            name = value.name if value.name in value.sources else f"{value.name}_upsampled"
            layer = UpSampling2D(
                value.size,
                value.data_format,
                value.interpolation,
                name=self.name(name),
                dtype=value.small.dtype,
            )
            value.whole.append(self.framed(layer(value.small), value.margin, value))
        return value.whole[0] if isinstance(value, (Delayed, Joined)) else value

    def framed(self, tensor: Tensor, margin: Margin, value: Delayed) -> Tensor:
        """Put zeros around an image, or cut it, as a margin says."""
        for kind, sign in ((keras.layers.ZeroPadding2D, 1), (keras.layers.Cropping2D, -1)):
            amounts = tuple(tuple(max(0, sign * n) for n in side) for side in margin)
            if any(map(any, amounts)):
                name = f"{value.name}_{'padding' if sign > 0 else 'cropping'}"
                layer = kind(
                    amounts,
                    data_format=value.data_format,
                    name=self.name(name),
                    dtype=tensor.dtype,
                )
                tensor = layer(tensor)
        return tensor

    def move_weights(self) -> None:
        """Give all new layers their weights."""
        for old, form, new in self.made.values():
            weights = old.get_weights()
            new.set_weights(form.weights(weights) if form and form.weights else weights)


def _counterpart(layer: keras.Layer, form: Form | None, build: Build) -> keras.Layer:
    """Return a new layer of the same configuration, without the weights' values."""
    try:
        config = build.config(layer)
        if form is None:
            new = type(layer).from_config(config)
            restore(layer, new)
            return new
        kept = {name: said for name, said in config.items() if name not in form.dropped}
        return form.kind.from_config(kept | form.changes)
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"The layer {layer.name!r} of class {type(layer).__name__} cannot be copied, because "
            f"its `get_config` does not say how to make it. ({error})"
        ) from error
