"""Values of a model that have not been computed yet: upsamplings, and concatenations with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from polyphase.algebra import kernels
from polyphase.ops import layout

Tensor = Any
Boundary = tuple[str, int]  # "into" or "out of" a nested model, and its id
Margin = tuple[tuple[int, int], ...]  # (before, after), per axis


def each(function: Callable[..., int], *margins: Margin) -> Margin:
    """Return a function of margins, number by number.

    Example:
        >>> each(max, ((1, 2), (3, 4)), ((0, 5), (0, 5)))
        ((1, 5), (3, 5))
    """
    return tuple(
        (function(*(side[0] for side in sides)), function(*(side[1] for side in sides)))
        for sides in zip(*margins, strict=True)
    )


def both_ends(size: Sequence[int]) -> Margin:
    """Return a number per axis as one per side."""
    return tuple((one, one) for one in size)


def copies(interpolation: str, size: Sequence[Any]) -> bool:
    """Return whether an upsampling copies pixels: nearest by integer factors."""
    return interpolation == "nearest" and all(isinstance(s, int) for s in size)


@dataclass(frozen=True, eq=False)
class Delayed:
    """What a tensor will be when it is upsampled.

    Attributes:
        small: the tensor before upsampling.
        size: the factor, a number per axis.
        interpolation: the kernel's name.
        data_format: "channels_last" or "channels_first".
        sources: the ids of the upsampling layers that it stems from.
        name: of the layer of the old model whose value it is.
        moved: whether that layer is another than the upsampling.
        margin: zeros around the upsampled image; negative: cropped.
        per_step: whether every step of a sequence is upsampled, by a TimeDistributed.
        crossed: boundaries of nested models that it crossed and gained nothing since.
        whole: the tensor after upsampling, once somebody needed it; at most one entry.
    """

    small: Tensor
    size: tuple[Any, ...]
    interpolation: str
    data_format: str
    sources: tuple[int, ...]
    name: str
    margin: Margin
    moved: bool = False
    per_step: bool = False
    crossed: tuple[Boundary, ...] = ()
    whole: list[Tensor] = field(default_factory=list)

    def holding(self, small: Tensor, name: str, *others: "Delayed") -> "Delayed":
        """Return the same upsampling of another tensor, which `name` made of this and others."""
        every = (self, *others)
        return replace(
            self,
            small=small,
            sources=tuple(dict.fromkeys(source for one in every for source in one.sources)),
            name=name,
            moved=True,
            crossed=tuple(dict.fromkeys(boundary for one in every for boundary in one.crossed)),
            whole=[],
        )

    def of(self, small: Tensor, *boundaries: Boundary) -> "Delayed":
        """Return the same upsampling of another tensor, beyond a boundary of a nested model."""
        return replace(self, small=small, crossed=(*self.crossed, *boundaries), whole=[])

    @property
    def way(self) -> tuple[Any, ...]:
        """What two delayed values have in common if they are upsampled alike."""
        return self.size, self.interpolation, self.data_format, self.margin

    @property
    def plain(self) -> bool:
        """Whether nothing is put around the upsampled image, nor cut off."""
        return not any(map(any, self.margin))

    @property
    def unchanged(self) -> bool:
        """Whether it is the image itself: an interpolation of its own pixels."""
        return set(self.size) == {1} and self.plain and kernels.get(self.interpolation).interpolates

    @property
    def space(self) -> range:
        """The spatial axes."""
        return range(len(self.size) + 2)[layout.space(self.data_format)]

    def channels(self, axis: int) -> bool:
        """Return whether an axis, counted from either end, is that of the channels."""
        return (axis - layout.channel(self.data_format)) % (len(self.size) + 2) == 0

    @property
    def copies(self) -> bool:
        """Whether it copies pixels: nearest by integer factors."""
        return copies(self.interpolation, self.size)


@dataclass(frozen=True, eq=False)
class Joined:
    """What images will be when they are concatenated along their channels.

    Attributes:
        parts: tensors, and at least one `Delayed`, of one data format, without margins.
        name: of the layer of the old model whose value it is; the Concatenate, at first.
        concatenate: the operation that concatenates.
        cut: layers of the old model that became several, one for each part.
        whole: the concatenation, once somebody needed it; at most one entry.
    """

    parts: tuple[Any, ...]
    name: str
    concatenate: Any
    cut: tuple[Any, ...] = ()
    whole: list[Tensor] = field(default_factory=list)

    @property
    def small(self) -> list[Tensor]:
        """The tensors before upsampling."""
        return [part.small if isinstance(part, Delayed) else part for part in self.parts]

    def of(self, small: Sequence[Tensor], *boundaries: Boundary) -> "Joined":
        """Return the same concatenation of other tensors, beyond a boundary of a nested model."""
        parts = tuple(
            part.of(tensor, *boundaries) if isinstance(part, Delayed) else tensor
            for part, tensor in zip(self.parts, small, strict=True)
        )
        return replace(self, parts=parts, whole=[])

    @property
    def way(self) -> tuple[Any, ...]:
        """What two concatenations have in common if their parts are alike."""
        channel = layout.channel(self.data_format)
        return tuple(
            (part.shape[channel], one.way if isinstance(one, Delayed) else None)
            for part, one in zip(self.small, self.parts, strict=True)
        )

    @property
    def delayed(self) -> list[Delayed]:
        """The parts that will be upsampled."""
        return [part for part in self.parts if isinstance(part, Delayed)]

    @property
    def data_format(self) -> str:
        """Either "channels_last" or "channels_first"."""
        return self.delayed[0].data_format

    @property
    def sources(self) -> tuple[int, ...]:
        """The ids of the upsampling layers of the parts."""
        return tuple(source for part in self.delayed for source in part.sources)
