"""Writes what rules decide as nodes of an ONNX graph."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from polyphase.algebra.geometry import padding_amounts
from polyphase.ops import layout
from polyphase.rewrite.delayed import Delayed, Joined, Margin
from polyphase.rewrite.forms import Conv, Operation
from polyphase.rewrite.onnx import kernels
from polyphase.rewrite.onnx.nodes import Nodes, Tensor
from polyphase.rewrite.onnx.shapes import attribute, constant, sides
from polyphase.rewrite.onnx.transposed import Transposed, as_one, by_depth_to_space, splits, woven
from polyphase.rewrite.report import Why

RESIZE, TRANSPOSED, SUB_PIXEL = "Resize", "ConvTranspose", "DepthToSpace"
WOVEN = "Conv and a ConvTranspose of single numbers"

WRITERS = {TRANSPOSED: as_one, SUB_PIXEL: by_depth_to_space, WOVEN: woven}


class Build:
    """A `Writer` of nodes.

    Attributes:
        inference: always: files are run.
        nodes: that are made.
        ways: id of an upsampling's node -> how a convolution absorbs it: RESIZE, that it does not,
            or one of `WRITERS`.
        notes: id of an upsampling's node -> what happened to it -> why that gained nothing;
            None: it did.
        together: ids of upsamplings' nodes that were computed as one.
        attributes: id of an upsampling's node -> what it says of itself.
    """

    inference = True

    def __init__(self, nodes: Nodes, ways: Mapping[int, str]) -> None:
        self.nodes = nodes
        self.ways = ways
        self.notes: dict[int, dict[str, Why | None]] = {}
        self.together: list[tuple[int, ...]] = []
        self.attributes: dict[int, Mapping[str, Any]] = {}

    def note(
        self, sources: Iterable[int], text: str, why: Why | None = None, by: Any = None
    ) -> None:
        """Remember what happened to upsamplings: nothing was gained, and why, or something was."""
        for source in sources:
            self.notes.setdefault(source, {})[text] = why

    def absorbs(self, value: Delayed) -> bool:
        """Return whether a convolution upsamples so: by repeating pixels, where that is chosen."""
        return value.copies and self._way(value) != RESIZE

    def blurs(self, one: Operation, part: Delayed) -> bool:
        """Return False: there is no such operator."""
        return False

    def again(self, one: Operation, *inputs: Tensor) -> Tensor:
        """Put the same node, of other images."""
        old, new = one.source, dict(zip(one.inputs, inputs, strict=True))
        args = [new.get(arg, arg) for arg in one.args]
        return self._like(old, args, inputs)

    def upsampled(self, one: Operation, way: str, value: Delayed, padding: str) -> Tensor:
        """Put a convolution of an upsampled image, in the way that is chosen for it."""
        kernel, bias = _weights(one)
        return self._convolved(one, kernel, bias, value, _pads(one, padding))

    def concatenated(self, one: Operation, parts: Sequence[Any]) -> Tensor:
        """Put a sum of convolutions: of parts that are upsampled alike, and of all others."""
        kernel, bias = _weights(one)
        pointwise = _conv(one).pointwise
        pads = _pads(one, _conv(one).padding)
        ends = np.cumsum([_channels(part) for part in parts])[:-1]
        groups: dict[Any, list[tuple[Any, np.ndarray]]] = {}
        for part, piece in zip(parts, np.split(kernel, ends, axis=1), strict=True):
            goes = _waits(part) and (pointwise or self.absorbs(part))
            alike = (part.way, self._way(part)) if goes else None
            groups.setdefault(alike, []).append((part if alike else self.whole(part), piece))
        results = []
        for members in groups.values():
            here, weights = zip(*members, strict=True)
            results.append(self._part(one, here, np.concatenate(weights, 1), bias, pads))
            bias = None
        total, *others = results
        for other in others:
            total = self.nodes.add(total, other, f"{one.name}_sum")
        return total

    def _part(
        self, one: Operation, parts: Sequence[Any], kernel: np.ndarray, bias: Any, pads: Margin
    ) -> Tensor:
        """Put the convolution of parts that are upsampled alike, or of tensors."""
        first, *others = parts
        small = [part.small if _waits(part) else part for part in parts]
        joined = self.nodes.concat(small, 1, f"{one.name}_parts")
        if _waits(first):
            value = first.holding(joined, one.name, *others)
            return self._convolved(one, kernel, bias, value, pads)
        return self.nodes.conv(joined, kernel, bias, pads, _conv(one).dilation, 1, one.name)

    def _way(self, value: Delayed) -> str:
        """Return how an upsampled image is convolved."""
        return self.ways.get(value.sources[0], RESIZE)

    def _convolved(
        self, one: Operation, kernel: np.ndarray, bias: Any, value: Delayed, pads: Margin
    ) -> Tensor:
        """Put a convolution of an upsampled image; one of single pixels goes before."""
        conv, put = _conv(one), self.nodes
        self.together.append(value.sources)
        if conv.pointwise and value.plain and not any(map(any, pads)):
            small = put.conv(value.small, kernel, bias, pads, conv.dilation, conv.groups, one.name)
            return self.whole(value.holding(small, one.name))
        new = kernels.transposed(kernel, value.size, conv.dilation, conv.groups)
        cuts = kernels.cut(kernel.shape[2:], pads, conv.dilation)
        same = Transposed(new.astype(kernel.dtype), bias, value.size, cuts, conv.groups)
        write = WRITERS[self._way(value)]
        if write is by_depth_to_space and not splits(same, put.opset):
            write = as_one
        return write(put, value.small, same, one.name)

    def pieces(
        self, one: Operation, parts: Sequence[Tensor], channels: Sequence[int]
    ) -> list[Tensor]:
        """Put a normalisation of each part of the channels."""
        ends = np.cumsum(channels)[:-1]
        weights = [np.split(_known(value), ends) for value in one.source.inputs[1:]]
        return [
            self._like(
                one.source,
                [part, *(self.nodes.constant(number, one.name) for number in numbers)],
                [part],
            )
            for part, *numbers in zip(parts, *weights, strict=True)
        ]

    def whole(self, value: Any) -> Any:
        """Return a value as a tensor: put what has been delayed, once."""
        if isinstance(value, Joined) and not value.whole:
            parts = [self.whole(part) for part in value.parts]
            axis = layout.channel(value.data_format) % len(parts[0].shape)
            value.whole.append(self.nodes.concat(parts, axis, value.name))
        if isinstance(value, Delayed) and not value.whole:
            value.whole.append(self.framed(self._upsampled(value), value.margin, value))
        return value.whole[0] if isinstance(value, (Delayed, Joined)) else value

    def _upsampled(self, value: Delayed) -> Tensor:
        self.together.append(value.sources)
        factors = [1] * (len(value.size) + 2)
        for axis, factor in zip(value.space, value.size, strict=True):
            factors[axis] = factor
        if value.copies:
            return self.nodes.repeat(value.small, factors, value.name)
        return self.nodes.resize(
            value.small, factors, self.attributes[value.sources[0]], value.name
        )

    def framed(self, tensor: Tensor, margin: Margin, value: Delayed) -> Tensor:
        """Put zeros around an image, or cut it, as a margin says."""
        zeros = tuple((max(0, before), max(0, after)) for before, after in margin)
        cuts = tuple((max(0, -before), max(0, -after)) for before, after in margin)
        first = value.space[0]
        padded = self.nodes.pad(tensor, zeros, first, f"{value.name}_pad")
        return self.nodes.cut(padded, cuts, first, f"{value.name}_cut")

    def _like(
        self, old: ir.Node, inputs: Sequence[Tensor | None], images: Sequence[Tensor]
    ) -> Tensor:
        """Put a node like an old one: of another size, but for the channels."""
        before, after, new = (sides(one) for one in (old.inputs[0], old.outputs[0], images[0]))
        if old.op_type == "Transpose":
            shape = [new[axis] for axis in attribute(old, "perm", ())]
        else:
            shape = [
                here if was is None or was == then else then
                for here, was, then in zip(new, before, after, strict=True)
            ]
        return self.nodes.put(
            old.op_type, inputs, old.attributes, shape, old.name or "", old.domain
        )


def _conv(one: Operation) -> Conv:
    assert isinstance(one.form, Conv)
    return one.form


def _pads(one: Operation, padding: str) -> Margin:
    conv = _conv(one)
    return tuple(
        padding_amounts(k, padding, rate)
        for k, rate in zip(conv.kernel_size, conv.dilation, strict=True)
    )


def _weights(one: Operation) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the kernel and the bias of a convolution's node."""
    inputs = one.source.inputs
    return _known(inputs[1]), _known(inputs[2]) if len(inputs) > 2 and inputs[2] else None


def _known(value: Tensor) -> np.ndarray:
    numbers = constant(value)
    assert numbers is not None
    return numbers


def _waits(part: Any) -> bool:
    return isinstance(part, Delayed)


def _channels(part: Any) -> int:
    return (part.small if _waits(part) else part).shape[1]
