"""The decoders that a comparison can choose from: each doubles the sides of an image.

A decoder is a function `(filters, activation, name) -> layer` that makes one x2 stage. Padding is
`same`. Kernels start He-uniform, by the number of taps that an output pixel really sees:
`k * k * c_in` of an upsampled image, and `k * k * c_in / 4` of a transposed convolution, whose taps
are divided among four phases. (Keras counts `k * k * c_out` there, as if the kernel were that of a
convolution.)
"""

import functools
import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras.layers import Conv2D, Cropping2D

from polyphase.layers import (
    CARAFE2D,
    Conv2DTranspose,
    DySample2D,
    SubPixelConv2D,
    UpSampleConv2D,
)

Stage = Callable[[int, str, str], keras.Layer]

# Keras' "fan_out" of a transposed kernel is `k * k * c_in`, a fourth of which an output pixel sees.
_he_of_phases = functools.partial(
    keras.initializers.VarianceScaling, scale=2.0 * 4, mode="fan_out", distribution="uniform"
)


def _resize_convolution(interpolation: str, kernel_size: int = 3) -> Stage:
    def stage(filters: int, activation: str, name: str) -> keras.Layer:
        return UpSampleConv2D(
            filters,
            kernel_size,
            size=2,
            padding="same",
            interpolation=interpolation,
            activation=activation,
            kernel_initializer="he_uniform",
            name=name,
        )

    return stage


def _followed(first: Stage) -> Stage:
    """Return a stage with a convolution of 3x3 behind it, at full size."""

    def stage(filters: int, activation: str, name: str) -> keras.Layer:
        behind = Conv2D(
            filters, 3, padding="same", activation=activation, kernel_initializer="he_uniform"
        )
        return keras.Sequential([first(filters, "relu", f"{name}_resize"), behind], name=name)

    return stage


# As published it costs 58,000 weights a stage. Comparisons have 8 channels, not 256 => smaller.
def _carafe(filters: int, activation: str, name: str) -> keras.Layer:
    return CARAFE2D(2, kernel_size=3, compression=4, name=name)


def _dysample(filters: int, activation: str, name: str) -> keras.Layer:
    return DySample2D(2, groups=1, name=name)  # one group divides any width


def _transposed(kernel_size: int) -> Stage:
    def stage(filters: int, activation: str, name: str) -> keras.Layer:
        return Conv2DTranspose(
            filters,
            kernel_size,
            strides=2,
            padding="same",
            activation=activation,
            kernel_initializer=_he_of_phases(),
            name=name,
        )

    return stage


def _transposed_cropped_at_the_start(filters: int, activation: str, name: str) -> keras.Layer:
    whole = Conv2DTranspose(
        filters,
        3,
        strides=2,
        activation=activation,
        kernel_initializer=_he_of_phases(),
    )
    return keras.Sequential([whole, Cropping2D(((1, 0), (1, 0)))], name=name)


def _sub_pixel(filters: int, activation: str, name: str) -> keras.Layer:
    return SubPixelConv2D(
        filters,
        3,
        size=2,
        padding="same",
        activation=activation,
        kernel_initializer="he_uniform",
        name=name,
    )


@dataclass(frozen=True)
class Traits:
    """The properties in which the stages of two decoders can differ.

    Attributes:
        operator: what a stage computes, in words.
        taps: the first and the last pixel of the result that a pixel `j` reaches along one axis,
            counted from `2 j`: the window of the equal transposed convolution.
        weights: number of weights for one pair of channels.
        interpolation: what is between the pixels; empty if every tap of the window is free.
        behind: whether a nonlinearity and a convolution at full size follow.
        predicted: whether what is between the pixels is predicted from the image. For predicted
            positions, `taps` is the window at the start of training.
    """

    operator: str
    taps: tuple[int, int]
    weights: int
    interpolation: str = ""
    behind: bool = False
    predicted: bool = False

    @property
    def pixels(self) -> int:
        """The most pixels of its input that a pixel of the result sees along one axis."""
        return (self.taps[1] - self.taps[0]) // 2 + 1

    def contains(self, other: "Traits") -> bool:
        """Whether this can compute whatever the other computes, if its weights are chosen for it.

        Except at the border, where bilinear interpolation repeats the last pixels.
        """
        return (
            not (self.behind or other.behind or self.predicted or other.predicted)
            and self.taps[0] <= other.taps[0]
            and other.taps[1] <= self.taps[1]
            and self.interpolation in ("", other.interpolation)
        )

    def differs(self, other: "Traits") -> list[str]:
        """Return the names of the properties in which this differs from the other."""
        factors = {
            "window": self.taps != other.taps,
            "tied weights": bool(self.interpolation) != bool(other.interpolation),
            "interpolation": bool(self.interpolation and other.interpolation)
            and self.interpolation != other.interpolation,
            "second convolution": self.behind != other.behind,
            "prediction": self.predicted != other.predicted,
        }
        return [name for name, differ in factors.items() if differ]


DECODERS: dict[str, Stage] = {
    "nearest": _resize_convolution("nearest"),
    "bilinear": _resize_convolution("bilinear"),
    "transposed-3": _transposed(3),
    "transposed-4": _transposed(4),
    "subpixel": _sub_pixel,
    "transposed-3-start": _transposed_cropped_at_the_start,
    "transposed-6": _transposed(6),
    "nearest-4": _resize_convolution("nearest", 4),
    "nearest+conv": _followed(_resize_convolution("nearest")),
    "bilinear+conv": _followed(_resize_convolution("bilinear")),
    "carafe": _followed(_carafe),
    "dysample": _followed(_dysample),
}
TRAITS = {
    "nearest": Traits("nearest upsampling, then a 3x3 convolution", (-1, 2), 9, "nearest"),
    "bilinear": Traits("bilinear upsampling, then a 3x3 convolution", (-2, 3), 9, "bilinear"),
    "transposed-3": Traits("transposed convolution of 3x3, cropped at the end", (0, 2), 9),
    "transposed-4": Traits("transposed convolution of 4x4", (-1, 2), 16),
    "subpixel": Traits("3x3 convolution to four times the channels, moved into space", (-2, 3), 36),
    "transposed-3-start": Traits("transposed convolution of 3x3, cropped at the start", (-1, 1), 9),
    "transposed-6": Traits("transposed convolution of 6x6", (-2, 3), 36),
    "nearest-4": Traits("nearest upsampling, then a 4x4 convolution", (-2, 2), 16, "nearest"),
    "nearest+conv": Traits(
        "nearest upsampling, then two 3x3 convolutions", (-2, 3), 18, "nearest", behind=True
    ),
    "bilinear+conv": Traits(
        "bilinear upsampling, then two 3x3 convolutions", (-3, 4), 18, "bilinear", behind=True
    ),
    "carafe": Traits(
        "kernels of 3x3 predicted from the image, then a 3x3 convolution",
        (-3, 4),
        9,
        "predicted kernels",
        predicted=True,
    ),
    "dysample": Traits(
        "sampling points predicted from the image, read bilinearly, then a 3x3 convolution",
        (-2, 3),
        9,
        "predicted sampling points",
        predicted=True,
    ),
}


def decoder(name: str) -> Stage:
    """Return a decoder by its name, or your own as `package.module:function`.

    Modules are looked for where Python looks, and in the current folder.

    Raises:
        ValueError: for an unknown name, a module that cannot be imported, or a function whose layer
            does not turn `(4, 4, channels)` into `(8, 8, filters)`.

    Example:
        >>> decoder("nearest")(3, "relu", "up").compute_output_shape((None, 4, 4, 8))
        (None, 8, 8, 3)
    """
    if name in DECODERS:
        return DECODERS[name]
    module, _, function = name.partition(":")
    if not function:
        raise ValueError(
            f"Unknown decoder {name!r}. Choose from: {', '.join(DECODERS)}; or give your own as "
            "package.module:function."
        )
    stage = _imported(module, function, name)
    _require_doubling(stage, name)
    return stage


def stages(name: str, count: int) -> list[Stage]:
    """Return the x2 stages of a network, in their order.

    Args:
        name: of a decoder, for all; or two as `EARLIER/LAST`: the last stage has its own.
        count: how many, at least 1; two decoders need two stages.

    Raises:
        ValueError: as `decoder` does, or for two decoders of one stage.

    Example:
        >>> nearest, last = stages("nearest/transposed-3", 2)
        >>> last(3, "relu", "up").kernel_size
        (3, 3)
    """
    earlier, two, last = name.partition("/")
    if not two:
        return [decoder(name)] * count
    if count < 2:
        raise ValueError(f"The network has one stage, and {name!r} names two. Give one decoder.")
    return [decoder(earlier)] * (count - 1) + [decoder(last)]


def _imported(module: str, function: str, name: str) -> Stage:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # a user's module may raise anything
        raise ValueError(f"The decoder {name!r} cannot be imported: {error}.") from error
    if not callable(found):
        raise ValueError(
            f"The decoder {name!r} must be a function. Received: {type(found).__name__}."
        )
    return found


def _require_doubling(stage: Stage, name: str) -> None:
    """Say what is wrong with what a user's function makes."""
    try:
        made = stage(3, "relu", "up")(keras.Input((4, 4, 8)))
        shape = tuple(made.shape)
    except Exception as error:  # a user's function may raise anything
        raise ValueError(
            f"The decoder {name!r} fails when it is called as function(filters, activation, name), "
            f"or its layer fails on images of (4, 4, 8): {error}"
        ) from error
    if shape != (None, 8, 8, 3):
        raise ValueError(
            f"The decoder {name!r} must double the sides: turn (4, 4, 8) into (8, 8, 3) for 3 "
            f"filters. Received: {shape[1:]}."
        )
