"""Random inputs of sizes on which an ONNX model runs."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx_ir as ir

from polyphase.rewrite.onnx.files import inputs
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.runtimes import Arrays, Session
from polyphase.rewrite.sizes import Shape, noise

# Tried in order where a model leaves sides open: sizes of images, then what else there is.
_SIDES = (256, 224, 320, 128, 64, 32, 640, 16, 1)
_LARGEST = 2**28  # numbers of one input


def examples(model: ir.Model, run: Session, given: Mapping[str, Shape]) -> list[Arrays]:
    """Return two inputs on which a model runs, of two sizes where it leaves them open.

    Args:
        model: whose inputs they are.
        run: what runs it.
        given: shapes of inputs by name, the first example's.

    Raises:
        ValueError: if there is no size on which it runs, or a given shape does not fit.
    """
    _require_given(model, given)
    found: list[Arrays] = []
    reason = ""
    for sides in _candidates(model, given):
        arrays = _filled_with_noise(model, sides, len(found))
        try:
            run(arrays)
        except Exception as error:  # the runtime's own, of what does not fit
            reason = reason or sentence_of(error)
            continue
        found.append(arrays)
        if len(found) == 2:
            break
    if not found:
        raise ValueError(f"The model runs on no example that was tried: {reason}.")
    return found


def _candidates(model: ir.Model, given: Mapping[str, Shape]) -> list[dict[str, Shape]]:
    """Return shapes for all inputs, one set for each side; twice the same where none is open."""
    every = [
        {
            str(value.name): given.get(str(value.name)) or _filled(value, side)
            for value in inputs(model)
        }
        for side in _SIDES
    ]
    different = [shapes for number, shapes in enumerate(every) if shapes not in every[:number]]
    return different if len(different) > 1 else different * 2


def _filled(value: ir.Value, side: int) -> Shape:
    """Return an input's shape with one image, and a number for every open side."""
    if value.shape is None:
        raise ValueError(f"The input {value.name!r} has no shape. Give one, as `shapes`.")
    return tuple(
        known if isinstance(known, int) else side if axis else 1
        for axis, known in enumerate(value.shape)
    )


def _filled_with_noise(model: ir.Model, shapes: Mapping[str, Shape], seed: int) -> Arrays:
    generator = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for value in inputs(model):
        shape = shapes[str(value.name)]
        dtype = np.dtype(value.dtype.numpy() if value.dtype else "float32")
        if math.prod(shape) > _LARGEST:
            raise ValueError(f"The input {value.name!r} is too large: {list(shape)}.")
        arrays[str(value.name)] = noise(shape, dtype.name, generator).astype(dtype)
    return arrays


def _require_given(model: ir.Model, given: Mapping[str, Shape]) -> None:
    known = {str(value.name): value for value in inputs(model)}
    for name, shape in given.items():
        if name not in known:
            raise ValueError(
                f"There is no input {name!r}. Received a shape for it; the inputs are: "
                f"{', '.join(map(repr, known))}."
            )
        sides = list(known[name].shape or shape)
        fits = len(sides) == len(shape) and all(
            not isinstance(side, int) or side == one
            for side, one in zip(sides, shape, strict=False)
        )
        if not fits:
            raise ValueError(
                f"The shape {list(shape)} does not fit the input {name!r}, which is {sides}."
            )
