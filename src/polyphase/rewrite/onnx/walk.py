"""One walk over an ONNX graph: upsampling is delayed until a convolution absorbs it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import onnx_ir as ir
from onnx_ir.passes import common

from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Concat, Conv, Norm, Opaque, Operation, Pad, Pointwise, Upsample
from polyphase.rewrite.onnx.build import SUB_PIXEL, TRANSPOSED, WOVEN, WRITERS, Build
from polyphase.rewrite.onnx.nodes import Nodes
from polyphase.rewrite.onnx.reader import pads, read
from polyphase.rewrite.onnx.resizing import along
from polyphase.rewrite.onnx.shapes import attribute, constant
from polyphase.rewrite.onnx.transposed import Transposed, splits
from polyphase.rewrite.report import Why
from polyphase.rewrite.rules import margin, rules_for

_RESIZING = ("Resize", "Upsample")
Ways = Mapping[int, str]  # number of an upsampling, in the graph's order -> how it is computed


@dataclass(frozen=True)
class Upsampling:
    """One node that upsamples.

    Attributes:
        name: its own, or its result's.
        kind: its operator.
        operation: what it does, and to what; of a transposed convolution `Opaque`.
    """

    name: str
    kind: str
    operation: Operation


@dataclass(frozen=True)
class Fold:
    """What happened to the upsamplings of a model, by their numbers.

    Attributes:
        notes: number -> what happened -> why that gained nothing; None: it did.
        groups: which were computed as one.
    """

    notes: dict[int, dict[str, Why | None]]
    groups: list[tuple[int, ...]]


def upsamplings(model: ir.Model) -> list[Upsampling]:
    """Return the nodes that upsample, in the graph's order, whether they can be read or not."""
    opset = version(model)
    found = []
    for node in model.graph:
        one = read(node, opset)
        if node.op_type in (*_RESIZING, TRANSPOSED) or isinstance(one.form, Upsample):
            found.append(Upsampling(one.name, node.op_type, one))
    return found


def within(model: ir.Model) -> list[str]:
    """Return the names of nodes that resize in graphs within nodes, as of an `If`."""
    outer = set(model.graph)
    inner = (node for node in model.graph.all_nodes() if node not in outer)
    return [node.name or "" for node in inner if node.op_type in _RESIZING]


def version(model: ir.Model) -> int:
    """Return the version of the operators."""
    imports = model.graph.opset_imports
    return imports.get("", imports.get("ai.onnx", 0))


def folded(model: ir.Model, ways: Ways) -> Fold:
    """Fold a model in place; return what happened.

    Args:
        model: as `prepare.prepared` returns it.
        ways: of each upsampling that is to be read; others stay as they are.
    """
    graph = model.graph
    every = upsamplings(model)
    chosen = {id(every[number].operation.source): way for number, way in ways.items()}
    build = Build(Nodes(graph, version(model)), chosen)
    values: dict[ir.Value, Any] = {}
    for node in _needed(model, chosen):
        build.nodes.here = node
        result = _value(node, values, build)
        if result is not None:
            values[node.outputs[0]] = result
    build.nodes.here = None
    for number, output in enumerate(graph.outputs):
        if output in values:
            if isinstance(values[output], (Delayed, Joined)):
                build.note(values[output].sources, "computed for the output", Why.OUTPUT)
            _replace_output(graph, number, build.whole(values[output]))
    _clean(model)
    numbers = {id(one.operation.source): number for number, one in enumerate(every)}
    return Fold(
        {numbers[source]: notes for source, notes in build.notes.items()},
        [
            tuple(numbers[source] for source in together)
            for together in dict.fromkeys(build.together)
        ],
    )


def _needed(model: ir.Model, chosen: Mapping[int, str]) -> list[ir.Node]:
    """Return the nodes that outputs need, in order: not what is read as a part of another."""
    wanted = set(model.graph.outputs)
    needed = []
    for node in reversed(list(model.graph)):
        if wanted.isdisjoint(node.outputs):
            continue
        needed.append(node)
        one = read(node, version(model))
        read_so = isinstance(one.form, Upsample) and id(node) in chosen
        wanted.update(one.inputs if read_so else _inputs(node))
    return needed[::-1]


def _inputs(node: ir.Node) -> Iterator[ir.Value]:
    """Yield what a node reads, and what graphs within it read from without."""
    yield from (one for one in node.inputs if one is not None)
    for graph in _graphs(node):
        for inner in graph.all_nodes():
            yield from (one for one in inner.inputs if one is not None)


def _graphs(node: ir.Node) -> Iterator[ir.Graph]:
    for one in node.attributes.values():
        if one.type == ir.AttributeType.GRAPH:
            yield one.as_graph()
        elif one.type == ir.AttributeType.GRAPHS:
            yield from one.as_graphs()


def _value(node: ir.Node, values: dict[ir.Value, Any], build: Build) -> Any:
    """Return what a node's result has become; None if it stays."""
    one = read(node, build.nodes.opset)
    chosen = build.ways.get(id(node))
    if isinstance(one.form, Upsample) and chosen is None:
        one = replace(one, form=Opaque())
    one = replace(
        one,
        inputs=tuple(values.get(arg, arg) for arg in one.inputs),
        args=tuple(arg and values.get(arg, arg) for arg in node.inputs),
    )
    waiting = [value for value in one.inputs if isinstance(value, (Delayed, Joined))]
    if waiting:
        one = _aligned(one, waiting[0], build)
        for rule in rules_for(one):
            result = rule.apply(one, build)
            if result is not None:
                return result
        for value in waiting:
            build.note(value.sources, f"computed before {one.name!r}", _obstacle(one, value))
    if isinstance(one.form, Upsample):
        small = build.whole(one.inputs[0])
        build.attributes[id(node)] = node.attributes
        return one.form.of(small, one)
    for number, arg in enumerate(node.inputs):
        if arg in values:
            node.replace_input_with(number, build.whole(values[arg]))
    if node.op_type == TRANSPOSED and chosen in (SUB_PIXEL, WOVEN):
        return _in_phases(node, chosen, build)
    return None


def _aligned(one: Operation, value: Any, build: Build) -> Operation:
    """Return an operation on what waits: upsampling along its axes, zeros as a margin."""
    if not isinstance(value, Delayed):
        return one
    if isinstance(one.form, Upsample):
        return replace(one, form=along(one.form, value.data_format))
    if isinstance(one.form, Conv) and one.form.padding == "explicit":
        zeros = Pad(pads(one.source), "channels_first")
        padded = margin.apply(replace(one, form=zeros), build)
        if padded is not None:
            return replace(one, form=replace(one.form, padding="valid"), inputs=(padded,))
    return one


def _obstacle(one: Operation, value: Delayed | Joined) -> Why:
    """Return why no rule took an operation on what waits."""
    if isinstance(one.form, Conv):
        copies = all(part.copies for part in getattr(value, "delayed", [value]))
        return Why.CONVOLUTION if copies else Why.INTERPOLATION
    if len(one.inputs) > 1 and not isinstance(one.form, Concat):
        return Why.IMAGE
    return _OBSTACLES.get(type(one.form), Why.UNREAD)


_OBSTACLES = {Concat: Why.CONCATENATION, Pointwise: Why.PIXELS, Norm: Why.PIXELS, Pad: Why.ZEROS}


def _in_phases(node: ir.Node, way: str, build: Build) -> ir.Value | None:
    """Return a transposed convolution's result by a convolution to all its phases, if there is."""
    image, kernel = node.inputs[0], constant(node.inputs[1])
    given = node.inputs[2] if len(node.inputs) > 2 else None
    bias = constant(given)
    if image is None or kernel is None or (given is not None and bias is None):
        return None
    ones = (1,) * (kernel.ndim - 2)
    more = attribute(node, "output_padding", (0,) * len(ones))
    one = Transposed(
        kernel,
        bias,
        tuple(attribute(node, "strides", ones)),
        tuple((a, b - m) for (a, b), m in zip(pads(node), more, strict=True)),
        attribute(node, "group", 1),
    )
    known = not {"output_shape", "auto_pad"} & set(node.attributes)
    if not known or set(attribute(node, "dilations", ones)) != {1} or max(one.strides) == 1:
        return None
    if way == SUB_PIXEL and not splits(one, build.nodes.opset):
        return None
    if min(map(min, one.cuts)) < 0 or image.shape is None:
        return None
    build.together.append((id(node),))
    build.note([id(node)], "computed by a convolution to all its phases")
    return WRITERS[way](build.nodes, image, one, node.name or "phases")


def _replace_output(graph: ir.Graph, number: int, new: ir.Value) -> None:
    """Let a graph return another value by the name, shape and type of the old."""
    old = graph.outputs[number]
    if new.is_graph_input() or new.is_graph_output() or new.is_initializer():
        node = ir.node("Identity", [new])
        graph.append(node)
        new = node.outputs[0]
    name, old.name = old.name, f"{old.name}_before"
    new.name, new.shape, new.type = name, old.shape, old.type
    graph.outputs[number] = new


def _clean(model: ir.Model) -> None:
    """Remove what nothing reads, and give one name to one value."""
    for tidy in (common.RemoveUnusedNodesPass(), common.NameFixPass()):
        tidy(model)
