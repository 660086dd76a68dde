"""Enlarge an image whose pixels were averaged."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from polyphase._facts import UserError
from polyphase.models import comparison_upscaler
from polyphase.ops import upsample
from polyphase.workbench.tasks.task import Keys, Map, Shape, Task

_LEAST = 4  # pixels of a small side


@dataclass(frozen=True)
class SuperResolve(Task):
    """A network adds what bicubic upsampling lacks.

    Attributes:
        scale: 2 or 4, the factor by which each side is reduced.
    """

    scale: int = 2

    name: ClassVar[str] = "super-resolve"
    verb: ClassVar[str] = "enlarges"
    models: ClassVar[str] = "Networks"
    fixed: ClassVar[str] = "The convolutions of the small image"
    data: ClassVar[str] = "photographs"
    loss: ClassVar[str] = "mean_absolute_error"
    weight: ClassVar[float] = 255.0
    unit: ClassVar[str] = "grey levels"
    given: ClassVar[str] = "the small image"

    def __post_init__(self) -> None:
        if self.scale not in (2, 4):
            raise UserError(f"--scale is 2 or 4. Received: {self.scale}.")

    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return convolutions of the small image, then one stage, or two for a scale of 4."""
        return comparison_upscaler(decoder, image_shape, self.scale, **facts)

    def inputs(self, images: np.ndarray, keys: Keys) -> np.ndarray:
        """Average the pixels of every cell."""
        n, height, width, channels = images.shape
        s = self.scale
        return images.reshape(n, height // s, s, width // s, s, channels).mean((2, 4))

    def baselines(self) -> dict[str, Map]:
        """Return the usual interpolations."""
        return {name: functools.partial(self._resized, name) for name in ("bicubic", "lanczos3")}

    def _resized(self, interpolation: str, images: np.ndarray) -> np.ndarray:
        large = upsample(images, self.scale, interpolation=interpolation)
        return np.asarray(keras.ops.convert_to_numpy(large))

    def refused(self, shape: Shape) -> str:
        """Return why images of a shape cannot be used; an empty text if they can."""
        height, width, _ = shape
        if height % self.scale or width % self.scale or min(shape[:2]) < _LEAST * self.scale:
            return (
                f"--scale {self.scale} takes images whose sides are multiples of {self.scale}, at "
                f"least {_LEAST * self.scale} pixels. Received: {height}x{width}. Use --size."
            )
        return ""
