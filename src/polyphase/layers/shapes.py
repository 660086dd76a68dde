"""Shapes of upsampled images, for layers to compute theirs from."""

from collections.abc import Sequence
from typing import Any

from polyphase.algebra.geometry import upsampled_length
from polyphase.ops import layout


def upsampled(shape: Any, size: tuple[Any, ...], data_format: str) -> tuple[Any, ...]:
    """Return the shape of images after upsampling; unknown sides stay unknown.

    Example:
        >>> upsampled((None, 5, None, 3), (2, 1.5), "channels_last")
        (None, 10, None, 3)
    """
    if len(shape) != len(size) + 2:
        raise ValueError(
            f"One factor per axis, {tuple(size)}, needs a shape of rank {len(size) + 2}. "
            f"Received: shape {tuple(shape)}."
        )
    sides, space = list(shape), layout.space(data_format)
    sides[space] = [
        None if side is None else upsampled_length(side, one)
        for side, one in zip(sides[space], size, strict=True)
    ]
    return tuple(sides)


def concatenated(
    shapes: Sequence[Any], sizes: Sequence[tuple[Any, ...]], data_format: str
) -> tuple[Any, ...]:
    """Return the shape of the concatenation of images, each upsampled by its size.

    Raises:
        ValueError: for another number of images than sizes, another rank than the sizes have, and
            images of which two differ in the batch or in a side, as far as these are known.

    Example:
        >>> concatenated([(None, 5, None, 3), (2, 10, 8, 1)], [(2, 2), (1, 1)], "channels_last")
        (2, 10, 8, 4)
    """
    ranks = [len(shape) if isinstance(shape, Sequence) else 0 for shape in shapes]
    rank = len(sizes[0])
    if ranks != [rank + 2] * len(sizes):
        raise ValueError(
            f"ConcatConv{rank}D was made for {len(sizes)} inputs, a list of tensors of rank "
            f"{rank + 2}, one per `size`. "
            f"Received: {_listed(shapes) if all(ranks) else tuple(shapes)}."
        )
    images = [upsampled(*one, data_format) for one in zip(shapes, sizes, strict=True)]
    channel = layout.channel(data_format)
    channels = [image[channel] for image in images]
    whole = list(images[0])
    whole[channel] = None if None in channels else sum(channels)
    for axis in set(range(rank + 2)) - {channel % (rank + 2)}:
        known = {image[axis] for image in images if isinstance(image[axis], int)}
        if len(known) > 1:
            raise ValueError(
                f"ConcatConv{rank}D needs inputs that have the same batch and, once upsampled, the "
                f"same size. Received: shapes {_listed(shapes)}, which `size`={tuple(sizes)} turns "
                f"into {_listed(images)}. Use another `size`, or images that fit."
            )
        whole[axis] = known.pop() if known else whole[axis]
    return tuple(whole)


def _listed(shapes: Sequence[Any]) -> str:
    return " and ".join(str(tuple(shape)) for shape in shapes)
