"""Every kind of layer that we know, ours and Keras': what it is, as data.

A new class of layers is registered here, once. What else is known of a kind (how its gains are
read, its products counted, what it is in Keras' own layers) is a table by kind where it is used; a
test asks every table for every kind. None is an answer: it does not apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keras import KerasTensor, layers, ops

from polyphase import layers as ours

Classes = Mapping[int, Any]  # by rank: along how many axes they work


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of layer, of all ranks.

    Attributes:
        operator: what it computes, in words.
        factor: the attribute that holds by how much it upsamples, or its gradient does; "": none.
        keras: Keras' own classes, of layers or operations.
        ours: those of `polyphase.layers`.
        kernels: the attributes that hold its kernels, in the order of its weights.
        inputs: the axis of the first kernel that holds the input channels.
        outputs: the axes of the last kernel that hold the output channels, which are the layer's;
            empty where several become one.
        convolution: of which kind the convolution is that follows the upsampling within it.
    """

    operator: str
    factor: str = ""
    keras: Classes = field(default_factory=dict)
    ours: Classes = field(default_factory=dict)
    kernels: tuple[str, ...] = ()
    inputs: int = -2
    outputs: tuple[int, ...] = ()
    convolution: "Kind | None" = None


def _upsampled(convolution: Kind, ours: Classes, operator: str = "upsampling and {}") -> Kind:
    """Return the kind of a layer of ours that upsamples and convolves."""
    return replace(
        convolution,
        operator=operator.format(convolution.operator),
        factor="size",
        keras={},
        ours=ours,
        convolution=convolution,
    )


OPAQUE = Kind("not known")
CONVOLUTION = Kind(
    "convolution",
    "strides",
    {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D},
    kernels=("kernel",),
    outputs=(-1,),
)
DEPTHWISE = Kind(
    "depthwise convolution",
    "strides",
    {1: layers.DepthwiseConv1D, 2: layers.DepthwiseConv2D},
    kernels=("kernel",),
    outputs=(-2, -1),
)
SEPARABLE = Kind(
    "separable convolution",
    "strides",
    {1: layers.SeparableConv1D, 2: layers.SeparableConv2D},
    kernels=("depthwise_kernel", "pointwise_kernel"),
    outputs=(-1,),
)
TRANSPOSED = Kind(
    "transposed convolution",
    "strides",
    {1: layers.Conv1DTranspose, 2: layers.Conv2DTranspose, 3: layers.Conv3DTranspose},
    {1: ours.Conv1DTranspose, 2: ours.Conv2DTranspose, 3: ours.Conv3DTranspose},
    kernels=("kernel",),
    inputs=-1,
    outputs=(-2,),
)
UPSAMPLED_CONVOLUTION = _upsampled(
    CONVOLUTION, {1: ours.UpSampleConv1D, 2: ours.UpSampleConv2D, 3: ours.UpSampleConv3D}
)
UPSAMPLED_DEPTHWISE = _upsampled(
    DEPTHWISE, {1: ours.UpSampleDepthwiseConv1D, 2: ours.UpSampleDepthwiseConv2D}
)
UPSAMPLED_SEPARABLE = _upsampled(
    SEPARABLE, {1: ours.UpSampleSeparableConv1D, 2: ours.UpSampleSeparableConv2D}
)
CONCATENATED = _upsampled(
    CONVOLUTION,
    {1: ours.ConcatConv1D, 2: ours.ConcatConv2D, 3: ours.ConcatConv3D},
    "upsampling, concatenation and {}",
)
SUB_PIXEL = Kind(
    "sub-pixel convolution",
    "size",
    {},
    {1: ours.SubPixelConv1D, 2: ours.SubPixelConv2D, 3: ours.SubPixelConv3D},
    ("kernel",),
)
DENSE = Kind("dense", "", {0: layers.Dense}, kernels=("kernel",), outputs=(-1,))
UPSAMPLING = Kind(
    "upsampling",
    "size",
    {1: layers.UpSampling1D, 2: layers.UpSampling2D, 3: layers.UpSampling3D},
    {1: ours.UpSampling1D, 2: ours.UpSampling2D, 3: ours.UpSampling3D},
)
UPSAMPLING_LIKE = Kind("upsampling to the size of another", ours={0: ours.UpSampleLike})
REASSEMBLY = Kind("content-aware reassembly", "size", ours={2: ours.CARAFE2D})
SAMPLING = Kind("dynamic sampling", "size", ours={2: ours.DySample2D})
GUIDED = Kind("guided upsampling", "size", ours={2: ours.GuidedUpSampling2D})
RESIZING = Kind("resizing", keras={2: layers.Resizing})
DEPTH_TO_SPACE = Kind(
    "channels into space",
    keras={2: type(ops.depth_to_space(KerasTensor((1, 1, 1, 4)), 2)._keras_history.operation)},
)
MAX_POOLING = Kind(
    "max pooling",
    "strides",
    {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D},
)
AVERAGE_POOLING = Kind(
    "average pooling",
    "strides",
    {1: layers.AveragePooling1D, 2: layers.AveragePooling2D, 3: layers.AveragePooling3D},
)
CROPPING = Kind(
    "cropping", keras={1: layers.Cropping1D, 2: layers.Cropping2D, 3: layers.Cropping3D}
)
ZERO_PADDING = Kind(
    "zero-padding",
    keras={1: layers.ZeroPadding1D, 2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D},
)

CONVOLUTIONS = (CONVOLUTION, DEPTHWISE, SEPARABLE)
UPSAMPLED = (UPSAMPLED_CONVOLUTION, UPSAMPLED_DEPTHWISE, UPSAMPLED_SEPARABLE)
LEARNED = (REASSEMBLY, SAMPLING, GUIDED)
POOLING = (MAX_POOLING, AVERAGE_POOLING)
KINDS = (
    *(OPAQUE, *CONVOLUTIONS, TRANSPOSED, *UPSAMPLED, CONCATENATED, SUB_PIXEL, DENSE),
    *LEARNED,
    *(UPSAMPLING, UPSAMPLING_LIKE, RESIZING, DEPTH_TO_SPACE, *POOLING, CROPPING, ZERO_PADDING),
)
_BY_CLASS = {
    one: kind for kind in KINDS for classes in (kind.keras, kind.ours) for one in classes.values()
}


def exact(layer: Any) -> Kind:
    """Return the kind of a layer's very class: one derived from it may compute anything."""
    return _BY_CLASS.get(type(layer), OPAQUE)


def nearest(layer: Any) -> Kind:
    """Return the kind of the nearest class that is known and that a layer's is derived from."""
    return next((_BY_CLASS[one] for one in type(layer).__mro__ if one in _BY_CLASS), OPAQUE)


def inner(layer: Any) -> Any:
    """Return what a TimeDistributed does to every step of a sequence; else the layer itself."""
    return layer.layer if type(layer) is layers.TimeDistributed else layer


def factor(layer: Any) -> Any:
    """Return by how much a layer upsamples, or its gradient does, per axis; None: it does not.

    Keras' UpSampling1D has a number; of a concatenation it is one for each input.
    """
    value = getattr(layer, nearest(layer).factor or "_", None)
    return (value,) if isinstance(value, int) else value


def kernels(layer: Any) -> list[Any]:
    """Return the kernels of a layer, by its nearest kind, in the order of its weights."""
    return [getattr(layer, name) for name in nearest(layer).kernels]


def is_ours(layer: Any) -> bool:
    """Return whether a layer's very class is one of `polyphase.layers`."""
    return type(layer) in exact(layer).ours.values()
