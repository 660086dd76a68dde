"""Layers and models that are classes: copied, with upsamplings inside of them joined."""

import warnings

import keras

from polyphase.rewrite.activations import restore
from polyphase.rewrite.clone import cloned
from polyphase.rewrite.copying import has_weights_like, move_state, own_objects
from polyphase.rewrite.inside import Pairs, join
from polyphase.rewrite.probe import Probe
from polyphase.rewrite.report import Finding
from polyphase.rewrite.sizes import call_on_symbols, example_call
from polyphase.rewrite.trace import Trace
from polyphase.rewrite.zeros import random_weights_are_zeros


def folded_class(
    model: keras.Layer, pairs: Pairs, named_only: bool
) -> tuple[keras.Layer, list[Finding], bool]:
    """Return a copy of a model or layer that is a class, folded, what was done, whether it loads.

    Raises:
        ValueError: if it is not built, cannot be copied, or a named pair is none.
    """
    _require_built(model)
    probe = Probe(model, *example_call(model))
    new, trace = _copy(model, probe)
    loads = new is not None
    if new is None:
        new, trace = cloned_alike(model, probe)
    if new is None:
        raise ValueError(_cannot_be_copied(model))
    return new, join(new, trace, probe, pairs, named_only), loads


def copied(owner: keras.Layer) -> keras.Layer:
    """Return a copy of a model or layer that is a class.

    Raises:
        ValueError: if it is not built, or cannot be copied.
    """
    _require_built(owner)
    new = _by_configuration(owner)
    if new is None:
        raise ValueError(_cannot_be_copied(owner))
    return new


def _copy(owner: keras.Layer, probe: Probe) -> tuple[keras.Layer | None, Trace]:
    """Return a copy by its configuration, and what it did; None: it computes something else."""
    new = _by_configuration(owner)
    same, trace = probe.watch(new) if new else (False, Trace())
    return (new if same or not probe.runs else None), trace


def cloned_alike(owner: keras.Layer, probe: Probe) -> tuple[keras.Layer | None, Trace]:
    """Return a clone that computes the same with layers of its own, and what it did; or None."""
    try:
        new = cloned(owner)
        same, trace = probe.watch(new)
    except Exception:  # whatever a class raises
        return None, Trace()
    old = set(map(id, [*owner._flatten_layers(), *owner.variables]))
    touched = [*(call.layer for call in trace.calls), *new.variables]
    apart = not old & set(map(id, touched))
    return (new if same and apart and trace.complete else None), trace


def _by_configuration(owner: keras.Layer) -> keras.Layer | None:
    try:
        with keras.saving.custom_object_scope(own_objects(owner)), random_weights_are_zeros():
            new = type(owner).from_config(owner.get_config())
            new.name = owner.name  # which not every configuration has
            restore(owner, new)
            _build(owner, new)
    except Exception:  # whatever a class raises
        return None
    if not has_weights_like(new, owner):
        return None
    move_state(owner, new)
    return new


def _build(owner: keras.Layer, new: keras.Layer) -> None:
    """Make the weights of a copy, by a symbolic call."""
    with warnings.catch_warnings(action="ignore"):  # of what is tried otherwise then
        try:
            call_on_symbols(new, owner)
        except Exception:  # whatever a class raises
            new.build_from_config(owner.get_build_config())


def _require_built(owner: keras.Layer) -> None:
    if not owner.built:
        raise ValueError(f"{owner.name!r} is not built. Call it on an example first.")


def _cannot_be_copied(owner: keras.Layer) -> str:
    return (
        f"{owner.name!r} of class {type(owner).__name__} cannot be copied, because its "
        "`get_config` does not say how to make it, and its attributes do not either. Write a "
        "`get_config` that returns the arguments of its `__init__`."
    )
