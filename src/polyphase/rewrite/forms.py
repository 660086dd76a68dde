"""What rules speak of: what an operation of a graph does. No framework is known here.

A reader establishes these facts once, of layers or of nodes; a rule asks for nothing else; a writer
makes layers or nodes of what the rule decides.
"""

from dataclasses import dataclass
from typing import Any

from polyphase.rewrite.delayed import Delayed, Joined, Margin, both_ends, copies

Axes = tuple[int, ...]  # counted from either end


@dataclass(frozen=True)
class Opaque:
    """Not known, or of no use to a rule."""


@dataclass(frozen=True)
class Upsample:
    """Interpolation, computed by its formula.

    Attributes:
        size: the factor, a number per axis.
        interpolation: the kernel's name.
        data_format: "channels_last" or "channels_first".
    """

    size: tuple[Any, ...]
    interpolation: str
    data_format: str

    @property
    def copies(self) -> bool:
        """Whether it copies pixels: nearest by integer factors."""
        return copies(self.interpolation, self.size)

    def of(self, small: Any, one: "Operation") -> Delayed:
        """Return a tensor, to be upsampled by an operation of this form."""
        margin = both_ends((0,) * len(self.size))
        sources = (id(one.source),)
        return Delayed(
            small,
            self.size,
            self.interpolation,
            self.data_format,
            sources,
            one.name,
            margin,
            per_step=one.per_step,
        )


@dataclass(frozen=True)
class Pad:
    """Zeros around an image; amounts below 0 are cut off."""

    amounts: Margin
    data_format: str


@dataclass(frozen=True)
class Pointwise:
    """A function of the numbers at one place, of one image or of several.

    Attributes:
        affine: whether it is `a x + b`, of one image.
        mixes: axes along which the numbers of a result are computed from all numbers.
        varies: axes along which it is not the same function.
        dims: how many axes an image has at least; of one with fewer, more come to be.
        at_inference: whether it is one at inference only.
    """

    affine: bool = False
    mixes: Axes = ()
    varies: Axes = ()
    dims: int = 0
    at_inference: bool = False

    @property
    def elementwise(self) -> bool:
        """Whether each number is computed from the one at its place, everywhere alike."""
        return not self.mixes + self.varies

    def within(self, value: Delayed) -> bool:
        """Return whether it computes a pixel from that pixel, everywhere alike."""
        alike = all(value.channels(axis) for axis in self.mixes + self.varies)
        return alike and len(value.size) + 2 >= self.dims

    def passes(self, value: Delayed) -> bool:
        """Return whether it may be applied before an upsampling."""
        return self.within(value) and (self.affine or value.copies)


@dataclass(frozen=True)
class Norm:
    """Normalisation of channels, by their own mean and variance or by those of a pixel.

    Attributes:
        axes: along which numbers are scaled apart.
        batch: whether mean and variance are of a batch, and at inference known numbers.
        fixed: whether they are known in training too.
    """

    axes: Axes
    batch: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Transpose:
    """Axes in another order: of each new one, which old one it is."""

    order: tuple[int, ...]


@dataclass(frozen=True)
class Concat:
    """Images side by side along an axis."""

    axis: int


@dataclass(frozen=True)
class Sum:
    """A linear combination of images, everywhere alike."""


@dataclass(frozen=True)
class Conv:
    """A convolution, and a function of its result.

    Attributes:
        way: "full", "depthwise" or "separable".
        kernel_size: taps per axis; `strides` and `dilation` likewise.
        groups: of channels.
        padding: "same", "valid" or what else there is.
        data_format: "channels_last" or "channels_first".
        activation: `Pointwise`, or `Opaque`.
    """

    way: str
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    padding: str
    data_format: str
    activation: Pointwise | Opaque

    @property
    def pointwise(self) -> bool:
        """Whether it computes a pixel from the pixel at its place."""
        return self.way == "full" and set(self.kernel_size) == set(self.strides) == {1}

    @property
    def linear(self) -> bool:
        """Whether no function changes its result."""
        return self.activation == Pointwise(affine=True)

    @property
    def plain(self) -> bool:
        """Whether ours computes it, which have neither strides nor other padding."""
        return set(self.strides) == {1} and self.padding in ("same", "valid")

    def absorbs(self, value: Delayed | Joined | Upsample) -> bool:
        """Return whether a convolution of ours, which upsamples first, computes it."""
        return self.plain and self.data_format == value.data_format


Form = Opaque | Upsample | Pad | Pointwise | Norm | Concat | Sum | Conv | Transpose


@dataclass(frozen=True, eq=False)
class Operation:
    """One call of an operation.

    Attributes:
        name: its own.
        form: what it does.
        inputs: what it is called with: tensors, `Delayed` or `Joined`.
        source: the layer or node, for who writes.
        args: the arguments that hold the inputs.
        dtype: what it computes in, and casts values to; "": in that of its inputs.
        watched: whether a loss is computed of its result, whose size matters therefore.
        per_step: whether it is called for every step of a sequence.
    """

    name: str
    form: Form
    inputs: tuple[Any, ...]
    source: Any
    args: tuple[Any, ...]
    dtype: str
    watched: bool
    per_step: bool

    def keeps_dtype(self, tensor: Any) -> bool:
        """Return whether it computes in a tensor's dtype, so that no cast is left out."""
        return self.dtype in ("", str(tensor.dtype).rpartition(".")[-1])
