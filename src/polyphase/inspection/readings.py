"""What the weights of one layer say about checkerboards: one function per kind of layer."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from polyphase.algebra import checkerboard
from polyphase.algebra.channel_order import dcr_channels
from polyphase.algebra.geometry import conv_transpose_crop, strided_padding
from polyphase.layers import kinds
from polyphase.layers.kinds import Kind
from polyphase.ops import layout

Weights = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Reading:
    """One layer that upsamples, or whose gradient does.

    Attributes:
        what: what it is, in words.
        factor: a number per axis.
        gains: the DC gain of every phase, `(*factor, c_in, c_out)`, in the order of the output (of
            a gradient: of the input); None: even for all weights.
        overlap: how many taps each phase has, of shape `factor`, likewise; None: not a matter of
            taps.
        biases: one per phase and channel, `(*factor, c_out)`; None: one per channel only.
        gradient: whether only its gradient upsamples.
        order: of a sub-pixel convolution's channels, "dcr" or "crd".
        even: the weights with the least change that makes all phases even; None: there is none.
    """

    what: str
    factor: tuple[Any, ...]
    gains: np.ndarray | None = None
    overlap: np.ndarray | None = None
    biases: np.ndarray | None = None
    gradient: bool = False
    order: str = "dcr"
    even: Callable[[], Weights] | None = None


def read(layer: Any) -> Reading | None:
    """Return what a built layer's weights say; None for a layer that has no part in upsampling."""
    kind = kinds.nearest(layer)
    reader = READERS[kind]
    if reader is None or np.max(kinds.factor(layer)) <= 1:
        return None
    return reader(layer, kind)


def is_read(layer: Any) -> bool:
    """Return whether layers of this kind are read, whether or not this one upsamples."""
    return READERS[kinds.nearest(layer)] is not None


def sub_pixel(layer: Any, factor: tuple[int, ...], order: str) -> Reading:
    """Return the reading of a convolution whose channels, in an order, become space."""
    kernel = numpy(layer.kernel)
    channels = dcr_channels(kernel.shape[-1], math.prod(factor), order)
    biases = numpy(layer.bias)[channels].reshape(*factor, -1) if layer.use_bias else None

    def even() -> Weights:
        weights = _changed(layer, kernel, checkerboard.repair_sub_pixel(kernel, factor, order))
        if biases is not None:
            mean = np.tile(biases.mean(axis=tuple(range(len(factor)))), math.prod(factor))
            weights[1] = mean[np.argsort(channels)]
        return weights

    return Reading(
        f"sub-pixel convolution {_taps(kernel.shape[:-2])}, x{_plain(factor)}",
        factor,
        checkerboard.sub_pixel_gains(kernel, factor, order),
        biases=biases,
        order=order,
        even=even,
    )


def numpy(tensor: Any) -> np.ndarray:
    """Return a variable as float64."""
    return np.asarray(
        keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")), dtype=np.float64
    )


def _upsampled(layer: Any, kind: Kind) -> Reading:
    sizes = layer.size if kind is kinds.CONCATENATED else [kinds.factor(layer)]
    sizes = [size for size in sizes if max(size) > 1]
    listed = ", ".join(f"x{_plain(size)}" for size in sizes)
    corners = ", corners aligned" if getattr(layer, "align_corners", False) else ""
    what = f"{getattr(layer, 'interpolation', 'nearest')} upsampling, {listed}{corners}"
    if kind.convolution:
        what += f", and {kind.convolution.operator} {_taps(layer.kernel_size)}"
    return Reading(what, tuple(sizes[0]))


def _predicted(layer: Any, kind: Kind) -> Reading:
    """Weights that a pixel's neighbours are summed by are predicted, and their sum is 1."""
    factor = kinds.factor(layer)
    return Reading(f"{kind.operator}, x{_plain(factor)}, of weights that sum to 1", factor)


def _transposed(layer: Any, kind: Kind) -> Reading:
    kernel, strides = numpy(layer.kernel), tuple(layer.strides)
    crop = transposed_crop(layer)
    overlap = checkerboard.overlap_counts(kernel.shape[:-2], strides, crop)

    def even() -> Weights:
        return _changed(layer, kernel, checkerboard.repair(kernel, strides))

    return Reading(
        f"{kind.operator} {_taps(kernel.shape[:-2])}, stride {_plain(strides)}",
        strides,
        checkerboard.conv_transpose_gains(kernel, strides, crop),
        overlap,
        even=even if overlap.min() else None,
    )


def transposed_crop(layer: Any) -> tuple[int, ...]:
    """Return the samples that are cropped before the output, per axis."""
    padding = layer.output_padding
    more = padding if isinstance(padding, (tuple, list)) else (padding,) * layer.rank
    return tuple(
        conv_transpose_crop(k, stride, layer.padding, one)
        for k, stride, one in zip(layer.kernel_size, layer.strides, more, strict=True)
    )


def _strided(layer: Any, kind: Kind) -> Reading:
    # A convolution's gradient is the transposed convolution with its kernel.
    kernel = numpy(kinds.kernels(layer)[0])
    strides, before = tuple(layer.strides), _zeros_before(layer)
    ones = np.ones((*kernel.shape[:-2], 1, 1))
    spread, taps = (_dilated(one, layer) for one in (kernel, ones))
    return Reading(
        f"{kind.operator} {_taps(kernel.shape[:-2])}, stride {_plain(strides)}",
        strides,
        checkerboard.conv_transpose_gains(spread, strides, before),
        checkerboard.conv_transpose_gains(taps, strides, before)[..., 0, 0].astype(int),
        gradient=True,
    )


def _dilated(kernel: np.ndarray, layer: Any) -> np.ndarray:
    """Return a kernel with the zeros between its taps that the layer's dilation puts there."""
    spans = _spans(layer)
    spread = np.zeros((*spans, *kernel.shape[-2:]))
    spread[tuple(slice(None, None, rate) for rate in layer.dilation_rate)] = kernel
    return spread


def _spans(layer: Any) -> list[int]:
    """Return how many pixels a convolution's kernel spans, per axis."""
    return [
        (k - 1) * rate + 1 for k, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)
    ]


def _zeros_before(layer: Any) -> tuple[int, ...]:
    """Return the zeros that are put before the image: what its gradient is cropped by.

    Those of "same" depend on the image; sides that are not known are taken to be divisible by the
    stride.
    """
    if layer.padding == "causal":
        return tuple(span - 1 for span in _spans(layer))
    if layer.padding == "valid":
        return (0,) * layer.rank
    shape = layer.get_build_config()["input_shape"]
    sides = shape[layout.space(layer.data_format)]
    return tuple(map(strided_padding, sides, layer.kernel_size, layer.strides, layer.dilation_rate))


READERS: dict[Kind, Callable[[Any, Kind], Reading] | None] = {
    **dict.fromkeys(kinds.CONVOLUTIONS, _strided),
    kinds.TRANSPOSED: _transposed,
    kinds.SUB_PIXEL: lambda layer, kind: sub_pixel(layer, layer.size, layer.order),
    **dict.fromkeys((kinds.UPSAMPLING, *kinds.UPSAMPLED, kinds.CONCATENATED), _upsampled),
    **dict.fromkeys(kinds.LEARNED, _predicted),
    **dict.fromkeys((kinds.OPAQUE, kinds.DENSE, kinds.UPSAMPLING_LIKE, kinds.RESIZING), None),
    kinds.DEPTH_TO_SPACE: None,  # `found` reads it with the convolution before it
    **dict.fromkeys((*kinds.POOLING, kinds.CROPPING, kinds.ZERO_PADDING), None),
}


def _changed(layer: Any, kernel: np.ndarray, repaired: np.ndarray) -> Weights:
    """Return a layer's weights with its kernel changed as the effective one (LoRA) should be."""
    first, *others = layer.get_weights()
    return [first + (repaired - kernel).astype(first.dtype), *others]


def _taps(kernel_size: Sequence[int]) -> str:
    """Write a kernel's size."""
    return f"of {kernel_size[0]} taps" if len(kernel_size) == 1 else "x".join(map(str, kernel_size))


def _plain(factor: Sequence[Any]) -> str:
    """Write a factor, once if it is the same along all axes."""
    return str(factor[0]) if len(set(factor)) == 1 else "x".join(map(str, factor))
