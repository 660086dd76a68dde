"""Time Polyphase's layers and Keras' own on the backend in use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras.layers import Conv2D, Input, Layer

from polyphase import layers as polyphase_layers
from polyphase.timing import Run, Times, alternate, forward, gradient


@dataclass(frozen=True)
class Case:
    """The same computation by Keras' layers and by ours.

    Attributes:
        group: "nearest + conv", "bilinear + conv", "Conv2DTranspose" or "UpSampling2D".
        name: the rest of its name.
        shape: shape of the input, batch first, channels last.
        keras: makes Keras' layers.
        ours: makes our layers, with the same weights in the same order.
    """

    group: str
    name: str
    shape: tuple[int, ...]
    keras: Callable[[], list[Layer]]
    ours: Callable[[], list[Layer]]


@dataclass(frozen=True)
class Result:
    """One case measured.

    Attributes:
        group: as in the case.
        name: as in the case.
        difference: largest difference of the outputs, relative to Keras' largest output.
        forward: contender -> its `Times`; "keras" and "ours" are always there.
        training: the same for forward and gradients.
    """

    group: str
    name: str
    difference: float
    forward: dict[str, Times]
    training: dict[str, Times]

    def ratio(self, mode: str) -> float:
        """Return Keras' median divided by ours for "forward" or "training"."""
        times = getattr(self, mode)
        return float(times["keras"].median / times["ours"].median)

    def record(self) -> dict[str, Any]:
        """Return the result as values that JSON can hold."""
        return asdict(self)


def resize_convolution(
    image: Sequence[int], filters: int, size: int = 2, k: int = 3, interpolation: str = "nearest"
) -> Case:
    """Return upsampling followed by a "same" convolution."""
    return Case(
        f"{interpolation} + conv",
        f"x{size}, {k}x{k}, {_sides(image)} -> {filters}",
        tuple(image),
        lambda: [
            keras.layers.UpSampling2D(size, interpolation=interpolation),
            Conv2D(filters, k, padding="same"),
        ],
        lambda: [
            polyphase_layers.UpSampleConv2D(
                filters, k, size=size, padding="same", interpolation=interpolation
            )
        ],
    )


def transposed_convolution(image: Sequence[int], filters: int, strides: int, k: int) -> Case:
    """Return a "same" transposed convolution."""

    def layer(layers: Any) -> list[Layer]:
        return [layers.Conv2DTranspose(filters, k, strides=strides, padding="same")]

    return Case(
        "Conv2DTranspose",
        f"{k}x{k}, stride {strides}, {_sides(image)} -> {filters}",
        tuple(image),
        lambda: layer(keras.layers),
        lambda: layer(polyphase_layers),
    )


def upsampling(image: Sequence[int], interpolation: str, size: int = 2) -> Case:
    """Return upsampling alone."""

    def layer(layers: Any) -> list[Layer]:
        return [layers.UpSampling2D(size, interpolation=interpolation)]

    return Case(
        "UpSampling2D",
        f"{interpolation} x{size}, {_sides(image)}",
        tuple(image),
        lambda: layer(keras.layers),
        lambda: layer(polyphase_layers),
    )


def quick_cases() -> Iterator[Case]:
    """Yield the cases of `polyphase bench`: usual layers of a decoder, small to medium."""
    for image, filters in (((8, 32, 32, 64), 64), ((64, 7, 7, 128), 64), ((25, 14, 14, 8), 8)):
        yield resize_convolution(image, filters)
    yield resize_convolution((8, 32, 32, 64), 64, interpolation="bilinear")
    for k in (3, 4):
        yield transposed_convolution((8, 16, 16, 64), 64, strides=2, k=k)
    for interpolation in ("nearest", "bilinear", "bicubic"):
        yield upsampling((1, 256, 256, 16), interpolation)


def measure(
    case: Case, seconds: float = 0.5, peers: Mapping[str, Mapping[str, Run]] = MappingProxyType({})
) -> Result:
    """Return the times of one case: all contenders in turns, forward and training.

    Args:
        case: what to measure, with random weights and images.
        seconds: time for each of the two modes, after compilation.
        peers: other calls to time beside Keras' layers and ours: mode -> name -> call.
    """
    theirs, ours = (layer_model(case.shape, make()) for make in (case.keras, case.ours))
    ours.set_weights(theirs.get_weights())
    x = np.random.default_rng(0).standard_normal(case.shape, dtype="float32")
    arrays = [x, *theirs.get_weights()]
    contenders = {"keras": layer_function(theirs), "ours": layer_function(ours)}
    expected, actual = (
        np.asarray(keras.ops.convert_to_numpy(model(x))) for model in (theirs, ours)
    )
    return Result(
        group=case.group,
        name=case.name,
        difference=float(np.abs(actual - expected).max() / np.abs(expected).max()),
        **{
            mode: alternate(
                {n: prepare(f, arrays) for n, f in contenders.items()} | dict(peers.get(mode, {})),
                seconds,
            )
            for mode, prepare in (("forward", forward), ("training", gradient))
        },
    )


def layer_model(shape: tuple[int, ...], layers: list[Layer]) -> keras.Model:
    """Return the layers as a model of known sizes; the batch size is not fixed."""
    return keras.Sequential([Input(shape[1:]), *layers])


def layer_function(model: keras.Model) -> Callable[..., Any]:
    """Return `f(images, *weights)`, which the backend compiles and differentiates."""
    return lambda x, *weights: model.stateless_call(list(weights), [], x)[0]


def _sides(image: Sequence[int]) -> str:
    return "x".join(map(str, image))
