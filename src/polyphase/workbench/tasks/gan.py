"""Make images of random numbers that a discriminator cannot tell from real ones."""

from dataclasses import dataclass
from typing import ClassVar

import keras

from polyphase._facts import DECODERS, UserError
from polyphase.models import transposed_generator, upsampling_generator
from polyphase.models.gans import discriminator, gan_generator
from polyphase.workbench.adversarial.losses import LOSSES
from polyphase.workbench.tasks.task import Shape, Task

PUBLISHED = {"upsampling": upsampling_generator, "transposed": transposed_generator}
_SIDE = 10  # of what they make
DISCRIMINATORS = ("strided", "blurred")


@dataclass(frozen=True)
class Gan(Task):
    """A generator of two x2 stages against a discriminator of two halvings.

    Attributes:
        loss: one of `adversarial.losses.LOSSES`.
        penalty: weight of R1 and R2.
        discriminator: "strided" or "blurred": whether images are blurred before they are halved.
    """

    loss: str = "relativistic"  # type: ignore[misc]
    penalty: float = 0.05
    discriminator: str = "strided"

    name: ClassVar[str] = "gan"
    verb: ClassVar[str] = "imitates"
    models: ClassVar[str] = "Generators"
    fixed: ClassVar[str] = "Discriminator"
    data: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UserError(f"Unknown loss {self.loss!r}. Choose from: {', '.join(LOSSES)}.")
        if not 0 <= self.penalty < float("inf"):
            raise UserError(f"--penalty is a weight from 0 on. Received: {self.penalty}.")
        if self.discriminator not in DISCRIMINATORS:
            raise UserError(
                f"Unknown discriminator {self.discriminator!r}. Choose from: "
                f"{', '.join(DISCRIMINATORS)}."
            )

    def network(
        self,
        decoder: str,
        image_shape: Shape,
        widths: tuple[int, int] | None = None,
        width: int = 32,
        encoder: str = "centred",
    ) -> keras.Model:
        """Return a generator: of two stages, or one of the tutorials'."""
        if decoder in PUBLISHED:
            return PUBLISHED[decoder]()
        return gan_generator(decoder, image_shape, width)

    def judge(self, image_shape: Shape, width: int = 32) -> keras.Model:
        """Return the discriminator."""
        return discriminator(image_shape, width, self.discriminator == "blurred")

    def refused_by(self, generator: str, shape: Shape) -> str:
        """Return why a generator cannot make images of a shape; an empty text if it can."""
        height, width, channels = shape
        if generator in PUBLISHED:
            if shape == (_SIDE, _SIDE, 1):
                return ""
            return (
                f"The tutorials' generator {generator!r} makes {_SIDE}x{_SIDE} grey images. "
                f"Received: {height}x{width} with {channels} channels. Give --size {_SIDE} --grey, "
                f"or a generator for any size: {', '.join(DECODERS)}."
            )
        if height % 4 or width % 4 or min(height, width) < 8:
            return (
                "The generator doubles its image twice and makes sides that are multiples of 4, "
                f"from 8 on. Received: {height}x{width}. Give --size, for example "
                f"{max(8, height // 4 * 4)}."
            )
        return ""
