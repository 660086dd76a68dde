"""Inputs to look at a model with: constants, smooth random images, or images that are given."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from polyphase.algebra.resampling import resampling_matrix
from polyphase.ops import layout
from polyphase.rewrite.graph import calls, data_format, graph_of
from polyphase.rewrite.sizes import shapes

DRAWS = 16  # in all: half constant, half smooth
_AT_ONCE = 2**20  # pixels of all draws that run at once
Draws = dict[str, list[list[np.ndarray]]]


def draws(model: keras.Model, images: Any = None) -> Draws:
    """Return draws of every input by kind, in parts that run at once.

    Inputs that are not images are noise in all; sides that are not known are those that fit.

    Args:
        model: Functional or Sequential.
        images: an array or a list, one for each input, of which the first 16 are taken; None:
            "constant" and "smooth".

    Raises:
        ExampleError: if no size fits the model.
        ValueError: if `images` do not fit the inputs.
    """
    if images is not None:
        return {"images": in_parts(model, given(model, images))}
    generator = np.random.default_rng(0)
    kinds: dict[str, list[np.ndarray]] = {"constant": [], "smooth": []}
    for shape, tensor in zip(shapes(model), model.inputs, strict=True):
        noise = generator.standard_normal((DRAWS // 2, *shape[1:]))
        low, high = _range(model, tensor)
        for kind, arrays in kinds.items():
            space = range(len(shape))[layout.space(data_format(model))]
            values = _SHAPED[kind](noise, space) if len(shape) > 2 else noise
            arrays.append(_within(values, low, high, tensor.dtype))
    return {kind: in_parts(model, arrays) for kind, arrays in kinds.items()}


def _within(noise: np.ndarray, low: float, high: float, dtype: str) -> np.ndarray:
    """Return noise in a range and dtype; integers that have none, such as labels, are 0 and 1."""
    if "float" not in dtype and high <= 1:
        return np.asarray(noise > 0, dtype)
    if high > low:
        noise = low + (high - low) * np.clip(0.5 + 0.25 * noise, 0, 1)
    return np.asarray(noise, dtype)


def given(model: keras.Model, images: Any, most: int = DRAWS) -> list[np.ndarray]:
    """Return images that someone gave, the first ones, as the model takes them.

    Raises:
        ValueError: if they do not fit the model's inputs.
    """
    listed = list(images) if isinstance(images, (list, tuple)) else [images]
    arrays = [np.asarray(one)[:most] for one in listed]
    expected = [tuple(x.shape) for x in model.inputs]
    fits = len(arrays) == len(expected) and all(
        one.ndim == len(shape)
        and len(one) == len(arrays[0]) > 0
        and all(side in (None, has) for side, has in zip(shape[1:], one.shape[1:], strict=True))
        for one, shape in zip(arrays, expected, strict=True)
    )
    if not fits:
        received = ", ".join(str(np.shape(one)) for one in listed)
        raise ValueError(
            f"`images` must fit the model's inputs, {', '.join(map(str, expected))}. Received: "
            f"{received}."
        )
    return [one.astype(x.dtype) for one, x in zip(arrays, model.inputs, strict=True)]


def in_parts(model: keras.Model, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Divide draws into what runs at once: the batch that the model fixes, or what memory holds."""
    fixed = next((x.shape[0] for x in model.inputs if x.shape[0]), None)
    pixels = max(int(np.prod([side or 1 for side in y.shape[1:]])) for y in model.outputs)
    size = fixed or max(1, min(DRAWS, _AT_ONCE // pixels))
    count = len(arrays[0])
    chosen = np.arange(-(-count // fixed) * fixed if fixed else count) % count  # whole batches
    return [[one[chosen[i : i + size]] for one in arrays] for i in range(0, len(chosen), size)]


def _range(model: keras.Model, tensor: Any) -> tuple[float, float]:
    """Return the range of an input: what its Rescaling brings to 0..1 or -1..1; images 0..1.

    Equal ends stand for normally distributed numbers: latents, features.
    """
    for layer, inputs, _ in calls(graph_of(model)):
        if type(layer) is keras.layers.Rescaling and any(x is tensor for x in inputs):
            scale, offset = float(np.max(layer.scale)), float(np.min(layer.offset))
            if scale <= 0:
                break
            return ((-1 if offset < 0 else 0) - offset) / scale, (1 - offset) / scale
    channels = tensor.shape[layout.channel(data_format(model))] if len(tensor.shape) > 3 else None
    image = channels in (1, 3, 4)  # or a volume
    return (0.0, 1.0) if image else (0.0, 0.0)


def _constant(noise: np.ndarray, space: Sequence[int]) -> np.ndarray:
    corner = noise
    for axis in space:
        corner = corner.take([0], axis)
    return np.asarray(np.broadcast_to(corner, noise.shape))


def _smooth(noise: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """Return noise of an eighth of the sides, upsampled."""
    for axis in space:
        side = noise.shape[axis]
        few = max(1, -(-side // 8))
        noise = resampling_matrix(few, side, "bicubic").apply(noise.take(range(few), axis), axis)
    return noise


_SHAPED = {"constant": _constant, "smooth": _smooth}
