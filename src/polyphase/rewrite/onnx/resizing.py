"""What upsamples in an ONNX graph: `Resize`, `Upsample`, and repeating by `Expand`."""

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import onnx_ir as ir

from polyphase.rewrite.forms import Form, Opaque, Upsample
from polyphase.rewrite.onnx.shapes import attribute, constant, entries, ratio, side
from polyphase.rewrite.report import Why

Factors = tuple[int | Fraction, ...]
_LENGTHS = range(1, 9)  # of images, on which a rounding of coordinates is tried
_NOT_IMAGES = "tf_crop_and_resize"


def of_resize(node: ir.Node, opset: int) -> Form:
    """Return what a `Resize` or an `Upsample` does to an image."""
    factors = _factors(node, opset)
    mode = attribute(node, "mode", "nearest")
    way = _coordinates(node, opset)
    if factors is None or way == _NOT_IMAGES:
        return Opaque()
    if attribute(node, "keep_aspect_ratio_policy", "stretch") != "stretch":
        return Opaque()
    if mode != "nearest":
        every = (f"{name}={value.value}" for name, value in sorted(node.attributes.items()))
        return _upsample(factors, " ".join((mode, way, *every)))
    rounding = attribute(node, "nearest_mode", "round_prefer_floor" if opset > 10 else "floor")
    whole = all(isinstance(one, int) and repeats(one, way, rounding) for one in factors)
    return _upsample(factors, "nearest") if whole else Opaque()


def why_not(node: ir.Node, opset: int) -> tuple[str, Why]:
    """Return why `of_resize` does not read a node, or a graph's reader does not ask it."""
    if _factors(node, opset) is None:
        return "its sizes are no known multiples of the image's", Why.SIZES
    way = _coordinates(node, opset)
    if attribute(node, "mode", "nearest") == "nearest" and way != _NOT_IMAGES:
        rounding = attribute(node, "nearest_mode", "round_prefer_floor")
        text = f"nearest with {way!r} and {rounding!r} does not repeat every pixel alike"
        return text, Why.NUMBERS
    return "not an upsampling of an image alone", Why.UNREAD


def of_repeat(node: ir.Node) -> tuple[ir.Value, Form] | None:
    """Return what a `Reshape` repeats, and how, if it ends such: each pixel several times.

    Exporters write `repeat` along an axis as a new axis of length 1 behind it (`Unsqueeze`), which
    becomes longer (`Expand`) and one with it (`Reshape`).
    """
    expand = node.inputs[0].producer() if node.inputs[0] is not None else None
    unsqueeze = expand.inputs[0].producer() if expand is not None and expand.inputs[0] else None
    if expand is None or unsqueeze is None or len(unsqueeze.inputs) < 2:
        return None
    if (expand.op_type, unsqueeze.op_type) != ("Expand", "Unsqueeze"):
        return None
    small, places = unsqueeze.inputs[0], constant(unsqueeze.inputs[1])
    lengths, sides = entries(expand.inputs[1]), entries(node.inputs[1])
    if small is None or small.shape is None or places is None or lengths is None or sides is None:
        return None
    rank = len(small.shape)
    if places.size != 1 or len(lengths) != rank + 1 or len(sides) != rank:
        return None
    axis = int(places.item()) % (rank + 1) - 1
    times = lengths.pop(axis + 1)
    if not isinstance(times, Fraction) or times < 1 or sides.count(Fraction(-1)) > 1:
        return None
    for n, (length, large) in enumerate(zip(lengths, sides, strict=True)):
        known = side(small, n)
        stays = length == 1 or ratio(length, known) == 1
        said = large == -1 or (large == 0 and n < axis)  # what the others leave; as it was
        if not stays or not (said or ratio(large, known) == (times if n == axis else 1)):
            return None
    return small, _upsample(tuple(int(times) if n == axis else 1 for n in range(rank)), "nearest")


def _upsample(factors: Factors, interpolation: str) -> Form:
    """Return the form, of channels where nothing is upsampled: first, if they may be."""
    if len(factors) < 3 or factors[0] != 1:
        return Opaque()
    if factors[1] == 1:
        return Upsample(factors[2:], interpolation, "channels_first")
    if factors[-1] == 1:
        return Upsample(factors[1:-1], interpolation, "channels_last")
    return Opaque()


def along(form: Upsample, data_format: str) -> Upsample:
    """Return the same upsampling said with channels at the other end, if neither end is upsampled.

    Example:
        >>> along(Upsample((2, 1), "nearest", "channels_first"), "channels_last").size
        (1, 2)
    """
    if data_format == form.data_format:
        return form
    first, last = form.size[0], form.size[-1]
    if data_format == "channels_last" and last == 1:
        return replace(form, size=(1, *form.size[:-1]), data_format=data_format)
    if data_format == "channels_first" and first == 1:
        return replace(form, size=(*form.size[1:], 1), data_format=data_format)
    return form


def _factors(node: ir.Node, opset: int) -> Factors | None:
    """Return the factor of each axis; None if it is not known, or not the same for all images."""
    image = node.inputs[0]
    if image is None or image.shape is None or image.dtype is None:
        return None
    rank = len(image.shape)
    axes = [one % rank for one in attribute(node, "axes", range(rank))]
    if node.op_type == "Upsample" and "scales" in node.attributes:
        given: Any = [Fraction(one) for one in node.attributes["scales"].as_floats()]
    elif opset < 11:
        given = entries(node.inputs[1])
    elif len(node.inputs) > 3 and node.inputs[3] is not None:
        given = _ratios(entries(node.inputs[3]), image, axes)
    else:
        given = entries(node.inputs[2]) if len(node.inputs) > 2 else None
    if not given or len(given) != len(axes) or not all(isinstance(one, Fraction) for one in given):
        return None
    by_axis = dict(zip(axes, given, strict=True))
    every = [by_axis.get(axis, Fraction(1)) for axis in range(rank)]
    return tuple(int(one) if one.denominator == 1 else one for one in every)


def _ratios(sizes: list[Any] | None, image: ir.Value, axes: list[int]) -> list[Any] | None:
    """Return by which integers sides are multiplied; None if one is not."""
    if sizes is None or len(sizes) != len(axes):
        return None
    every = [ratio(large, side(image, axis)) for large, axis in zip(sizes, axes, strict=True)]
    return every if all(one and one.denominator == 1 for one in every) else None


def _coordinates(node: ir.Node, opset: int) -> str:
    """Return how coordinates are mapped; before version 11 of the operators, as `asymmetric`."""
    otherwise = "half_pixel" if opset > 10 else "asymmetric"
    return str(attribute(node, "coordinate_transformation_mode", otherwise))


@functools.lru_cache
def repeats(factor: int, coordinates: str, rounding: str) -> bool:
    """Return whether nearest with these attributes repeats every pixel, whatever the length.

    Example:
        >>> repeats(3, "asymmetric", "floor"), repeats(3, "asymmetric", "ceil")
        (True, False)
    """
    if coordinates not in _COORDINATES:
        return False
    place, nearest = _COORDINATES[coordinates], _ROUNDINGS[rounding]
    return all(
        min(max(nearest(place(Fraction(n), factor, length)), 0), length - 1) == n // factor
        for length in _LENGTHS
        for n in range(factor * length)
    )


def _centred(n: Fraction, factor: int, length: int) -> Fraction:
    return (n + Fraction(1, 2)) / factor - Fraction(1, 2)


_COORDINATES: dict[str, Callable[[Fraction, int, int], Fraction]] = {
    "asymmetric": lambda n, factor, length: n / factor,
    "half_pixel": _centred,
    "half_pixel_symmetric": _centred,
    "pytorch_half_pixel": lambda n, factor, length: (
        _centred(n, factor, length) if factor * length > 1 else Fraction(0)
    ),
    "tf_half_pixel_for_nn": lambda n, factor, length: (n + Fraction(1, 2)) / factor,
    "align_corners": lambda n, factor, length: (
        n * (length - 1) / (factor * length - 1) if factor * length > 1 else Fraction(0)
    ),
}
_ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda place: math.ceil(place - Fraction(1, 2)),
    "round_prefer_ceil": lambda place: math.floor(place + Fraction(1, 2)),
}
