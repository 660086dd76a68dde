"""Makes nodes of an ONNX graph, by the operators' version, with the shapes that follow."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx_ir as ir

from polyphase.rewrite.delayed import Margin
from polyphase.rewrite.onnx.shapes import sides

Tensor: TypeAlias = ir.Value
_END = np.iinfo(np.int64).max


class Nodes:
    """Puts nodes into a graph.

    Attributes:
        graph: where.
        opset: the version of the operators.
        here: the node before which new ones are put; None: at the end.
    """

    def __init__(self, graph: ir.Graph, opset: int) -> None:
        self.graph = graph
        self.opset = opset
        self.here: ir.Node | None = None

    def put(
        self,
        kind: str,
        inputs: Sequence[Tensor | None],
        attributes: Mapping[str, Any],
        shape: Sequence[Any],
        name: str,
        domain: str = "",
    ) -> Tensor:
        """Put a node of one result, and return that."""
        first = next(one for one in inputs if one is not None)
        result = ir.Value(name=None, shape=ir.Shape(shape), type=first.type)
        node = ir.node(kind, inputs, attributes, domain=domain, outputs=[result], name=name)
        if self.here is None:
            self.graph.append(node)
        else:
            self.graph.insert_before(self.here, node)
        return result

    def constant(self, numbers: np.ndarray, name: str) -> Tensor:
        """Put an initialiser."""
        number, known = 0, self.graph.initializers
        while f"{name}_{number}" in known:
            number += 1
        value = ir.Value(name=f"{name}_{number}", const_value=ir.tensor(numbers))
        value.shape, value.dtype = ir.Shape(numbers.shape), ir.tensor(numbers).dtype
        self.graph.register_initializer(value)
        return value

    def conv(
        self,
        tensor: Tensor,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        pads: Margin,
        dilation: Sequence[int],
        groups: int,
        name: str,
    ) -> Tensor:
        """Put a convolution without strides."""
        attributes = {
            "kernel_shape": kernel.shape[2:],
            "pads": _ends(pads),
            "dilations": dilation,
            "group": groups,
        }
        spans = [(k - 1) * rate for k, rate in zip(kernel.shape[2:], dilation, strict=True)]
        space = [
            _plus(side, sum(pad) - span)
            for side, pad, span in zip(sides(tensor)[2:], pads, spans, strict=True)
        ]
        shape = (sides(tensor)[0], kernel.shape[0], *space)
        return self.put("Conv", self._weighted(tensor, kernel, bias, name), attributes, shape, name)

    def conv_transpose(
        self,
        tensor: Tensor,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        strides: Sequence[int],
        cuts: Margin,
        groups: int,
        name: str,
    ) -> Tensor:
        """Put a transposed convolution."""
        attributes = {
            "kernel_shape": kernel.shape[2:],
            "strides": strides,
            "pads": _ends(cuts),
            "group": groups,
        }
        space = [
            _plus(_times(side, s), k - s - sum(cut))
            for side, s, k, cut in zip(
                sides(tensor)[2:], strides, kernel.shape[2:], cuts, strict=True
            )
        ]
        shape = (sides(tensor)[0], kernel.shape[1] * groups, *space)
        inputs = self._weighted(tensor, kernel, bias, name)
        return self.put("ConvTranspose", inputs, attributes, shape, name)

    def depth_to_space(self, tensor: Tensor, block: int, name: str) -> Tensor:
        """Put what makes squares of pixels of channels.

        They are in the order `(c, row, column)`, before version 11 `(row, column, c)`.
        """
        attributes: dict[str, Any] = {"blocksize": block}
        if self.opset > 10:
            attributes["mode"] = "CRD"
        batch, channels, *space = sides(tensor)
        shape = (batch, channels // block**2, *(_times(side, block) for side in space))
        return self.put("DepthToSpace", [tensor], attributes, shape, name)

    def resize(
        self, tensor: Tensor, factors: Sequence[Any], attributes: Mapping[str, Any], name: str
    ) -> Tensor:
        """Put an upsampling, by a factor per axis."""
        scales = self.constant(np.array([float(one) for one in factors], "float32"), name)
        shape = [_times(side, one) for side, one in zip(sides(tensor), factors, strict=True)]
        if self.opset < 11:
            kind = "Resize" if self.opset == 10 else "Upsample"
            return self.put(kind, [tensor, scales], attributes, shape, name)
        region = self.constant(np.zeros(0, "float32"), name) if self.opset < 13 else None
        return self.put("Resize", [tensor, region, scales], attributes, shape, name)

    def repeat(self, tensor: Tensor, factors: Sequence[int], name: str) -> Tensor:
        """Put an upsampling that repeats pixels."""
        attributes = {"mode": "nearest"}
        if self.opset > 10:
            attributes |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.resize(tensor, factors, attributes, name)

    def pad(self, tensor: Tensor, zeros: Margin, first: int, name: str) -> Tensor:
        """Put zeros around an image, whose spatial axes begin at `first`."""
        if not any(map(any, zeros)):
            return tensor
        every = [(0, 0)] * len(sides(tensor))
        every[first : first + len(zeros)] = zeros
        shape = [_plus(side, sum(pair)) for side, pair in zip(sides(tensor), every, strict=True)]
        if self.opset < 11:
            return self.put("Pad", [tensor], {"pads": _ends(every)}, shape, name)
        amounts = self.constant(np.array(_ends(every)), name)
        return self.put("Pad", [tensor, amounts], {}, shape, name)

    def cut(self, tensor: Tensor, cuts: Margin, first: int, name: str) -> Tensor:
        """Put what cuts an image, whose spatial axes begin at `first`."""
        if not any(map(any, cuts)):
            return tensor
        axes = list(range(first, first + len(cuts)))
        starts = [before for before, _ in cuts]
        ends = [-after if after else _END for _, after in cuts]
        shape = list(sides(tensor))
        for axis, pair in zip(axes, cuts, strict=True):
            shape[axis] = _plus(shape[axis], -sum(pair))
        if self.opset < 10:
            attributes = {"starts": starts, "ends": ends, "axes": axes}
            return self.put("Slice", [tensor], attributes, shape, name)
        bounds = [self.constant(np.array(one), name) for one in (starts, ends, axes)]
        return self.put("Slice", [tensor, *bounds], {}, shape, name)

    def concat(self, parts: Sequence[Tensor], axis: int, name: str) -> Tensor:
        """Put parts side by side; one alone stays as it is."""
        if len(parts) == 1:
            return parts[0]
        shape = list(sides(parts[0]))
        shape[axis] = sum(sides(part)[axis] for part in parts)
        return self.put("Concat", list(parts), {"axis": axis}, shape, name)

    def add(self, one: Tensor, other: Tensor, name: str) -> Tensor:
        """Put a sum of images of one size."""
        return self.put("Add", [one, other], {}, sides(one), name)

    def _weighted(
        self, tensor: Tensor, kernel: np.ndarray, bias: np.ndarray | None, name: str
    ) -> list[Tensor]:
        weights = (kernel,) if bias is None else (kernel, bias.astype(kernel.dtype))
        return [tensor, *(self.constant(np.ascontiguousarray(one), name) for one in weights)]


def _plus(side: int | None, more: int) -> int | None:
    return None if side is None else side + more


def _times(side: int | None, factor: Any) -> int | None:
    return None if side is None else int(side * factor)


def _ends(margin: Margin | Sequence[tuple[int, int]]) -> list[int]:
    """Return amounts as ONNX says them: all before, then all after."""
    return [pair[end] for end in (0, 1) for pair in margin]
