"""An empty batch has an empty result, forward and backward; an empty side is refused."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.ops import (
    conv_transpose,
    depth_to_space,
    upsample,
    upsample_conv,
    upsample_depthwise_conv,
)
from tests.gradients import vjp
from tests.ops import cases

BACKEND = keras.backend.backend()
W = np.ones((3, 3, 4, 4), "float32")
FUNCTIONS = {
    **{
        f"upsample-{lowering}-{interpolation}": (
            lambda x, w, f, a=(2, interpolation), lowering=lowering: upsample(x, *a, f, lowering)
        )
        for lowering in ["auto", "reference", "direct", "phases", "native"]
        if (lowering, BACKEND) != ("native", "jax")
        for interpolation in ("nearest", "bicubic")
    },
    **{
        f"upsample_conv-{lowering}-{size}": (
            lambda x, w, f, lowering=lowering, size=size, kind=kind: upsample_conv(
                x, w, size, kind, "same", f, lowering=lowering
            )
        )
        for lowering, size, kind in [
            *(
                (one, 2, "nearest")
                for one in (
                    "auto", "reference", "direct", "phases", "transpose", "difference", "patches",
                )
            ),
            *((one, 1.5, "bilinear") for one in ("auto", "reference", "direct", "patches")),
        ]
    },
    **{
        f"conv_transpose-{lowering}": lambda x, w, f, lowering=lowering: conv_transpose(
            x, w, 2, "same", None, f, lowering=lowering
        )
        for lowering in ("auto", "reference", "direct", "phases", "patches")
    },
    **{
        f"depthwise-{lowering}": lambda x, w, f, lowering=lowering: upsample_depthwise_conv(
            x, w, 2, "nearest", "same", f, lowering=lowering
        )
        for lowering in (
            "auto", "reference", "direct", "phases", *(["transpose"] if BACKEND == "torch" else []),
        )
    },
    "depth_to_space": lambda x, w, f: depth_to_space(x, 2, f),
}  # fmt: skip
NAMES = list(FUNCTIONS)


@pytest.mark.parametrize("name", NAMES if BACKEND != "jax" else NAMES[::2])
@pytest.mark.grid(5)
def test_an_empty_batch_has_an_empty_result_and_gradient(name):
    for data_format in cases.FORMATS[: 1 if BACKEND == "jax" else 2]:
        one, empty = (
            cases.to_format(np.ones((n, 6, 5, 4), "float32"), data_format) for n in (1, 0)
        )
        function = FUNCTIONS[name]
        shape = tuple(function(one, W, data_format).shape)
        convolves = not name.startswith(("upsample-", "depth_to"))
        y, gradients, dtype = vjp(
            lambda *a, function=function, f=data_format: function(*a, *[W] * (2 - len(a)), f),
            [empty, W] if convolves else [empty],
            np.ones,
        )
        assert (y.shape, dtype) == ((0, *shape[1:]), "float32")
        assert gradients[0].shape == empty.shape
        assert not convolves or (gradients[1] == np.zeros(W.shape)).all()


LAYERS = {
    "UpSampling2D": {"size": 1.5},
    "UpSampleConv2D": {"filters": 2, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3, "strides": 2},
    "UpSampleDepthwiseConv2D": {"kernel_size": 3},
    "UpSampleSeparableConv2D": {"filters": 2, "kernel_size": 3},
    "SubPixelConv2D": {"filters": 2, "kernel_size": 3},
    "CARAFE2D": {"compression": 4},
    "DySample2D": {"groups": 3},
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_too(name):
    layer = getattr(pp.layers, name)(**LAYERS[name])
    x = np.ones((0, 4, 5, 3), "float32")
    assert tuple(layer(x).shape) == tuple(layer.compute_output_shape(x.shape))


def test_layers_of_two_images_too():
    x, like = np.ones((0, 4, 5, 3), "float32"), np.ones((0, 8, 10, 2), "float32")
    assert tuple(pp.layers.UpSampleLike()([x, like]).shape) == (0, 8, 10, 3)
    assert tuple(pp.layers.ConcatConv2D(4, 1, size=(2, 1))([x, like]).shape) == (0, 8, 10, 4)
    assert tuple(pp.layers.GuidedUpSampling2D(1)([x, like]).shape) == (0, 8, 10, 3)


def test_an_empty_side_is_refused():
    for shape in ((1, 0, 4, 3), (1, 4, 0, 3), (1, 4, 4, 0)):
        x = np.ones(shape, "float32")
        for call in (upsample, depth_to_space, lambda x: conv_transpose(x, W)):
            with pytest.raises(ValueError, match=r"at least one pixel and one channel.*Received"):
                call(x)
