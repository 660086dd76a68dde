"""What layers of several operators share: how they are configured, and upsampling first."""

from typing import Any

import keras

from polyphase.layers import shapes
from polyphase.ops import arguments


class Configured(keras.Layer):
    """A mixin before a layer of Keras' own, whose configuration it writes with other arguments."""

    _added: tuple[str, ...] = ("lowering",)  # that Keras' layer has not, in their order
    _removed: tuple[str, ...] = ()  # that it alone has

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        kept = {name: value for name, value in config.items() if name not in self._removed}
        return kept | {name: getattr(self, name) for name in self._added}


class OfOneRank(Configured):
    """A mixin before a convolution of Keras' own, which alone takes tensors of more axes too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_spec = keras.InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        """Make the weights, for an input of these channels and this rank."""
        super().build(input_shape)
        self.input_spec = keras.InputSpec(ndim=self.rank + 2, axes=self.input_spec.axes)


class Upsampled(OfOneRank):
    """A mixin before a convolution of Keras' own, which upsamples first."""

    _added: tuple[str, ...] = ("size", "lowering")
    _removed = ("strides",)
    interpolation = "nearest"  # unless it takes another

    def __init__(self, *args: Any, size: Any, lowering: str, **kwargs: Any) -> None:
        arguments.no_strides(kwargs, type(self).__name__)
        super().__init__(*args, **kwargs)
        self.size = arguments.sizes(size, self.rank)
        self.lowering = lowering

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the output shape; unknown sides stay unknown."""
        upsampled = shapes.upsampled(input_shape, self.size, self.data_format)
        shape: tuple[Any, ...] = super().compute_output_shape(upsampled)
        return shape
