"""Make images from random numbers that a discriminator cannot tell from real ones."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from polyphase._facts import DECODERS, UserError
from polyphase.models import transposed_generator, upsampling_generator
from polyphase.models.gans import discriminator, gan_generator
from polyphase.workbench.adversarial.losses import LOSSES
from polyphase.workbench.tasks.task import Shape, Task, passes

PUBLISHED = {"upsampling": upsampling_generator, "transposed": transposed_generator}
SHAPE = (10, 10, 1)  # of what they make
DISCRIMINATORS = ("strided", "blurred")
_STEPS = 1800  # that are enough for the embedded digits


@dataclass(frozen=True)
class Gan(Task):
    """A generator of two x2 stages against a discriminator of two halvings.

    Attributes:
        loss: one of `adversarial.losses.LOSSES`.
        penalty: weight of R1 and R2.
        discriminator: "strided" or "blurred": whether images are blurred before they are halved.
    """

    loss: str = "relativistic"  # type: ignore[misc]
    penalty: float = 2.0
    discriminator: str = "strided"

    name: ClassVar[str] = "gan"
    verb: ClassVar[str] = "imitates"
    models: ClassVar[str] = "Generators"
    fixed: ClassVar[str] = "Discriminator"
    data: ClassVar[str] = "digits"
    batch_size: ClassVar[int] = 32
    rate: ClassVar[float] = 5e-4
    width: ClassVar[int] = 16
    model: ClassVar[str] = "generator.keras"
    unit: ClassVar[str] = ""
    measure: ClassVar[str] = "KID"
    searched: ClassVar[bool] = False
    paired: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UserError(f"Unknown loss {self.loss!r}. Choose from: {', '.join(LOSSES)}.")
        if not 0 <= self.penalty < float("inf"):
            raise UserError(f"--penalty is a weight of at least 0. Received: {self.penalty}.")
        if self.discriminator not in DISCRIMINATORS:
            raise UserError(
                f"Unknown discriminator {self.discriminator!r}. Choose from: "
                f"{', '.join(DISCRIMINATORS)}."
            )

    def network(self, decoder: str, image_shape: Shape, **facts: Any) -> keras.Model:
        """Return a generator: of two stages, or one of the tutorials'."""
        if decoder in PUBLISHED:
            _require_small(decoder, image_shape)
            return PUBLISHED[decoder]()
        return gan_generator(decoder, image_shape, **facts)

    def judge(self, image_shape: Shape, width: int = 32) -> keras.Model:
        """Return the discriminator."""
        return discriminator(image_shape, width, self.discriminator == "blurred")

    def epochs(self, images: int, batch_size: int) -> int:
        """Return how many passes over this number of images give 1,800 steps."""
        return passes(_STEPS, images, batch_size)


def _require_small(generator: str, shape: Shape) -> None:
    height, width, channels = shape
    if shape != SHAPE:
        raise ValueError(
            f"The tutorials' generator {generator!r} makes 10x10 grey images. Received: "
            f"{height}x{width} with {channels} channels. Give --size 10 --grey, or a generator for "
            f"any size: {', '.join(DECODERS)}."
        )
