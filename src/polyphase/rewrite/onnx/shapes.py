"""What is known of an ONNX graph's numbers before it runs: constants, and sides of images.

Exporters compute sizes in the graph (`Shape`, `Gather`, `Mul`, `Concat`): followed here symbol by
symbol, so that "twice the rows of x" is known as that, whatever the rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import onnx_ir as ir

_SMALL = 64  # numbers of a tensor that can be a shape


@dataclass(frozen=True)
class Side:
    """A multiple of one side of a tensor.

    Attributes:
        tensor: whose side.
        axis: counted from the front.
        times: the factor.
    """

    tensor: ir.Value
    axis: int
    times: Fraction = Fraction(1)


Entry = Fraction | Side


def constant(value: ir.Value | None) -> np.ndarray | None:
    """Return a value's numbers if they are known and no caller can give others."""
    if value is None or value.is_graph_input():
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()


def sides(tensor: ir.Value | None) -> tuple[Any, ...]:
    """Return a tensor's sides; None for one that is no known number."""
    shape = tensor.shape if tensor is not None else None
    return tuple(one if isinstance(one, int) else None for one in shape or ())


def side(tensor: ir.Value, axis: int) -> Entry:
    """Return a tensor's side."""
    known = tensor.shape[axis] if tensor.shape is not None else None
    return Fraction(known) if isinstance(known, int) else Side(tensor, axis)


def entries(value: ir.Value | None) -> list[Entry] | None:
    """Return a small tensor's numbers, sides of other tensors among them; None if not known."""
    numbers = constant(value)
    if numbers is not None:
        finite = numbers.size <= _SMALL and numbers.dtype.kind in "iufb" and np.isfinite(numbers)
        return [Fraction(one) for one in numbers.reshape(-1).tolist()] if np.all(finite) else None
    node = value.producer() if value is not None else None
    if node is None or node.domain not in ("", "ai.onnx"):
        return None
    follow = _FOLLOWED.get(node.op_type)
    return follow(node) if follow else None


def ratio(large: Entry, small: Entry) -> Fraction | None:
    """Return how many times one side is another; None if that is not known.

    Example:
        >>> ratio(Fraction(8), Fraction(2))
        Fraction(4, 1)
    """
    if isinstance(large, Side) and isinstance(small, Side):
        alike = large.tensor is small.tensor and large.axis == small.axis
        return large.times / small.times if alike and small.times else None
    if isinstance(large, Side) or isinstance(small, Side) or not small:
        return None
    return large / small


def _shape(node: ir.Node) -> list[Entry] | None:
    tensor = node.inputs[0]
    if tensor is None or tensor.shape is None:
        return None
    every = [side(tensor, axis) for axis in range(len(tensor.shape))]
    return every[attribute(node, "start", 0) : attribute(node, "end", None)]


def _same(node: ir.Node) -> list[Entry] | None:
    return entries(node.inputs[0])


def _reshape(node: ir.Node) -> list[Entry] | None:
    shape = constant(node.inputs[1])
    return entries(node.inputs[0]) if shape is not None and shape.size <= 1 else None


def _cast(node: ir.Node) -> list[Entry] | None:
    """Of integers to other numbers, and back; what is cut off is not known of a side."""
    every = entries(node.inputs[0])
    return every if every is not None and all(map(_whole, every)) else None


def _whole(entry: Entry) -> bool:
    return (entry.times if isinstance(entry, Side) else entry).denominator == 1


def _gather(node: ir.Node) -> list[Entry] | None:
    every, places = entries(node.inputs[0]), constant(node.inputs[1])
    if every is None or places is None or places.size > _SMALL:
        return None
    reached = [int(one) for one in places.reshape(-1)]
    return [every[one] for one in reached] if _inside(reached, every) else None


def _inside(places: list[int], every: list[Entry]) -> bool:
    return all(-len(every) <= one < len(every) for one in places)


def _slice(node: ir.Node) -> list[Entry] | None:
    every, (start, end, step) = entries(node.inputs[0]), (_bound(node, n) for n in (1, 2, 4))
    if every is None or start is None or end is None or (step is None and len(node.inputs) > 4):
        return None
    return every[start:end:step]


def _bound(node: ir.Node, place: int) -> int | None:
    number = constant(node.inputs[place]) if place < len(node.inputs) else None
    return int(number.item()) if number is not None and number.size == 1 else None


def _concat(node: ir.Node) -> list[Entry] | None:
    parts = [entries(one) for one in node.inputs]
    if any(part is None for part in parts):
        return None
    return [entry for part in parts for entry in part or ()]


def _products(node: ir.Node) -> list[Entry] | None:
    first, second = entries(node.inputs[0]), entries(node.inputs[1])
    if not first or not second or not (len(first) == len(second) or 1 in map(len, (first, second))):
        return None
    length = max(len(first), len(second))
    pairs = zip(first * (length // len(first)), second * (length // len(second)), strict=True)
    every = [_product(one, other) for one, other in pairs]
    return None if None in every else [entry for entry in every if entry is not None]


def _product(one: Entry, other: Entry) -> Entry | None:
    if isinstance(one, Side) and isinstance(other, Side):
        return None
    if isinstance(other, Side):
        one, other = other, one
    assert isinstance(other, Fraction)
    return replace(one, times=one.times * other) if isinstance(one, Side) else one * other


def attribute(node: ir.Node, name: str, otherwise: Any) -> Any:
    """Return what a node says of itself; else what it means by saying nothing."""
    return node.attributes[name].value if name in node.attributes else otherwise


_FOLLOWED: Mapping[str, Callable[[ir.Node], list[Entry] | None]] = {
    "Shape": _shape,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Mul": _products,
    "Cast": _cast,
    "Floor": _cast,
    "Ceil": _cast,
    "Reshape": _reshape,
    **dict.fromkeys(("Identity", "Unsqueeze", "Squeeze"), _same),
}
