"""Return the image itself, through a code of a few numbers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from polyphase.models import comparison_autoencoder
from polyphase.workbench.tasks.task import Shape, Task


@dataclass(frozen=True)
class Reconstruct(Task):
    """An autoencoder returns what it is given."""

    name: ClassVar[str] = "reconstruct"
    verb: ClassVar[str] = "reconstructs"
    models: ClassVar[str] = "Autoencoders"
    fixed: ClassVar[str] = "Encoder, code"
    data: ClassVar[str] = "digits"
    encoders: ClassVar[bool] = True
    loss: ClassVar[str] = "binary_crossentropy"

    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return an encoder of three halvings with a decoder of three stages."""
        return comparison_autoencoder(decoder, image_shape, **facts)
