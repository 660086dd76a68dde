"""Why an upsampling had to be computed: the obstacles, each with a section in docs/folding.md."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, tree

from polyphase.layers import kinds
from polyphase.rewrite.activations import watched
from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import (
    Concat,
    Conv,
    Form,
    Norm,
    Opaque,
    Operation,
    Pad,
    Pointwise,
    Sum,
    Upsample,
)
from polyphase.rewrite.operations import RESIZE
from polyphase.rewrite.reader import form_of
from polyphase.rewrite.reasons import ALIGNED, WATCHED
from polyphase.rewrite.report import Why

_CUT = "the upsampled image was padded with zeros or cropped before"
_RESIZING = (kinds.UPSAMPLING, kinds.RESIZING)


@dataclass(frozen=True)
class Obstacle:
    """What kept an upsampling from moving further.

    Attributes:
        text: the end of a sentence.
        why: the section of the documentation that explains it.
    """

    text: str
    why: Why


def upsamples(layer: Any) -> bool:
    """Return whether a layer or operation resizes images and nothing else."""
    return kinds.nearest(layer) in _RESIZING or type(layer) is RESIZE


def at(one: Operation, layer: Any, build: Build) -> Obstacle:
    """Return why no rule took a call of a layer, at least one of whose inputs is delayed."""
    if id(layer) in build.used:
        return Obstacle("it cannot be copied and is used as it is", Why.SHARED)
    if id(layer) in build.alone:
        return Obstacle("it is shared and would need two forms", Why.SHARED)
    values = [value for value in one.inputs if isinstance(value, (Delayed, Joined))]
    if any(part.per_step != one.per_step for value in values for part in parts(value)):
        return Obstacle("only one of the two is called for every step of a sequence", Why.STEPS)
    form = one.form
    if isinstance(form, Opaque):
        return _unread(one)
    if isinstance(form, Conv):
        return _convolution(one, form, values[0])
    if one.watched:
        return Obstacle("its activity_regularizer reads the large image", Why.LOSS)
    if isinstance(values[0], Joined) and len(one.inputs) == 1:
        return _of_parts(form, values[0], build)
    if isinstance(form, (Pointwise, Sum, Concat)):
        return _together(one, form, values[0], build)
    return _alone(form, values[0])


def parts(value: Delayed | Joined) -> list[Delayed]:
    """Return what will be upsampled."""
    return value.delayed if isinstance(value, Joined) else [value]


def _unread(one: Operation) -> Obstacle:
    if upsamples(one.source):
        return Obstacle("two upsamplings become one only if both are nearest", Why.INTERPOLATION)
    if type(one.source) is layers.Activation and one.watched:
        return Obstacle("its activity_regularizer reads the large image", Why.LOSS)
    if type(one.source) is layers.Activation:
        return Obstacle("its function is not known to act on each pixel alone", Why.UNREAD)
    if not isinstance(form_of(one.source, one.args), Opaque):
        return Obstacle("it is called with other arguments than images", Why.UNREAD)
    return Obstacle(f"no upsampling moves past {type(one.source).__name__}", Why.UNREAD)


def _convolution(one: Operation, conv: Conv, value: Delayed | Joined) -> Obstacle:
    if not conv.plain:
        what = "strides" if set(conv.strides) != {1} else f"padding={conv.padding!r}"
        return Obstacle(f"a convolution with {what} absorbs no upsampling", Why.CONVOLUTION)
    if conv.data_format != value.data_format:
        return Obstacle("its channels are on another axis", Why.CONVOLUTION)
    if isinstance(value, Joined):
        return _split(conv, value)
    if not value.plain:
        if one.watched:
            return Obstacle("its activity_regularizer would read a larger image", Why.LOSS)
        if conv.padding == "same" and min(map(min, value.margin)) < 0:
            return Obstacle("it pads with zeros where a crop cut off a part of a pixel", Why.ZEROS)
        return Obstacle("its activation would read a larger image", Why.ZEROS)
    return Obstacle(f"a {conv.way} convolution absorbs only nearest", Why.INTERPOLATION)


def _split(conv: Conv, value: Joined) -> Obstacle:
    if conv.groups != 1 or conv.way != "full":
        what = (
            "of a convolution with groups" if conv.way == "full" else f"of a {conv.way} convolution"
        )
        return Obstacle(f"a kernel {what} is not split", Why.CONCATENATION)
    ways = sorted({part.interpolation for part in value.delayed})
    if len(ways) > 1:
        return Obstacle(f"its images are upsampled by {' and '.join(ways)}", Why.CONCATENATION)
    return Obstacle(
        f"a kernel is split only where that is faster, and for {ways[0]} it is not faster here",
        Why.CONCATENATION,
    )


def _of_parts(form: Form, value: Joined, build: Build) -> Obstacle:
    if isinstance(form, Norm):
        if not form.batch:
            return Obstacle("it normalises the concatenation as a whole", Why.CONCATENATION)
        return _normalisation(form, value.delayed[0])
    if isinstance(form, Pointwise) and not form.elementwise:
        return Obstacle("it mixes the concatenated channels", Why.CONCATENATION)
    if isinstance(form, Pointwise):
        return _function(form, next(part for part in value.delayed if not form.passes(part)), build)
    return Obstacle("it reads the concatenation as a whole", Why.CONCATENATION)


def _together(
    one: Operation, form: Pointwise | Sum | Concat, value: Delayed | Joined, build: Build
) -> Obstacle:
    """Of one image or several."""
    delayed = [other for other in one.inputs if isinstance(other, Delayed)]
    if len(delayed) < len(one.inputs) and not isinstance(form, Concat):
        return Obstacle("another of its inputs is not upsampled", Why.IMAGE)
    if isinstance(form, Concat) and not all(part.channels(form.axis) for part in parts(value)):
        return Obstacle("it concatenates along another axis than the channels", Why.IMAGE)
    if any(not other.plain for other in delayed):
        return Obstacle(_CUT, Why.ZEROS)
    if isinstance(form, Pointwise) and len(delayed) == 1:
        return _function(form, delayed[0], build)
    if any(other.way != delayed[0].way for other in delayed):
        return Obstacle("its inputs are upsampled in different ways", Why.IMAGE)
    if isinstance(form, Pointwise):
        return _function(form, delayed[0], build)
    return Obstacle("its inputs have different sizes", Why.IMAGE)


def _function(form: Pointwise, value: Delayed, build: Build) -> Obstacle:
    if form.at_inference and not build.inference:
        return Obstacle(
            "in training it treats pixels differently; inference=True moves it", Why.TRAINING
        )
    if not form.within(value):
        return Obstacle("it does not apply one function to each pixel alone", Why.PIXELS)
    return Obstacle(f"it is not linear, and {value.interpolation} mixes pixels", Why.INTERPOLATION)


def _alone(form: Form, value: Any) -> Obstacle:
    """Of what reads one image."""
    if isinstance(form, Norm):
        return _normalisation(form, value)
    if isinstance(form, Upsample):
        return Obstacle("two upsamplings become one only if both are nearest", Why.INTERPOLATION)
    if isinstance(form, Pad) and not value.copies:
        return Obstacle("only nearest moves past padding and cropping", Why.INTERPOLATION)
    return Obstacle(
        "it pads with zeros after a crop, or has another data format or dtype", Why.ZEROS
    )


def _normalisation(form: Norm, value: Delayed) -> Obstacle:
    if not value.plain:
        return Obstacle(_CUT, Why.ZEROS)
    if [value.channels(axis) for axis in form.axes] != [True]:
        return Obstacle("it normalises along another axis than the channels", Why.PIXELS)
    if form.batch:
        return Obstacle(
            f"{value.interpolation} changes a batch's variance; inference=True moves it",
            Why.TRAINING,
        )
    return Obstacle(f"{value.interpolation} changes an image's variance", Why.INTERPOLATION)


def left(one: Operation, layer: Any, build: Build) -> Obstacle:
    """Return why an upsampling is called as it is."""
    source = one.source
    if id(layer) in build.used:
        return Obstacle("it cannot be copied and is used as it is", Why.SHARED)
    if id(layer) in build.alone:
        return Obstacle("it is shared and would need two forms", Why.SHARED)
    if watched(source):
        return Obstacle(WATCHED, Why.LOSS)
    if getattr(source, "align_corners", False):
        return Obstacle(ALIGNED, Why.NUMBERS)
    if kinds.exact(source) not in _RESIZING and type(source) is not RESIZE:
        return Obstacle(f"{type(source).__name__} is a class of its own", Why.NUMBERS)
    image = next(one for one in tree.flatten(one.args) if isinstance(one, keras.KerasTensor))
    if isinstance(one.form, Upsample):
        return Obstacle(f"it computes in {one.dtype}, but its image is {image.dtype}", Why.NUMBERS)
    if hasattr(source, "crop_to_aspect_ratio"):
        return _resizing(source, image, one.per_step)
    return _numbers(source)


def _resizing(source: Any, image: Any, per_step: bool) -> Obstacle:
    """Of Keras' `Resizing`, or its operation."""
    if source.crop_to_aspect_ratio or source.pad_to_aspect_ratio:
        return Obstacle("it keeps the aspect ratio by cropping or padding", Why.SIZES)
    if per_step:
        return Obstacle("it resizes the steps of a sequence", Why.STEPS)
    if "float" not in image.dtype:
        return Obstacle(f"it resizes {image.dtype} values, which Keras rounds", Why.NUMBERS)
    if None in image.shape[1:] or len(image.shape) != 4:
        return Obstacle("the size of its image is not known", Why.SIZES)
    first = 1 if source.data_format == "channels_last" else 2
    wanted = getattr(source, "size", None) or (source.height, source.width)
    sides = image.shape[first : first + 2]
    if any(out % side for out, side in zip(wanted, sides, strict=True)):
        return Obstacle("its factor is not an integer", Why.SIZES)
    return _numbers(source)


def _numbers(source: Any) -> Obstacle:
    backend = keras.backend.backend()
    return Obstacle(
        f"Keras' {source.interpolation} on {backend} differs from its formula",
        Why.NUMBERS,
    )
