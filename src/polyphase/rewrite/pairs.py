"""Layers that are classes: an upsampling and the convolution behind it, named, become one."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from polyphase.layers import kinds
from polyphase.rewrite.activations import configuration
from polyphase.rewrite.forms import Conv, Upsample
from polyphase.rewrite.reader import form_of
from polyphase.rewrite.report import Finding

Pairs = Sequence[tuple[str, str]]


def join(owner: keras.Layer, pairs: Pairs) -> list[Finding]:
    """Replace the pairs that a new, unbuilt layer holds; say which.

    The upsampling becomes an identity, the convolution upsamples too: the same if it reads the
    upsampling's result and nothing else does.

    Raises:
        ValueError: if a pair is not an upsampling and a convolution that can absorb it.
    """
    places = {layer.name: (holder, key, layer) for holder, key, layer in _places(owner)}
    findings = []
    for first, second in pairs:
        if first not in places or second not in places:
            continue
        (before, convolution) = (places[name][2] for name in (first, second))
        delayed, conv = form_of(before), form_of(convolution)
        if not (
            isinstance(delayed, Upsample)
            and isinstance(conv, Conv)
            and conv.way == "full"
            and conv.absorbs(delayed)
        ):
            raise ValueError(
                f"The pair ({first!r}, {second!r}) cannot become one. Received: "
                f"{type(before).__name__} and {type(convolution).__name__}. Expected: an "
                "UpSampling layer without activity_regularizer and a convolution without strides, "
                "of the same data format."
            )
        config = configuration(convolution)
        del config["strides"]
        config |= {"size": delayed.size, "interpolation": delayed.interpolation}
        _replace(*places[first], keras.layers.Identity(name=first, dtype=before.dtype_policy))
        kind = kinds.UPSAMPLED_CONVOLUTION.ours[len(delayed.size)]
        _replace(*places[second], kind.from_config(config))
        findings.append(Finding(f"{owner.name}/{first}", True, f"absorbed by {second!r}"))
    return findings


def copied(owner: keras.Layer, pairs: Pairs) -> tuple[keras.Layer, list[Finding]]:
    """Return a copy of a class of layers, with pairs joined, and what was done.

    Raises:
        ValueError: if it is not built, or its configuration does not say how to make it.
    """
    if not owner.built:
        raise ValueError(f"{owner.name!r} is not built. Call it on an example first.")
    try:
        new = type(owner).from_config(owner.get_config())
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"{owner.name!r} of class {type(owner).__name__} cannot be copied, because its "
            f"`get_config` does not say how to make it. ({error})"
        ) from error
    findings = join(new, pairs)
    new.build_from_config(owner.get_build_config())
    new.set_weights(owner.get_weights())
    return new, findings


def require_none_inside(owner: keras.Layer, pairs: Pairs) -> None:
    """Say that pairs are named inside of a layer that cannot be copied.

    Raises:
        ValueError: naming it.
    """
    inside = {layer.name for _, _, layer in _places(owner)}
    if any(name in inside for pair in pairs for name in pair):
        raise ValueError(
            f"{owner.name!r} of class {type(owner).__name__} has pairs to join but cannot be "
            "copied: its `get_config` does not say how to make it, or it shares layers with "
            "others."
        )


def require_all(findings: list[Finding], pairs: Pairs) -> None:
    """Say which pair was not found.

    Raises:
        ValueError: naming it.
    """
    found = {finding.layer.rsplit("/", 1)[-1] for finding in findings}
    for first, second in pairs:
        if first not in found:
            raise ValueError(
                f"There is no pair ({first!r}, {second!r}) in this model. Name layers that stand "
                "in attributes, lists or dictionaries of one layer that is a class."
            )


def _places(owner: keras.Layer) -> Iterator[tuple[Any, Any, keras.Layer]]:
    """Yield `(holder, key, layer)` for all layers below one: attributes, lists and dictionaries."""
    modules = getattr(owner, "_modules", {})  # where PyTorch keeps layers that are attributes
    for key, value in {**vars(owner), **modules}.items():
        if not key.startswith("_"):
            yield from _below(owner, key, value)


def _below(holder: Any, key: Any, value: Any) -> Iterator[tuple[Any, Any, keras.Layer]]:
    if isinstance(value, keras.Layer):
        yield holder, key, value
        yield from _places(value)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _below(value, name, one)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _below(value, number, one)


def _replace(holder: Any, key: Any, old: keras.Layer, new: keras.Layer) -> None:
    """Put a layer in another's place, among the tracked layers too: the order of weights stays."""
    owner = holder if isinstance(holder, keras.Layer) else None
    tracker = owner._tracker if owner else getattr(holder, "tracker", None)
    if tracker is not None:
        tracker.replace_tracked_value("layers", old, new)
    if owner:
        setattr(owner, key, new)
    else:
        holder[key] = new
