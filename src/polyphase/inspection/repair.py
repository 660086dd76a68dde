"""Repair a model: even the phases of its layers, with the least change of their kernels."""

from collections.abc import Iterable
from typing import Any

import keras

from polyphase.inspection.found import Found, found, require_inspectable
from polyphase.inspection.readings import Weights
from polyphase.rewrite.classes import copied
from polyphase.rewrite.graph import is_graph
from polyphase.rewrite.walk import copy, rewritten

Even = dict[int, Weights]


def repair(model: Any) -> Any:
    """Return a copy of a model whose layers turn constants into constants: chi = 0.

    The same amount is added to every tap of a phase, so that the taps of each phase have the same
    sum, the mean gain. This is the least change of the kernel, in the Frobenius norm, that keeps
    the mean gain. Biases of a sub-pixel convolution become their mean over the phases. Nothing else
    changes.

    Args:
        model: a built Keras model; it is not changed.

    Returns:
        A model with the same layers, not compiled. Repairing it again changes only rounding. A
        layer that cannot be copied and needs no repair is used in both models, with the same
        weights.

    Raises:
        TypeError: for what is not a model.
        ValueError: for a model that is not built, weights that are NaN or infinite, and layers to
            be repaired whose kernel is smaller than their stride or that cannot be copied.

    Exactness: afterwards chi is 0 up to rounding in the weights' dtype, about 1e-7 in float32.

    Reference: "Checkerboards" in docs/mathematics.md; `polyphase.algebra.checkerboard.repair`.

    Example:
        >>> from polyphase.inspection import inspect
        >>> model = keras.Sequential([keras.Input((8, 8, 3)),
        ...                           keras.layers.Conv2DTranspose(2, 3, strides=2)])
        >>> inspect(repair(model)).stages[0].chi < 1e-6
        True
    """
    require_inspectable(model, "repair")
    uneven = [one for one in found(model) if one.reading.gains is not None]
    uneven = [one for one in uneven if not one.reading.gradient]
    _require_repairable(uneven)
    even = {id(one.layer): one.reading.even() for one in uneven if one.reading.even}
    if is_graph(model):
        return _copy(model, even)
    new = copied(model)
    _set([(model, new)], even)
    return new


def _require_repairable(layers: Iterable[Found]) -> None:
    """Say which layers cannot be repaired.

    Raises:
        ValueError: naming them and what to use instead.
    """
    bad = [one for one in layers if one.reading.even is None]
    if bad:
        listed = ", ".join(f"{one.name!r} ({one.reading.what})" for one in bad)
        raise ValueError(
            f"A kernel smaller than its stride cannot be repaired: some pixels have no tap. "
            f"Received: {listed}. Use upsampling and a convolution (`polyphase.layers."
            f"UpSampleConv{len(bad[0].reading.factor)}D`), or a kernel at least as large as the "
            "stride."
        )


def _copy(model: keras.Model, even: Even) -> keras.Model:
    """Return a new model of the same layers and weights, but for those that are given.

    Raises:
        ValueError: for one of those that cannot be copied.
    """
    new, build = rewritten(model, copy)
    for layer, _, same in build.made.values():
        if same is layer and any(id(one) in even for one in layer._flatten_layers()):
            raise ValueError(
                f"{layer.name!r} of class {type(layer).__name__} cannot be repaired, because it "
                "cannot be copied: its `get_config` is not enough to make it again, or it shares "
                "layers with others."
            )
    _set([(old, made) for old, _, made in build.made.values()], even)
    return new


def _set(pairs: Iterable[tuple[Any, Any]], even: Even) -> None:
    """Give the layers of copies the weights that are given for those of the originals."""
    for old, new in pairs:
        for one, other in zip(old._flatten_layers(), new._flatten_layers(), strict=True):
            if id(one) in even:
                other.set_weights(even[id(one)])
