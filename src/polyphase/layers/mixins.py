"""What layers of several operators share: how they are configured, and upsampling first."""

from typing import Any

import keras

from polyphase.algebra import kernels
from polyphase.layers import shapes
from polyphase.ops import arguments


def interpolation(value: Any) -> str:
    """Return the name of an interpolation, or say which there are."""
    return arguments.one_of(value, "interpolation", tuple(kernels.KERNELS))


class Configured(keras.Layer):
    """A mixin before a layer of Keras' own, whose configuration it writes with other arguments."""

    _added: tuple[str, ...] = ("lowering",)  # that Keras' layer has not, in their order
    _removed: tuple[str, ...] = ()  # that it alone has

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        kept = {name: value for name, value in config.items() if name not in self._removed}
        return kept | {name: getattr(self, name) for name in self._added}


class Upsampled(Configured):
    """A mixin before a convolution of Keras' own, which upsamples first."""

    _added: tuple[str, ...] = ("size", "lowering")
    _removed = ("strides",)
    interpolation = "nearest"  # unless it takes another

    def __init__(self, *args: Any, size: Any, lowering: str, **kwargs: Any) -> None:
        arguments.no_strides(kwargs, type(self).__name__)
        super().__init__(*args, **kwargs)
        self.size = arguments.sizes(size)
        self.lowering = lowering

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        upsampled = shapes.upsampled(input_shape, self.size, self.data_format)
        shape: tuple[Any, ...] = super().compute_output_shape(upsampled)
        return shape
