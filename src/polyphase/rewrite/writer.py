"""What a rule asks of who makes the new model: of layers, or of nodes."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from polyphase.rewrite.delayed import Delayed, Margin
from polyphase.rewrite.forms import Operation
from polyphase.rewrite.report import Why


class Writer(Protocol):
    """Makes operations of a new model, and remembers what happened to upsamplings.

    Attributes:
        inference: whether the new model is for inference only.
    """

    inference: bool

    def note(
        self, sources: Iterable[int], text: str, why: Why | None = None, by: Any = None
    ) -> None:
        """Remember what happened to upsamplings: nothing was gained, and why, or something was."""

    def again(self, one: Operation, *inputs: Any) -> Any:
        """Return the result of the same operation of other inputs."""

    def upsampled(self, one: Operation, way: str, value: Delayed, padding: str) -> Any:
        """Return what an operation's convolution makes of an upsampled image: `way` is its own."""

    def concatenated(self, one: Operation, parts: Sequence[Any]) -> Any:
        """Return what an operation's convolution makes of concatenated parts, upsampled or not."""

    def pieces(self, one: Operation, parts: Sequence[Any], channels: Sequence[int]) -> list[Any]:
        """Return what a normalisation of each channel makes of parts of the channels."""

    def framed(self, tensor: Any, margin: Margin, value: Delayed) -> Any:
        """Put zeros around an image, or cut it, as a margin says."""

    def whole(self, value: Any) -> Any:
        """Return a value as a tensor: compute what has been delayed, once."""

    def absorbs(self, value: Delayed) -> bool:
        """Return whether there is a convolution that upsamples so."""

    def blurs(self, one: Operation, part: Delayed) -> bool:
        """Return whether nearest's convolution, blurred, is the fastest that upsamples so."""
