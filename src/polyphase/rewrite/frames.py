"""Keras' layers that put zeros around signals, images and volumes, or cut them."""

from collections.abc import Callable
from typing import Any

from keras import layers

from polyphase.layers import kinds

Tensor = Any
Amounts = tuple[tuple[int, int], ...]  # (before, after), per axis; none below 0


def padding(amounts: Amounts, data_format: str, **kwargs: Any) -> layers.Layer:
    """Return the layer that puts zeros around its input; further arguments are the layer's."""
    kind = kinds.ZERO_PADDING.keras[len(amounts)]
    said = amounts if len(amounts) > 1 else amounts[0]
    return kind(said, data_format=data_format, **kwargs)


def cropping(amounts: Amounts, data_format: str, **kwargs: Any) -> Callable[[Tensor], Tensor]:
    """Return what cuts its input; further arguments are the layer's."""
    kind = kinds.CROPPING.keras[len(amounts)]
    if len(amounts) > 1:
        return kind(amounts, data_format=data_format, **kwargs)
    layer = kind(amounts[0], **kwargs)
    return channels_last(layer, data_format, 1, layer.name)


def amounts(layer: Any) -> Amounts:
    """Return what a layer of either kind puts around its input, or cuts."""
    said = layer.padding if kinds.exact(layer) is kinds.ZERO_PADDING else layer.cropping
    return (tuple(said),) if isinstance(said[0], int) else tuple(map(tuple, said))


def channels_last(
    step: Callable[[Tensor], Tensor], data_format: str, rank: int, name: str
) -> Callable[[Tensor], Tensor]:
    """Return, for any data format, what Keras computes of channels last only.

    Args:
        step: what is computed of channels last.
        data_format: of what is returned.
        rank: number of spatial axes.
        name: of the layers that move the channels, with an ending.
    """
    if data_format == "channels_last":
        return step
    last = layers.Permute((*range(2, rank + 2), 1), name=f"{name}_to_channels_last")
    first = layers.Permute((rank + 1, *range(1, rank + 1)), name=f"{name}_to_channels_first")
    return lambda x: first(step(last(x)))
