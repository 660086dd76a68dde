"""What a model costs: multiply-adds and activations of one example."""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.algebra import kernels
from polyphase.algebra.blur import blur, border, continuation, outer_taps
from polyphase.algebra.geometry import conv_axis, padding_amounts, upsampled_length
from polyphase.algebra.phases import upsample_conv_phases
from polyphase.algebra.resampling import reach
from polyphase.layers import kinds
from polyphase.layers.kinds import Kind
from polyphase.ops import choose, layout
from polyphase.ops.lowerings.blur import continues
from polyphase.rewrite.code import runs_code
from polyphase.rewrite.delayed import copies
from polyphase.rewrite.graph import calls, graph_of, graphs, is_graph

Shape = Sequence[int | None]
Count = Callable[[Any, list[Shape], list[Shape]], int]


@dataclass(frozen=True)
class Cost:
    """What one example costs.

    Attributes:
        multiply_adds: products, as the lowerings in use compute them; those with zeros around an
            image are not counted.
        activation_bytes: bytes of all layers' results, which training keeps.
    """

    multiply_adds: int
    activation_bytes: int

    @classmethod
    def of(cls, model: keras.Model) -> "Cost | None":
        """Return the cost of a graph of layers; None if it is none or sizes are not known.

        Nor is it known where a class calls layers as it likes.
        """
        if not is_graph(model) or any(map(_holds_classes, graphs(model))):
            return None
        try:
            return cls(_model(model, _computed), _activation_bytes(model))
        except ValueError:
            return None


def _holds_classes(graph: keras.Model) -> bool:
    """Return whether layers of a graph are classes that call others."""
    layers = (one for one in graph.operations if isinstance(one, keras.Layer) and runs_code(one))
    return any(len(one._flatten_layers()) > 1 for one in layers if not is_graph(one))


def multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of one input through the model.

    Counts convolutions, transposed convolutions (one product per input pixel and tap), dense
    layers and interpolation (taps per axis and pass; nearest is free, and so is an axis that keeps
    its length, but for "mitchell"), each as written: what an equivalent lowering saves is not
    counted. Bias, activation and pooling are not counted.

    Args:
        model: a built model whose layers' spatial sizes are known.

    Raises:
        ValueError: if a layer's sizes are not known.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 2)), keras.layers.Conv2D(4, 3)])
        >>> multiply_adds(model) == 6 * 6 * 4 * 3 * 3 * 2
        True
    """
    return _model(model, written)


def _model(model: keras.Model, count: Count) -> int:
    return sum(
        _model(layer, count)
        if is_graph(layer)
        else count(layer, [x.shape for x in inputs], [y.shape for y in outputs])
        for layer, inputs, outputs in calls(graph_of(model))
    )


def _activation_bytes(model: keras.Model) -> int:
    total = 0
    for layer, _, outputs in calls(graph_of(model)):
        if is_graph(layer):
            total += _activation_bytes(layer)
            continue
        for tensor in outputs:
            size = 2 if "16" in tensor.dtype else np.dtype(tensor.dtype).itemsize
            total += size * math.prod(_known(tensor.shape[1:], layer))
    return total


def written(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Return the products of a layer as it is written."""
    if kinds.inner(layer) is not layer:
        return _of_steps(written, layer, inputs, outputs)
    count = WRITTEN[kinds.nearest(layer)]
    return count(layer, inputs, outputs) if count else 0


def _of_steps(count: Count, layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Return the products of what a TimeDistributed does to each step, of all of them."""

    def of_one(shapes: list[Shape]) -> list[Shape]:
        return [(shape[0], *shape[2:]) for shape in shapes]

    within = kinds.inner(layer)
    if is_graph(within):
        products = _model(within, count)
    else:
        products = count(within, of_one(inputs), of_one(outputs))
    return products and products * _known(outputs[0][1:2], layer)[0]


def _at_outputs(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    return _products(layer, outputs[0]) + sum(
        _interpolation(layer, shape, size, _channels(layer, shape))
        for shape, size in _upsampled(layer, inputs)
    )


def _resizing(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    small, large = inputs[0], outputs[0]
    sides = (_known(_sides(layer, shape), layer) for shape in (small, large))
    interpolation = getattr(layer, "interpolation", "nearest")
    return _passes(interpolation, _channels(layer, small), *sides)


def _reassembled(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Of the convolutions that predict kernels, and of these."""
    small, large = _pixels(layer, inputs[0]), _pixels(layer, outputs[0])
    weights = sum(math.prod(one.kernel.shape) for one in (layer.compressor, layer.encoder))
    return small * weights + large * _channels(layer, outputs[0]) * layer.kernel_size**2


def _sampled(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Of the convolutions that predict places, and of four corners."""
    small, large = _pixels(layer, inputs[0]), _pixels(layer, outputs[0])
    predicting = [layer.offset, *([layer.scope] if layer.dynamic_scope else [])]
    weights = sum(math.prod(one.kernel.shape) for one in predicting)
    read = large if layer.style == "pl" else small
    return read * weights + large * _channels(layer, outputs[0]) * 4


def _guided(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Of the guide's projection, of its likeness to every neighbour, and of their weights."""
    large, taps = _pixels(layer, outputs[0]), (2 * layer.radius + 1) ** 2
    alike = taps * (layer.projection + _channels(layer, outputs[0]))
    return large * (math.prod(layer.kernel.shape) + alike)


WRITTEN: dict[Kind, Count | None] = {
    **dict.fromkeys((*kinds.CONVOLUTIONS, kinds.DENSE), _at_outputs),
    **dict.fromkeys((*kinds.UPSAMPLED, kinds.CONCATENATED), _at_outputs),
    kinds.TRANSPOSED: lambda layer, small, _: _products(layer, small[0]),
    kinds.SUB_PIXEL: lambda layer, _, large: _products(layer, large[0]) // math.prod(layer.size),
    **dict.fromkeys((kinds.UPSAMPLING, kinds.RESIZING), _resizing),
    kinds.REASSEMBLY: _reassembled,
    kinds.SAMPLING: _sampled,
    kinds.GUIDED: _guided,
    **dict.fromkeys((kinds.OPAQUE, kinds.UPSAMPLING_LIKE, kinds.DEPTH_TO_SPACE), None),
    **dict.fromkeys((*kinds.POOLING, kinds.CROPPING, kinds.ZERO_PADDING), None),
}


def _computed(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Return the products of a layer as the lowering in use computes it."""
    if kinds.inner(layer) is not layer:
        return _of_steps(_computed, layer, inputs, outputs)
    kind = kinds.nearest(layer)
    if kind.convolution is None:
        return written(layer, inputs, outputs)
    pointwise = sum(math.prod(kernel.shape) for kernel in kinds.kernels(layer)[1:])
    return pointwise * _pixels(layer, outputs[0]) + sum(
        _as_one(layer, shape, size, outputs[0], kind.convolution is not kinds.CONVOLUTION)
        for shape, size in _upsampled(layer, inputs)
    )


def _as_one(layer: Any, shape: Shape, size: Any, output: Shape, depthwise: bool) -> int:
    """Return the products of upsampling an image and convolving it, as one operation.

    Of a nearest upsampling by integers the lowerings but `direct` count per input pixel. `direct`
    upsamples, then convolves: but for a 1x1 convolution of nearest, or to no more channels, which
    comes first.
    """
    filters = layer.depth_multiplier if depthwise else layer.filters
    channels, pixels = _channels(layer, shape), _pixels(layer, shape)
    mixed = channels * filters // (1 if depthwise else layer.groups)
    skips = kinds.nearest(layer) is kinds.CONCATENATED and set(size) == {1}
    named = "auto" if skips else getattr(layer, "lowering", "auto")
    lowering = named
    if named == "auto":
        lowering = chosen(layer, shape, size, layer.interpolation, depthwise)
    if lowering == "blur":
        lowering = chosen(layer, shape, size, "nearest", depthwise)
        if layer.interpolation != "nearest":
            blurred = filters * (channels if depthwise else 1)
            return _blurred(layer, shape, size, output, mixed, blurred, lowering)
    if copies(layer.interpolation, size) and lowering not in ("direct", "reference"):
        return mixed * pixels * math.prod(_taps(layer, size, lowering))
    fewer = filters <= channels or layer.interpolation == "nearest"
    if lowering == "direct" and set(layer.kernel_size) == {1} and fewer and not depthwise:
        return mixed * pixels + _interpolation(layer, shape, size, filters)
    convolution = mixed * math.prod(layer.kernel_size) * _pixels(layer, output)
    return convolution + _interpolation(layer, shape, size, channels)


def _blurred(
    layer: Any,
    shape: Shape,
    size: Any,
    output: Shape,
    mixed: int,
    filters: int,
    lowering: str,
) -> int:
    """Return the products of `blur`: of nearest, of a pass per axis, and what the border is due.

    Small images are upsampled and convolved directly; nearest is computed by `lowering`.
    """
    interpolation, convolved = layer.interpolation, mixed * math.prod(layer.kernel_size)
    channels, sides = _channels(layer, shape), _known(_sides(layer, shape), layer)
    large = [n * s for n, s in zip(sides, size, strict=True)]
    outputs, linear = _known(_sides(layer, output), layer), continues(interpolation, sides)
    axes = [
        conv_axis(k, layer.padding, rate)
        for k, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)
    ]
    blurs = [blur(factor, interpolation) for factor in size]
    borders = [sum(border(axis, q)) for axis, q in zip(axes, blurs, strict=True)]
    paddings = [sum(axis.padding) for axis in axes]
    if any(map(int.__lt__, large, paddings) if linear else map(int.__le__, outputs, borders)):
        return convolved * math.prod(outputs) + _interpolation(layer, shape, size, channels)
    margins = [
        2 * continuation(*one) if linear else 0 for one in zip(axes, size, blurs, strict=True)
    ]
    wide = [n + pixels for n, pixels in zip(sides, margins, strict=True)]
    products = mixed * math.prod(wide) * math.prod(_taps(layer, size, lowering))
    products += math.prod(outputs) * filters * sum(len(q) for q in blurs if len(q) > 1)
    for i, (axis, q, factor) in enumerate(zip(axes, blurs, size, strict=True)):
        if len(q) == 1 or (linear and not paddings[i]):
            continue
        rows = len(q) // 2 + axis.span
        pixels = 2 if linear else min(sides[i], 2 * reach(rows, factor, interpolation))
        ends, enlarged, others = list(sides), list(large), list(outputs)
        ends[i], others[i] = pixels, 1
        enlarged[i] = pixels if linear else pixels * factor
        if linear:
            reading = sum(map(operator.mul, axis.padding, outer_taps(axis)))
        else:
            reading = (2 * rows + axis.extra) * axis.taps
        products += convolved // axis.taps * reading * math.prod(others)
        products += _passes(interpolation, channels, ends, enlarged)
    return products


def chosen(
    layer: Any, shape: Shape, size: Sequence[Any], interpolation: str, depthwise: bool = False
) -> str:
    """Return the lowering that `auto` takes for a convolution of an upsampled image.

    Of a batch that is large enough for every row.

    Args:
        layer: a convolution of Keras' or ours.
        shape: of the small image; its sides are known.
        size: of the upsampling.
        interpolation: its name.
        depthwise: whether the convolution is.
    """
    enlarges = all(isinstance(s, int) for s in size) and max(size) > 1
    row = choose(
        "upsample_depthwise_conv" if depthwise else "upsample_conv",
        interpolation=interpolation,
        plain=enlarges and max(layer.dilation_rate) == getattr(layer, "groups", 1) == 1,
        channels=_channels(layer, shape),
        filters=layer.depth_multiplier if depthwise else layer.filters,
        taps=max(layer.kernel_size),
        side=min(_known(_sides(layer, shape), layer)),
        dtype=layer.compute_dtype,
        rank=len(size),
    )
    return row.lowering


def _taps(layer: Any, size: Any, lowering: str) -> list[int]:
    """Return the products per axis and input pixel of a folded kernel.

    All taps of all phases, `s + k - 1` without dilation: in `phases`, along all axes, as in one
    transposed convolution. `patches` aligns the phases of the last: each has as many as all reach.
    `k` differences. `direct`: `k` for each output.
    """
    if lowering == "direct":
        return [k * s for k, s in zip(layer.kernel_size, size, strict=True)]
    if lowering == "difference":
        return list(layer.kernel_size)
    counts = []
    for axis, (k, s, rate) in enumerate(
        zip(layer.kernel_size, size, layer.dilation_rate, strict=True)
    ):
        phases = upsample_conv_phases(k, s, padding_amounts(k, layer.padding, rate)[0], rate)
        ends = [phase.first + phase.taps for phase in phases]
        reach = max(ends) - min(phase.first for phase in phases)
        aligned = lowering == "patches" and axis == len(size) - 1
        counts.append(s * reach if aligned else sum(phase.taps for phase in phases))
    return counts


def _upsampled(layer: Any, inputs: list[Shape]) -> list[tuple[Shape, Any]]:
    """Return the images that a layer upsamples before it convolves them, and by which size."""
    kind = kinds.nearest(layer)
    if kind is kinds.CONCATENATED:
        return list(zip(inputs, layer.size, strict=True))
    return [(inputs[0], layer.size)] if kind in kinds.UPSAMPLED else []


def _interpolation(layer: Any, shape: Shape, size: Any, channels: int) -> int:
    """Return the products of upsampling an image; an input of a concatenation by 1 is free."""
    if kinds.nearest(layer) is kinds.CONCATENATED and set(size) == {1}:
        return 0
    small = _known(_sides(layer, shape), layer)
    large = [upsampled_length(side, s) for side, s in zip(small, size, strict=True)]
    return _passes(layer.interpolation, channels, small, large)


def _passes(interpolation: str, channels: int, small: Sequence[int], large: Sequence[int]) -> int:
    """Return the products of a pass per axis, in their order: images vertically first."""
    if interpolation == "nearest":
        return 0
    kernel, sides, outputs = kernels.get(interpolation), list(small), 0
    for axis, (before, after) in enumerate(zip(small, large, strict=True)):
        sides[axis] = after
        if before != after or not kernel.interpolates:
            outputs += math.prod(sides)
    return kernel.diameter * channels * outputs


def _products(layer: Any, shape: Shape) -> int:
    """Return the kernels' entries times the pixels at which they are applied."""
    return sum(math.prod(kernel.shape) for kernel in kinds.kernels(layer)) * _pixels(layer, shape)


def _pixels(layer: Any, shape: Shape) -> int:
    return math.prod(_known(_sides(layer, shape), layer))


def _sides(layer: Any, shape: Shape) -> Shape:
    """Return the spatial sides of a shape."""
    return shape[2:] if getattr(layer, "data_format", None) == "channels_first" else shape[1:-1]


def _channels(layer: Any, shape: Shape) -> int:
    data_format = getattr(layer, "data_format", "channels_last")  # Keras' UpSampling1D
    channels, *_ = _known([shape[layout.channel(data_format)]], layer)
    return channels


def _known(sides: Shape, layer: Any) -> tuple[int, ...]:
    if None in sides:
        raise ValueError(
            f"The cost of layer {layer.name!r} depends on an image size that is not known. "
            "Build the model for a known size."
        )
    return tuple(side for side in sides if side is not None)
