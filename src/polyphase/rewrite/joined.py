"""Classes of layers some of whose upsamplings convolutions absorb: made so, saved and loaded.

A class holds its layers wherever it likes. So none is put in another's place: the very object
becomes what it shall be, by another class of ours that derives from its own. Its weights, its name
and its place stay. The upsampling becomes an `Identity`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from polyphase import layers as ours
from polyphase.rewrite.sizes import call_on_symbols

Undo = Callable[[], None]


@dataclass(frozen=True)
class Role:
    """What a layer within a class becomes.

    Attributes:
        kind: the class.
        arguments: those of the class that the layer has not.
    """

    kind: type[keras.Layer]
    arguments: tuple[tuple[str, Any], ...] = ()


IDENTITY = Role(keras.layers.Identity)


def become(layer: keras.Layer, role: Role) -> Undo:
    """Make a layer another, in its place and with its weights; return what takes it back."""
    before, kept = type(layer), dict(vars(layer))
    own = {name: getattr(layer, name) for name in ("filters", "kernel_size") if name in kept}
    fresh = role.kind(**own, **dict(role.arguments))  # checks the arguments and completes them
    object.__setattr__(layer, "__class__", role.kind)
    for name in ("supports_jit", "_auto_config", *getattr(role.kind, "_added", ())):
        vars(layer)[name] = getattr(fresh, name)

    def undo() -> None:
        object.__setattr__(layer, "__class__", before)
        vars(layer).clear()
        vars(layer).update(kept)

    return undo


@keras.saving.register_keras_serializable(package="polyphase", name="Joined")
class Joined(keras.Layer):
    """A mixin before a class of layers: what its file says of the layers that became others.

    Its configuration is that of the class, and the roles of layers by their numbers in
    `_flatten_layers`, which is the order in which the class made them.
    """

    def get_config(self) -> dict[str, Any]:
        """Return the layer as its own class writes it, and what became of those inside."""
        kind, joined = type(self), vars(self)["_joined"]
        plain = plain_class(kind)
        object.__setattr__(self, "__class__", plain)  # Keras asks who wrote `get_config`
        try:
            layer = {
                "module": plain.__module__,
                "class_name": plain.__name__,
                "registered_name": keras.saving.get_registered_name(plain),
                "config": self.get_config(),
                "build_config": self.get_build_config(),
            }
        finally:
            object.__setattr__(self, "__class__", kind)
        roles = {
            str(number): [type(one).__name__, _arguments(one)]
            for number, one in enumerate(self._flatten_layers())
            if any(one is other for other in joined)
        }
        return {"layer": layer, "layers": len(self._flatten_layers()), "roles": roles}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a layer of the class, with the same layers inside joined."""
        new = keras.saving.deserialize_keras_object(config["layer"])
        if len(new._flatten_layers()) != config["layers"]:  # some are made by the first call
            call_on_symbols(new, new)
        within = new._flatten_layers()
        for number, (name, arguments) in config["roles"].items():
            kind = getattr(ours, name, keras.layers.Identity)
            become(within[int(number)], Role(kind, tuple(arguments.items())))
        return adopt(new, [within[int(number)] for number in config["roles"]])


def _arguments(layer: Any) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in getattr(layer, "_added", ())}


def adopt(owner: keras.Layer, became: list[keras.Layer]) -> keras.Layer:
    """Have a layer's file say which layers inside became others; return it."""
    plain: Any = plain_class(type(owner))
    object.__setattr__(owner, "__class__", _joined(plain))
    vars(owner)["_joined"] = (*vars(owner).get("_joined", ()), *became)
    return owner


def plain_class(kind: type[Any]) -> type[Any]:
    """Return a layer's class as it was before layers inside of it became others."""
    return kind.__mro__[2] if issubclass(kind, Joined) and kind is not Joined else kind


@functools.cache
def _joined(kind: Any) -> Any:
    """Return the class whose layers know what became of those inside, of the same name."""
    names = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    new = type(kind.__name__, (Joined, kind), names)
    return keras.saving.register_keras_serializable(package="polyphase", name="Joined")(new)
