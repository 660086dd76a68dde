"""Why an upsampling stays: the obstacle that is named is the one; without it a model is folded."""

import re
from pathlib import Path

import keras
import pytest
from keras import layers, ops

import polyphase as pp
from polyphase.rewrite.report import Why
from tests.rewrite.helpers import assert_equal_outputs

PAGE = Path(__file__).parents[2] / "docs" / "folding.md"


def up(size=2, **options):
    return layers.UpSampling2D(size, **options)


def conv(**options):
    return layers.Conv2D(2, 3, **options)


def chain(*between, shape=(6, 6, 4)):
    return keras.Sequential([keras.Input(shape), *between])


def fork(join, *after, first=None, second=None):
    """Two images of one size, joined: the first upsampled, the second too, or large already."""
    x, z = keras.Input((6, 6, 4)), keras.Input((6, 6, 4) if second else (12, 12, 4))
    y = join([(first or up())(x), second(z) if second else z])
    for layer in after:
        y = layer(y)
    return keras.Model([x, z], y)


def nested(*inside):
    inner = keras.Sequential([keras.Input((12, 12, 4)), *inside], name="inner")
    x = keras.Input((6, 6, 4))
    return keras.Model(x, inner(up()(x)))


def nested_upsampling(*after):
    inner = keras.Sequential([keras.Input((6, 6, 4)), layers.ReLU(), up()], name="inner")
    x = keras.Input((6, 6, 4))
    y = inner(x)
    for layer in after:
        y = layer(y)
    return keras.Model(x, y)


def shared(*sizes):
    x, draw = keras.Input((6, 6, 4)), conv(padding="same")
    return keras.Model(x, [draw(up(size)(x)) for size in sizes])


class Held(layers.Layer):
    """A class that upsamples, pools perhaps, and convolves."""

    def __init__(self, pools=False, **kwargs):
        super().__init__(**kwargs)
        self.pools = pools
        self.up, self.pool, self.conv = up(), layers.MaxPooling2D(name="pool"), conv()

    def call(self, x):
        x = self.up(x)
        return self.conv(self.pool(x) if self.pools else x)

    def get_config(self):
        return super().get_config() | {"pools": self.pools}


def own(x):
    return x - ops.mean(x)


def smooth(size=2):
    return up(size, interpolation="bilinear")


class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


class OwnUpSampling(layers.UpSampling2D):
    pass


def steps(*between):
    return chain(*between, shape=(3, 6, 6, 4))


def each(layer):
    return layers.TimeDistributed(layer)


# name: the section, words, a model with the obstacle, and one without, which gains.
CASES = {
    "output": (Why.OUTPUT, "for the output", lambda: chain(up()), lambda: chain(up(), conv())),
    "pooling": (
        Why.UNREAD,
        "no upsampling moves past MaxPooling2D",
        lambda: chain(up(), layers.MaxPooling2D(), conv()),
        lambda: chain(up(), conv()),
    ),
    "a layer of the user's": (
        Why.UNREAD,
        "no upsampling moves past Doubled",
        lambda: chain(up(), Doubled(), conv()),
        lambda: chain(up(), layers.Rescaling(2.0), conv()),
    ),
    "a function of the user's": (
        Why.UNREAD,
        "not known to act on each pixel alone",
        lambda: chain(up(), layers.Activation(own), conv()),
        lambda: chain(up(), layers.Activation("relu"), conv()),
    ),
    "a skip": (
        Why.IMAGE,
        "another of its inputs is not upsampled",
        lambda: fork(layers.Add(), conv()),
        lambda: fork(layers.Add(), conv(), second=up()),
    ),
    "unlike": (
        Why.IMAGE,
        "upsampled in different ways",
        lambda: fork(layers.Add(), conv(), second=smooth()),
        lambda: fork(layers.Add(), conv(), first=smooth(), second=smooth()),
    ),
    "rows side by side": (
        Why.IMAGE,
        "concatenates along another axis than the channels",
        lambda: fork(layers.Concatenate(axis=1), conv()),
        lambda: fork(layers.Concatenate(axis=3), conv()),
    ),
    "small bilinear channels": (
        Why.CONCATENATION,
        "for bilinear it is not faster here",
        lambda: fork(layers.Concatenate(), conv(), first=smooth()),
        lambda: fork(layers.Concatenate(), conv()),
    ),
    "two interpolations": (
        Why.CONCATENATION,
        "upsampled by bilinear and nearest",
        lambda: fork(layers.Concatenate(), conv(), second=smooth()),
        lambda: fork(layers.Concatenate(), conv(), second=up()),
    ),
    "groups": (
        Why.CONCATENATION,
        "a kernel of a convolution with groups is not split",
        lambda: fork(layers.Concatenate(), conv(groups=2)),
        lambda: fork(layers.Concatenate(), conv()),
    ),
    "depthwise, of a concatenation": (
        Why.CONCATENATION,
        "of a depthwise convolution is not split",
        lambda: fork(layers.Concatenate(), layers.DepthwiseConv2D(3)),
        lambda: fork(layers.Concatenate(), conv()),
    ),
    "groups of channels, normalised": (
        Why.CONCATENATION,
        "as a whole",
        lambda: fork(layers.Concatenate(), layers.GroupNormalization(2), conv()),
        lambda: fork(layers.Concatenate(), layers.BatchNormalization(), conv()),
    ),
    "softmax of a concatenation": (
        Why.CONCATENATION,
        "mixes the concatenated channels",
        lambda: fork(layers.Concatenate(), layers.Softmax(), conv()),
        lambda: fork(layers.Concatenate(), layers.ReLU(), conv()),
    ),
    "strides": (
        Why.CONVOLUTION,
        "with strides absorbs no upsampling",
        lambda: chain(up(), conv(strides=2)),
        lambda: chain(up(), conv()),
    ),
    "relu of bilinear": (
        Why.INTERPOLATION,
        "it is not linear, and bilinear mixes pixels",
        lambda: chain(smooth(), layers.ReLU(), conv()),
        lambda: chain(up(), layers.ReLU(), conv()),
    ),
    "depthwise, of bilinear": (
        Why.INTERPOLATION,
        "a depthwise convolution absorbs only nearest",
        lambda: chain(smooth(), layers.DepthwiseConv2D(3)),
        lambda: chain(up(), layers.DepthwiseConv2D(3)),
    ),
    "zeros around bilinear": (
        Why.INTERPOLATION,
        "only nearest moves past padding",
        lambda: chain(smooth(), layers.ZeroPadding2D(), conv()),
        lambda: chain(up(), layers.ZeroPadding2D(), conv()),
    ),
    "an image's variance": (
        Why.INTERPOLATION,
        "bilinear changes an image's variance",
        lambda: chain(smooth(), layers.GroupNormalization(2), conv()),
        lambda: chain(up(), layers.GroupNormalization(2), conv()),
    ),
    "a number per pixel": (
        Why.PIXELS,
        "does not apply one function to each pixel",
        lambda: chain(up(), layers.PReLU(), conv()),
        lambda: chain(up(), layers.PReLU(shared_axes=(1, 2)), conv()),
    ),
    "rows normalised": (
        Why.PIXELS,
        "normalises along another axis than the channels",
        lambda: chain(up(), layers.BatchNormalization(axis=1), conv()),
        lambda: chain(up(), layers.BatchNormalization(), conv()),
    ),
    "a cut of a part of a pixel": (
        Why.ZEROS,
        "where a crop cut off a part of a pixel",
        lambda: chain(up(), layers.Cropping2D(((1, 0), (0, 0))), conv(padding="same")),
        lambda: chain(up(), layers.Cropping2D(((2, 0), (0, 0))), conv(padding="same")),
    ),
    "zeros, then a function that zeros change": (
        Why.ZEROS,
        "padded with zeros or cropped",
        lambda: chain(up(), layers.ZeroPadding2D(), layers.ReLU(), conv()),
        lambda: chain(up(), layers.ReLU(), layers.ZeroPadding2D(), conv()),
    ),
    "zeros, and an activation of the whole": (
        Why.ZEROS,
        "its activation would read a larger image",
        lambda: chain(up(), layers.ZeroPadding2D(((2, 0), (0, 1))), conv(activation=own)),
        lambda: chain(up(), layers.ZeroPadding2D(((2, 0), (0, 1))), conv(activation="relu")),
    ),
    "a loss of the upsampled image": (
        Why.LOSS,
        "reads the upsampled image",
        lambda: chain(up(activity_regularizer="l2"), conv()),
        lambda: chain(up(), conv(activity_regularizer="l2")),
    ),
    "a loss behind it": (
        Why.LOSS,
        "reads the large image",
        lambda: chain(up(), layers.Activation("relu", activity_regularizer="l2"), conv()),
        lambda: chain(up(), layers.Activation("relu"), conv()),
    ),
    "a convolution of two forms": (
        Why.SHARED,
        "would need two forms",
        lambda: shared(2, 3),
        lambda: shared(2, 2),
    ),
    "a nested model that pools": (
        Why.NESTED,
        "before the model 'inner': its inputs stay",
        lambda: nested(layers.MaxPooling2D()),
        lambda: nested(conv()),
    ),
    "a nested model whose reader pools": (
        Why.NESTED,
        "of the model 'inner': its outputs stay",
        lambda: nested_upsampling(layers.MaxPooling2D()),
        lambda: nested_upsampling(conv()),
    ),
    "a class that pools": (
        Why.CLASS,
        "before 'pool'",
        lambda: chain(Held(pools=True)),
        lambda: chain(Held()),
    ),
    "steps, and a convolution of them all": (
        Why.STEPS,
        "every step of a sequence",
        lambda: steps(each(up()), layers.ConvLSTM2D(2, 3)),
        lambda: steps(each(up()), each(conv())),
    ),
    "aligned corners": (
        Why.NUMBERS,
        "its corners are aligned",
        lambda: chain(pp.layers.UpSampling2D(interpolation="bilinear", align_corners=True), conv()),
        lambda: chain(pp.layers.UpSampling2D(interpolation="bilinear"), conv()),
    ),
    "bicubic by 3": (
        Why.NUMBERS,
        "differs from its formula",
        lambda: chain(up(3, interpolation="bicubic"), conv()),
        lambda: chain(up(3, interpolation="bilinear"), conv()),
    ),
    "another dtype": (
        Why.NUMBERS,
        "it computes in float16, but its image is float32",
        lambda: chain(up(dtype="float16"), conv()),
        lambda: chain(up(), conv()),
    ),
    "a class derived from Keras'": (
        Why.NUMBERS,
        "OwnUpSampling is a class of its own",
        lambda: chain(OwnUpSampling(), conv()),
        lambda: chain(up(), conv()),
    ),
    "by 1.5": (
        Why.SIZES,
        "its factor is not an integer",
        lambda: chain(layers.Resizing(9, 9), conv()),
        lambda: chain(layers.Resizing(12, 12), conv()),
    ),
    "unknown sides": (
        Why.SIZES,
        "the size of its image is not known",
        lambda: chain(layers.Resizing(12, 12), conv(), shape=(None, None, 4)),
        lambda: chain(layers.Resizing(12, 12), conv()),
    ),
    "aspect": (
        Why.SIZES,
        "keeps the aspect ratio",
        lambda: chain(layers.Resizing(12, 12, crop_to_aspect_ratio=True), conv()),
        lambda: chain(layers.Resizing(12, 12), conv()),
    ),
}
# name: a model that gains with other arguments of `fold`.
OTHERWISE = {
    "batch normalisation of bilinear": (
        Why.TRAINING,
        "inference=True moves it",
        lambda: chain(smooth(), layers.BatchNormalization(), conv()),
        {"inference": True},
        {},
    ),
    "dropout": (
        Why.TRAINING,
        "inference=True moves it",
        lambda: chain(up(), layers.Dropout(0.5), conv()),
        {"inference": True},
        {},
    ),
    "bilinear, of Keras' own layers": (
        Why.KERAS,
        "both are apart again",
        lambda: chain(smooth(), conv()),
        {},
        {"target": "keras"},
    ),
    "depthwise, of Keras' own layers": (
        Why.KERAS,
        "both are apart again",
        lambda: chain(up(), layers.DepthwiseConv2D(3)),
        {},
        {"target": "keras"},
    ),
}


def findings(model, **options):
    folded, report = pp.fold(model, return_report=True, **options)
    assert_equal_outputs(model, folded) if None not in model.inputs[0].shape[1:] else None
    return report.findings


def assert_blocked(found, why, words):
    assert not any(one.folded for one in found)
    assert {reason for one in found for reason in one.why} == {why}
    assert all(words in one.what for one in found)


@pytest.mark.parametrize("name", CASES)
def test_the_obstacle_that_is_named_is_the_one(name):
    why, words, blocked, free = CASES[name]
    assert_blocked(findings(blocked()), why, words)
    (*first, last) = findings(free())
    assert last.folded, last
    assert all(one.folded for one in first)
    assert not last.why


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_another_fold_would_gain_is_said(name):
    why, words, make, gaining, blocked = OTHERWISE[name]
    assert_blocked(findings(make(), **blocked), why, words)
    assert all(one.folded for one in findings(make(), **gaining))


def test_a_transposed_convolution_stays_keras_own_if_only_such_are_wanted():
    model = chain(layers.Conv2DTranspose(2, 4, strides=2))
    (finding,) = findings(model, target="keras")
    assert (finding.folded, finding.why) == (False, (Why.KERAS,))


def test_a_channel_that_is_another_axis_is_said():
    model = chain(
        up(data_format="channels_last"), conv(data_format="channels_first", padding="same")
    )
    if keras.backend.backend() == "tensorflow":
        _, report = pp.fold(model, return_report=True)  # which does not convolve so on a CPU
        assert_blocked(report.findings, Why.CONVOLUTION, "its channels are on another axis")
    else:
        assert_blocked(findings(model), Why.CONVOLUTION, "its channels are on another axis")


def test_who_reads_an_image_twice_says_both():
    x = keras.Input((6, 6, 4))
    y = up()(x)
    (finding,) = findings(keras.Model(x, [conv(name="draw")(y), layers.MaxPooling2D()(y)]))
    assert finding.folded
    assert "absorbed by 'draw'" in finding.what
    assert finding.why == (Why.UNREAD,)


def test_every_reason_is_explained_and_can_happen():
    text = PAGE.read_text()
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings]
    assert sorted(slugs) == sorted(Why)
    assert {why for why, *_ in (*CASES.values(), *OTHERWISE.values())} == set(Why)
    assert all(f"docs/{PAGE.name}#{why}" == why.link for why in Why)
