"""What is known of activations: from which numbers each number of the result is computed.

One table, of Keras' own functions and of its layers that are one function. A function is known by
itself, never by its name: a user's `relu` may be anything, and what is not known does not move.
"""

from enum import Enum
from typing import Any

import keras
import numpy as np
from keras import activations, layers


class Reach(Enum):
    """From which numbers each number of a function's result is computed."""

    SAME = "it is the same number"
    ELEMENT = "from the number at its place"
    LAST_AXIS = "from the numbers along the last axis, of which there are as many afterwards"
    OTHER = "from others, or it is not known"


# By Keras' definitions; `tests/rewrite/test_activations.py` measures every one of them.
NAMES: dict[str, Reach] = {
    "linear": Reach.SAME,
    **dict.fromkeys(
        (
            *("relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish"),
            *("sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "hard_silu"),
            *("tanh", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "threshold"),
            *("softplus", "softsign", "squareplus", "sparse_plus", "exponential"),
            *("swish", "hard_swish"),
        ),
        Reach.ELEMENT,
    ),
    **dict.fromkeys(("softmax", "log_softmax", "sparsemax"), Reach.LAST_AXIS),
    "glu": Reach.OTHER,  # half as many channels, of which Keras' symbolic shapes do not know
}
_FUNCTIONS = {id(getattr(activations, name)): reach for name, reach in NAMES.items()}
# The parameters of these are one number each; ELU's may be an array, which is checked.
LAYERS = (layers.ReLU, layers.LeakyReLU, layers.ELU)


def reach(function: Any) -> Reach:
    """Return what is known of an activation: a function, a layer, None (Keras: the same number).

    Example:
        >>> reach(keras.activations.relu).name, reach(lambda x: x).name
        ('ELEMENT', 'OTHER')
    """
    if function is None:
        return Reach.SAME
    if not isinstance(function, keras.Layer):
        return _FUNCTIONS.get(id(function), Reach.OTHER)
    if watched(function):
        return Reach.OTHER
    if type(function) is layers.Activation:
        return reach(function.activation)
    known = type(function) in LAYERS and np.ndim(getattr(function, "alpha", 0)) == 0
    return Reach.ELEMENT if known else Reach.OTHER


def linear(function: Any) -> bool:
    """Return whether an activation leaves every number as it is."""
    return reach(function) is Reach.SAME


def elementwise(function: Any) -> bool:
    """Return whether an activation computes each number from the one at its place."""
    return reach(function) in (Reach.SAME, Reach.ELEMENT)


def pixelwise(function: Any, data_format: str) -> bool:
    """Return whether an activation computes each pixel of all channels from that pixel."""
    mixes = reach(function) is Reach.LAST_AXIS
    return elementwise(function) or (mixes and data_format == "channels_last")


def watched(layer: Any) -> bool:
    """Return whether a loss is computed of a layer's result, so that its size matters."""
    return getattr(layer, "activity_regularizer", None) is not None


def configuration(layer: keras.Layer) -> dict[str, Any]:
    """Return a layer's configuration with its activation itself, not what Keras writes for it.

    Keras writes a function as its name, and reads back a user's `relu` as its own; of a
    `functools.partial` it can write nothing. Keras' layers and ours take the function in its place;
    of others that is not known.
    """
    if not _takes_function(layer):
        return dict(layer.get_config())
    # A stand-in that shares all state but the activation: `get_config` never sees that.
    stand_in = object.__new__(type(layer))
    vars(stand_in).update(vars(layer), activation=activations.linear)
    return stand_in.get_config() | {"activation": layer.activation}


def _takes_function(layer: keras.Layer) -> bool:
    """Return whether a layer is Keras' or ours and has an activation."""
    own = type(layer).__module__.startswith(("keras.", "polyphase."))
    return own and "activation" in vars(layer) | getattr(layer, "_modules", {})


def layer_of(layer: keras.Layer) -> keras.Layer | None:
    """Return the activation that is a layer itself, which `configuration` hands over as it is."""
    function = layer.activation if _takes_function(layer) else None
    return function if isinstance(function, keras.Layer) else None


def restore(old: keras.Layer, new: keras.Layer) -> None:
    """Put back, within a copy, the functions that Keras took for its own of the same name."""
    for one, other in zip(old._flatten_layers(), new._flatten_layers(), strict=False):
        for name, function in list(vars(other).items()) if type(one) is type(other) else ():
            own = vars(one).get(name)
            if id(function) in _FUNCTIONS and own is not function and callable(own):
                setattr(other, name, own)
