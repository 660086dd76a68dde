"""Read an image between its pixels, wherever it is asked for."""

import contextlib
import contextvars
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from polyphase.ops import arguments, device, layout, torch_sample
from polyphase.ops.traces import opaque

Tensor = Any

_AS_GRID_SAMPLE = contextvars.ContextVar("as_grid_sample", default=False)


def sample(
    x: Tensor, coordinates: Tensor, groups: int = 1, data_format: str | None = None
) -> Tensor:
    """Return the values of images at coordinates between pixels, interpolated linearly.

    Coordinates are in pixels along each axis; 0 is the centre of the first pixel. Beyond the
    centres of the first and the last pixel, the value is that of the pixel at the border, and the
    gradient of the coordinate is 0.

    Args:
        x: `(batch, *space, channels)` with 1, 2 or 3 spatial axes, or channels first; any real
            dtype. The batch may be empty.
        coordinates: `(batch, *out_space, groups * rank)`, in the same data format: where each
            output pixel is read. The row comes before the column; those of the first group of
            channels come first, then those of the next.
        groups: number of groups of channels; those of a group are read at the same positions. It
            must divide the number of channels.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.

    Returns:
        `(batch, *out_space, channels)`, in `x`'s dtype, or Keras' float type for integers (for half
        precision, weights and sums are float32).

    Raises:
        ValueError: for coordinates of the wrong rank or batch, a wrong number of them per pixel, or
            a number of channels that `groups` does not divide.

    Exactness: within 1e-6 of the formula in float32; at an integer coordinate, the pixel itself. A
    coordinate that is NaN gives NaN; no other pixel changes.

    Reference: Jaderberg et al., arXiv 1506.02025, equation 5.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 2.0, 4.0]])[..., None]
        >>> np.array(sample(x, np.array([[0.5, 2.0, 7.0]])[..., None])).ravel().tolist()
        [1.5, 4.0, 4.0]
    """
    x, coordinates = (arguments.tensor(one, "sample") for one in (x, coordinates))
    rank = len(x.shape) - 2
    data_format = arguments.data_format(data_format)
    channel = layout.channel(data_format)
    groups = arguments.groups(groups, x.shape[channel], "channels")
    _require_coordinates(x, coordinates, groups * rank, channel)
    (x,) = arguments.promoted("sample", x)
    (coordinates,) = arguments.promoted("sample", coordinates)
    image, places = (layout.to_last(one, data_format) for one in (x, coordinates))
    return layout.from_last(sampled(image, places, groups), data_format)


@contextlib.contextmanager
def as_grid_sample() -> Iterator[None]:
    """Let files that PyTorch exports sample images by one operator, GridSample, not by gathers."""
    token = _AS_GRID_SAMPLE.set(True)
    try:
        yield
    finally:
        _AS_GRID_SAMPLE.reset(token)


@opaque
def sampled(x: Tensor, coordinates: Tensor, groups: int) -> Tensor:
    """Return `(n, *space, c)` at `(n, *out_space, groups * rank)`: the corners' weighted sum."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    computed = "float64" if dtype == "float64" else "float32"
    if x.shape[0] == 0:  # rows that are none cannot be taken
        return ops.zeros((*ops.shape(coordinates)[:-1], x.shape[-1]), dtype)
    x, coordinates = ops.cast(x, computed), ops.cast(coordinates, computed)
    return ops.cast(_computed(x, coordinates, groups), dtype)


def _computed(x: Tensor, coordinates: Tensor, groups: int) -> Tensor:
    """Return the corners' weighted sum, by what is fastest."""
    if device.is_traced() and _AS_GRID_SAMPLE.get():
        return torch_sample.grid_sample(x, coordinates, groups)
    if device.is_torch_cpu():
        return torch_sample.differentiable(
            lambda x, places: _summed(x, places, groups, torch_sample.weighted),
            lambda x, places: _summed(x, places, groups, _taken),
            *(x, coordinates, groups),
        )
    return _summed(x, coordinates, groups, _taken)


def _summed(x: Tensor, coordinates: Tensor, groups: int, weighted: Callable[..., Tensor]) -> Tensor:
    """Return the images at their places: of all pixels, one after another, rows by weights."""
    batch, *sides, channels = ops.shape(x)
    *out, _ = ops.shape(coordinates)
    rank = len(sides)
    places = ops.reshape(coordinates, (*out, groups, rank))
    corners = [_corners(places[..., i], side) for i, side in enumerate(sides)]
    rows = ops.reshape(x, (-1, channels // groups))
    images = ops.reshape(ops.arange(batch, dtype="int32"), (-1, *[1] * (rank + 1)))
    indices, scales = [], []
    for ends in itertools.product((0, 1), repeat=rank):
        index, weight = images, ops.ones((), x.dtype)
        for (pixels, weights), end, side in zip(corners, ends, sides, strict=True):
            index, weight = index * side + pixels[end], weight * weights[end]
        indices.append(index * groups + ops.arange(groups, dtype="int32"))
        scales.append(weight)
    return ops.reshape(weighted(rows, indices, scales), (*out, channels))


def _taken(rows: Tensor, corners: list[Tensor], weights: list[Tensor]) -> Tensor:
    """Return the sum of rows `(m, c)`, at places and by weights of one shape each."""
    return sum(
        ops.take(rows, index, axis=0) * weight[..., None]
        for index, weight in zip(corners, weights, strict=True)
    )


def _corners(places: Tensor, side: Any) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the pixels before and after coordinates along an axis, and their weights."""
    inside = ops.clip(places, 0, ops.cast(side - 1, places.dtype))
    # Of what is not a number a pixel too, which is within the image; its weight is none.
    before = ops.clip(ops.cast(ops.floor(inside), "int32"), 0, side - 1)
    after = ops.minimum(before + 1, side - 1)
    part = inside - ops.cast(before, places.dtype)
    return (before, after), (1 - part, part)


def _require_coordinates(x: Tensor, coordinates: Tensor, numbers: int, channel: int) -> None:
    """Say what coordinates an image takes."""
    shapes = tuple(x.shape), tuple(coordinates.shape)
    batches = {shape[0] for shape in shapes} - {None}
    if len(set(map(len, shapes))) > 1 or len(batches) > 1 or shapes[1][channel] != numbers:
        raise ValueError(
            f"`sample` expects coordinates of the image's batch and rank, with {numbers} numbers "
            f"per pixel. Received: coordinates of shape {shapes[1]}, an image of shape {shapes[0]}."
        )
