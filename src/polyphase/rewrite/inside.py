"""Upsamplings inside of layers that are classes: found by what the class does, and joined.

An upsampling whose result nobody reads but convolutions that absorb it becomes an `Identity`, and
they upsample too. Its readers are the layers that are called with the very tensor that it returned.
What code does with that tensor besides is not seen: outputs on noise say it, at inference and in
training, and what they contradict is taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.layers import kinds
from polyphase.rewrite.code import longer, runs_code
from polyphase.rewrite.forms import Conv, Upsample
from polyphase.rewrite.graph import data_format
from polyphase.rewrite.joined import IDENTITY, Role, Undo, adopt, become
from polyphase.rewrite.probe import Probe
from polyphase.rewrite.reader import UPSAMPLED, form_of
from polyphase.rewrite.reasons import why_alone
from polyphase.rewrite.report import Finding, Why
from polyphase.rewrite.trace import Call, Trace

Pairs = Sequence[tuple[str, str]]
Reasons = dict[int, str]  # id of a layer -> why it stays
_UPSAMPLE = (kinds.UPSAMPLING, kinds.RESIZING, kinds.TRANSPOSED)


@dataclass(frozen=True, eq=False)
class Part:
    """A layer inside of a class, and what it becomes.

    Attributes:
        layer: the layer.
        role: what it becomes.
        what: what the report says of it; "": nothing.
    """

    layer: keras.Layer
    role: Role
    what: str = ""


Group = list[Part]  # which become others together


def holds_upsampling(layer: keras.Layer) -> bool:
    """Return whether layers inside of a layer upsample, or their gradients do."""
    within = kinds.inner(layer)._flatten_layers(include_self=False)
    return any(kinds.nearest(one) in _UPSAMPLE for one in within)


def concerned(layer: keras.Layer) -> bool:
    """Return whether a layer that is no graph may upsample inside: by its layers or its code."""
    return holds_upsampling(layer) or any(runs_code(one) for one in layer._flatten_layers())


def join(
    owner: keras.Layer, trace: Trace, probe: Probe, pairs: Pairs, named_only: bool = False
) -> list[Finding]:
    """Join what a built copy of a class holds; say what became of every upsampling inside.

    Args:
        owner: the copy.
        trace: what it did at inference.
        probe: of the original.
        pairs: names of upsamplings and convolutions, which the user answers for.
        named_only: whether nothing else is joined.

    Raises:
        ValueError: if a named pair is not an upsampling and a convolution that can absorb it.
    """
    within = owner._flatten_layers()
    named = list(_named(within, pairs))
    _become(named)
    upsamplings = [one for one in within if isinstance(form_of(one), Upsample)]
    traces = [trace] if trace.complete else []
    if upsamplings and traces and not named_only:
        trained = probe.watch(owner, training=True)[1]
        traces += [trained] if trained.complete else []
    reasons = {id(one): _untouched(owner, traces, named_only) for one in upsamplings}
    found: list[Group] = []
    if traces and not named_only:
        joinable = _settled(_absorbed(upsamplings, traces, reasons), traces, reasons)
        found = [*_together(joinable), *_transposed(within)]
    kept = _confirmed(found, owner, probe, reasons)
    parts = [*named, *(part for group in kept for part in group)]
    _adopt(owner, [part.layer for part in parts])
    said = {id(part.layer): part.what for part in parts if part.what}
    return list(_findings(owner, traces, said, reasons))


def _adopt(layer: keras.Layer, became: list[keras.Layer]) -> None:
    """Have the classes in a layer, or of it, save what became of theirs: Keras' layers do so."""
    if not runs_code(layer):
        for one in layer._layers:
            _adopt(one, became)
        return
    within = set(map(id, layer._flatten_layers()))
    own = [one for one in became if id(one) in within]
    if own:
        adopt(layer, own)


def left(owner: keras.Layer, trace: Trace, why: str) -> list[Finding]:
    """Say of every upsampling inside of a layer that it stays, as the whole layer does."""
    reasons = {
        id(one): f"left alone: {owner.name!r} {why}"
        for one in owner._flatten_layers(include_self=False)
        if kinds.nearest(one) in (kinds.UPSAMPLING, kinds.TRANSPOSED) and not kinds.is_ours(one)
    }
    return list(_findings(owner, [trace] if trace.complete else [], {}, reasons))


def require_none_named(owner: keras.Layer, pairs: Pairs, why: str) -> None:
    """Say that pairs are named inside of a layer that stays as it is.

    Raises:
        ValueError: naming it.
    """
    inside = {layer.name for layer in owner._flatten_layers()}
    if any(name in inside for pair in pairs for name in pair):
        raise ValueError(
            f"{owner.name!r} of class {type(owner).__name__} has pairs to join but {why}."
        )


def require_all(findings: list[Finding], pairs: Pairs) -> None:
    """Say which pair was not found.

    Raises:
        ValueError: naming it.
    """
    joined = {one.layer.rsplit("/", 1)[-1] for one in findings if one.folded}
    for first, second in pairs:
        if first not in joined:
            raise ValueError(
                f"There is no pair ({first!r}, {second!r}) in this model. Name layers that one "
                "layer or model that is a class holds."
            )


def _named(within: list[keras.Layer], pairs: Pairs) -> Iterator[Part]:
    """Yield the parts of the named pairs that are here.

    Raises:
        ValueError: for a pair of others.
    """
    for first, second in pairs:
        upsamplings = [one for one in within if one.name == first]
        convolutions = [one for one in within if one.name == second]
        for before in upsamplings if convolutions else ():
            form = form_of(before)
            for after in convolutions:
                role = _role(after, form) if isinstance(form, Upsample) else None
                if role is None:
                    raise ValueError(
                        f"The pair ({first!r}, {second!r}) cannot become one. Received: "
                        f"{type(before).__name__} and {type(after).__name__}. Expected: an "
                        "UpSampling layer without activity_regularizer and a convolution without "
                        "strides, of the same data format."
                    )
                yield Part(before, IDENTITY, f"absorbed by {second!r}")
                yield Part(after, role)


def _role(layer: keras.Layer, form: Upsample) -> Role | None:
    """Return what a layer becomes that absorbs an upsampling; None: it does not."""
    conv = form_of(layer)
    if not isinstance(conv, Conv) or not conv.absorbs(form):
        return None
    kind = UPSAMPLED[conv.way].ours.get(len(form.size))
    if kind is None or len(form.size) != len(conv.kernel_size):
        return None
    if conv.way == "full":
        return Role(kind, (("size", form.size), ("interpolation", form.interpolation)))
    return Role(kind, (("size", form.size),)) if form.copies else None


@dataclass(frozen=True, eq=False)
class Absorbed:
    """An upsampling that convolutions absorb, which alone read its results."""

    layer: keras.Layer
    form: Upsample
    results: list[Any]
    readers: list[keras.Layer]


def _absorbed(
    upsamplings: list[keras.Layer], traces: list[Trace], reasons: Reasons
) -> list[Absorbed]:
    """Return the upsamplings whose every reader absorbs them; say of the others who does not."""
    found = []
    for layer in upsamplings:
        form: Any = form_of(layer)
        calls = [(one, trace) for trace in traces for one in trace.calls if one.layer is layer]
        obstacles = [_obstacle(call, trace, form) for call, trace in calls]
        reasons[id(layer)] = next(
            filter(None, obstacles), "" if calls else f"left alone: nothing calls {layer.name!r}"
        )
        if not reasons[id(layer)]:
            results = [call.outputs[0] for call, _ in calls]
            readers = [
                reader.layer
                for call, trace in calls
                for reader in _readers(call, trace)
                if not reader.inner
            ]
            found.append(Absorbed(layer, form, results, readers))
    return found


def _readers(call: Call, trace: Trace) -> list[Call]:
    """Return the calls of layers that are given what a call returned."""
    return [one for one in trace.calls if any(x is y for x in one.inputs for y in call.outputs)]


def _obstacle(call: Call, trace: Trace, form: Upsample) -> str:
    """Return who needs the result of an upsampling; "": only convolutions that absorb it."""
    if any(x is y for x in trace.calls[-1].outputs for y in call.outputs):
        return f"computed for the output of {trace.calls[-1].layer.name!r}"
    readers = _readers(call, trace)
    leaves = [one for one in readers if not one.inner]
    for one in readers:
        within = any(leaf.path.startswith(f"{one.path}/") for leaf in leaves)
        if one.inner and not within:
            return f"computed for the code of {one.layer.name!r}"
    for leaf in leaves:
        if len(leaf.inputs) > 1 or _role(leaf.layer, form) is None:
            return f"computed before {leaf.layer.name!r}"
    caller = call.path.split("/")[-2] if "/" in call.path else ""
    return "" if leaves else f"computed for the code of {caller!r}"


def _settled(absorbed: list[Absorbed], traces: list[Trace], reasons: Reasons) -> list[Absorbed]:
    """Leave out, until nothing changes, those whose convolution has other inputs too."""
    while True:
        roles = {id(x): one.form for one in absorbed for x in one.results}
        for one in absorbed:
            bad = next((x for x in one.readers if not _always(x, one.form, traces, roles)), None)
            if bad is not None:
                reasons[id(one.layer)] = f"left alone: {bad.name!r} is called with other images too"
                absorbed = [other for other in absorbed if other is not one]
                break
        else:
            return absorbed


def _always(
    layer: keras.Layer, form: Upsample, traces: list[Trace], forms: dict[int, Upsample]
) -> bool:
    """Return whether a layer is only called with images that are upsampled so."""
    calls = (call for trace in traces for call in trace.calls if call.layer is layer)
    return all(forms.get(id(call.inputs[0])) == form for call in calls)


def _together(absorbed: list[Absorbed]) -> list[Group]:
    """Return groups of upsamplings that have no convolution in common, with their convolutions."""
    groups: list[list[Absorbed]] = []
    for one in absorbed:
        own = set(map(id, one.readers))
        joined = [g for g in groups if any(own & set(map(id, other.readers)) for other in g)]
        groups = [g for g in groups if g not in joined]
        groups.append([one, *(other for g in joined for other in g)])
    return [list(_parts(group)) for group in groups]


def _parts(group: list[Absorbed]) -> Iterator[Part]:
    for one in group:
        names = ", ".join(dict.fromkeys(repr(reader.name) for reader in one.readers))
        yield Part(one.layer, IDENTITY, f"absorbed by {names}")
    roles = {id(x): (x, _role(x, one.form)) for one in group for x in one.readers}
    for layer, role in roles.values():
        if role:
            yield Part(layer, role)


def _transposed(within: list[keras.Layer]) -> Iterator[Group]:
    """Yield Keras' transposed convolutions, which ours compute."""
    for layer in within:
        if kinds.exact(layer) is kinds.TRANSPOSED and not kinds.is_ours(layer):
            kind = kinds.TRANSPOSED.ours[layer.rank]
            yield [Part(layer, Role(kind), f"computed by polyphase.layers.{kind.__name__}")]


def _become(parts: Iterable[Part]) -> list[Undo]:
    return [become(part.layer, part.role) for part in parts]


def _confirmed(
    groups: list[Group], owner: keras.Layer, probe: Probe, reasons: Reasons
) -> list[Group]:
    """Join groups, and leave apart again those with which the outputs differ."""
    undo = [back for group in groups for back in _become(group)]
    if not groups or _same(owner, probe):
        return groups
    for back in undo:
        back()
    kept = []
    for group in groups:
        undo = _become(group) if len(groups) > 1 else []
        if undo and _same(owner, probe):
            kept.append(group)
            continue
        for back in undo:
            back()
        for part in (one for one in group if one.what):
            reasons[id(part.layer)] = "left alone: joined, the outputs differ on random input"
    return kept


def _same(owner: keras.Layer, probe: Probe) -> bool:
    return probe.equals(owner) and probe.equals(owner, training=True)


def _untouched(owner: keras.Layer, traces: list[Trace], named_only: bool) -> str:
    """Return why nothing is joined that is not named."""
    if named_only:
        return 'left alone: inside of a class, which target="keras" leaves as it is'
    return f"left alone: {owner.name!r} does not run on random input of its shapes"


def _findings(
    owner: keras.Layer, traces: list[Trace], said: Reasons, reasons: Reasons
) -> Iterator[Finding]:
    """Yield what became of everything inside that makes images larger, in the order of calls."""
    calls = [call for trace in traces for call in trace.calls]
    own = set(map(id, owner._flatten_layers()))
    paths = {id(call.layer): call.path for call in reversed(calls)}
    order = [*(call.layer for call in calls), *owner._flatten_layers(include_self=False)]
    found = []
    for layer in {id(one): one for one in order if one is not owner}.values():
        what = said.get(id(layer)) or reasons.get(id(layer)) or _left(layer, calls, own)
        if what:
            path = paths.get(id(layer), f"{owner.name}/{layer.name}")
            why = () if id(layer) in said else (Why.CLASS,)
            found.append(Finding(path, id(layer) in said, what, why))
    for one in (resize for trace in traces for resize in trace.resizes):
        what = f"left alone: {one.function} in the code of {type(one.layer).__name__}"
        found.append(Finding(one.path, False, what, (Why.CLASS,)))
    for call in calls:
        known = any(f"{one.layer}/".startswith(f"{call.path}/") for one in found)
        if not known and runs_code(call.layer) and _enlarges(call):
            what = f"left alone: the code of {type(call.layer).__name__} makes its images larger"
            found.append(Finding(call.path, False, what, (Why.CLASS,)))
    yield from dict.fromkeys(found)


def _left(layer: keras.Layer, calls: list[Call], own: set[int]) -> str:
    """Return why a layer that was not asked about stays; "": it does not upsample."""
    kind = kinds.nearest(layer)
    if kind is kinds.UPSAMPLING and id(layer) not in own:
        return "left alone: every call makes it anew"
    if kind is kinds.UPSAMPLING:
        return f"left alone: {why_alone(layer)}"
    its = [call for call in calls if call.layer is layer]
    if kind is kinds.RESIZING and (not its or any(map(_enlarges, its))):
        return f"left alone: {type(layer).__name__} is not joined inside of a class"
    return ""


def _enlarges(call: Call) -> bool:
    """Return whether a result is longer than every input by half or more, as by upsampling."""
    layout = data_format(call.layer)
    shapes = [tuple(one.shape) for one in call.inputs]
    half = [tuple(-(-3 * side // 2) - 1 for side in shape) for shape in shapes]
    return any(bool(longer(half, tuple(one.shape), layout)) for one in call.outputs)
