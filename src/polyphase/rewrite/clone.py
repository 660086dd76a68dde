"""A layer anew, attribute by attribute, where its configuration does not say how to make it."""

import types
from typing import Any

import keras
import numpy as np

from polyphase.rewrite.graph import is_graph

# Of one layer only: what wraps its methods, who called it, how PyTorch names its weights.
_OWN = ("build", "quantize", "_inbound_nodes", "_outbound_nodes", "_torch_params")


def cloned(layer: keras.Layer) -> keras.Layer:
    """Return a layer with layers, variables and states of its own, everything else in common.

    What a function of the layer's keeps hold of, as a closure does, is the old one's still: who
    calls this compares both.
    """
    memo: dict[int, Any] = {}
    new: keras.Layer = _clone(layer, memo)
    for one, other in zip(layer.variables, new.variables, strict=True):
        other._path = one.path
    for one in new._flatten_layers():
        if hasattr(one, "_track_variables"):  # PyTorch's names of weights
            one._track_variables()
    return new


def _clone(value: Any, memo: dict[int, Any]) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, keras.Variable):
        return _kept(memo, value, _variable(value))
    if isinstance(value, keras.Model) and is_graph(value):
        return _graph(value, memo)
    if isinstance(value, (keras.Layer, keras.random.SeedGenerator)) or _is_tracker(value):
        new = _kept(memo, value, object.__new__(type(value)))
        _attributes(value, new, memo)
        return new
    if isinstance(value, types.MethodType):
        return types.MethodType(value.__func__, _clone(value.__self__, memo))
    return _container(value, memo)


def _kept(memo: dict[int, Any], value: Any, new: Any) -> Any:
    memo[id(value)] = new
    return new


def _attributes(old: Any, new: Any, memo: dict[int, Any]) -> None:
    fresh = _uncompiled() if isinstance(old, keras.Model) else {}
    for name, value in vars(old).items():
        if name in ("_inbound_nodes", "_outbound_nodes"):
            vars(new)[name] = []
        elif name not in _OWN:
            vars(new)[name] = fresh[name] if name in fresh else _clone(value, memo)
    if _is_tracker(new):
        stores = new.config.items()
        new.stored_ids = {name: set(map(id, store)) for name, (_, store) in stores}


def _uncompiled() -> dict[str, Any]:
    """Return what a model that was never compiled has beside a layer's attributes."""
    return {k: v for k, v in vars(keras.Model()).items() if k not in vars(keras.layers.Layer())}


def _is_tracker(value: Any) -> bool:
    return hasattr(value, "stored_ids") and hasattr(value, "config")


def _container(value: Any, memo: dict[int, Any]) -> Any:
    """Return a list, dictionary, tuple or set of clones; anything else as it is."""
    if isinstance(value, tuple):
        parts = [_clone(one, memo) for one in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if not isinstance(value, (list, dict, set)):
        return value
    kind: Any = type(value)
    new = _kept(memo, value, kind.__new__(kind))
    if isinstance(value, dict):
        pairs = ((key, _clone(one, memo)) for key, one in value.items() if key not in _OWN)
        dict.update(new, pairs)
    elif isinstance(value, list):
        list.extend(new, (_clone(one, memo) for one in value))
    else:
        set.update(new, (_clone(one, memo) for one in value))
    if hasattr(value, "__dict__"):
        _attributes(value, new, memo)
    return new


def _variable(old: Any) -> Any:
    new = keras.Variable(
        np.array(keras.ops.convert_to_numpy(old.value)),
        dtype=old.dtype,
        trainable=old.trainable,
        name=old.name,
    )
    for name in ("_path", "_autocast", "_aggregation", "regularizer", "constraint"):
        if hasattr(old, name):
            setattr(new, name, getattr(old, name))
    return new


def _graph(model: keras.Model, memo: dict[int, Any]) -> keras.Model:
    """Return a graph of layers anew, by their configurations."""
    new = keras.models.clone_model(model)
    new.set_weights(model.get_weights())
    for old, other in zip(model._flatten_layers(), new._flatten_layers(), strict=True):
        other.trainable = old.trainable
        memo[id(old)] = other
    return new
