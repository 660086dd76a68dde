"""Remove Gaussian noise from an image."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from polyphase._facts import UserError
from polyphase.models import comparison_unet
from polyphase.workbench.tasks.task import Keys, Map, Shape, Task


@dataclass(frozen=True)
class Denoise(Task):
    """A U-Net returns the image without the noise, which is drawn anew for every epoch.

    Attributes:
        noise: standard deviation, in units of the image's range; 0.1 is 25 grey levels of 255.
    """

    noise: float = 0.1

    name: ClassVar[str] = "denoise"
    verb: ClassVar[str] = "denoises"
    models: ClassVar[str] = "U-Nets"
    fixed: ClassVar[str] = "Encoder, skip connections"
    data: ClassVar[str] = "photographs"
    loss: ClassVar[str] = "binary_crossentropy"
    given: ClassVar[str] = "the noisy image"

    def __post_init__(self) -> None:
        if not 0 < self.noise <= 1:
            raise UserError(
                f"--noise is a standard deviation above 0 and up to 1, the range of pixels. "
                f"Received: {self.noise}."
            )

    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return a U-Net of three halvings and three stages, with skip connections."""
        return comparison_unet(decoder, image_shape, **facts)

    def inputs(self, images: np.ndarray, keys: Keys) -> np.ndarray:
        """Add the noise; nothing is clipped."""
        shape = images.shape[1:]
        drawn = [np.random.default_rng(key).standard_normal(shape, np.float32) for key in keys]
        return images + np.float32(self.noise) * np.stack(drawn)

    def baselines(self) -> dict[str, Map]:
        """Return the images as they are given, clipped to the range."""
        return {self.given: lambda images: images}
