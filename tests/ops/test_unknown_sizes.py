"""Sizes that are known only when run (TensorFlow) give the result of known sizes."""

import keras
import numpy as np
import pytest

from polyphase.ops import conv_transpose, depth_to_space, upsample, upsample_conv
from tests.gradients import to_numpy
from tests.ops import cases

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow traces unknown sizes"
)
SIDES = [(1, 1), (3, 4), (6, 2)]


def check(function, channels, data_format="channels_last", dtype="float32"):
    """Trace once with unknown batch and sides; run on several; compare with the eager result."""
    import tensorflow as tf

    shape = cases.to_format(np.empty((0, 0, 0, channels)), data_format).shape
    signature = tf.TensorSpec([n or None for n in shape], dtype)
    traced = tf.function(function, input_signature=[signature])
    for height, width in SIDES:
        x = cases.noise(1, 2, height, width, channels)
        x = tf.constant(cases.to_format(x, data_format), dtype)
        expected, actual = to_numpy(function(x)), to_numpy(traced(x))
        assert actual.shape == expected.shape, (height, width)
        np.testing.assert_allclose(actual, expected, atol=2e-6, err_msg=str((height, width)))


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", "native", "auto"])
def test_upsample(lowering, interpolation):
    sizes = {"phases": [2, (1, 3)], "native": [2, (1, 4)]}.get(
        lowering, [2, (1, 3), 1.5, (2.5, 1.3)]
    )
    for data_format, size in zip(cases.FORMATS * 2, sizes, strict=False):
        check(
            lambda x, size=size, f=data_format: upsample(x, size, interpolation, f, lowering),
            2,
            data_format,
        )


@pytest.mark.parametrize(
    "lowering",
    ["reference", "direct", "phases", "transpose", "difference", "patches", "blur", "auto"],
)
def test_upsample_conv(lowering):
    for case in cases.sample(
        8,
        seed=1,
        size=[2, (1, 3), (3, 2)],
        kernel=[(1, 1), (3, 3), (2, 4)],
        data_format=cases.FORMATS,
    ):
        w = cases.noise(2, *case["kernel"], 2, 3).astype("float32")
        check(
            lambda x, w=w, case=case: upsample_conv(
                x,
                w,
                case["size"],
                "nearest",
                "same",
                case["data_format"],
                1,
                lowering,
            ),
            2,
            case["data_format"],
        )


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_upsample_conv_of_other_sizes(interpolation):
    w = cases.noise(2, 3, 2, 2, 3).astype("float32")
    for size in (2, 1.5):
        check(
            lambda x, size=size: upsample_conv(x, w, size, interpolation, "same", "channels_last"),
            2,
        )


@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", "patches", "auto"])
def test_conv_transpose(lowering):
    for case in cases.sample(
        8,
        seed=2,
        strides=[2, 3, (1, 3), (3, 2)],
        kernel=[(1, 1), (3, 3), (2, 4), (4, 4)],
        padding=["same", "valid"],
        output_padding=[None, None, 0],
        data_format=cases.FORMATS,
    ):
        w = cases.noise(2, *case["kernel"], 3, 2).astype("float32")
        padding = "valid" if case["output_padding"] == 0 else case["padding"]
        check(
            lambda x, w=w, case=case, padding=padding: conv_transpose(
                x, w, case["strides"], padding, case["output_padding"], case["data_format"],
                lowering=lowering,
            ),
            2,
            case["data_format"],
        )  # fmt: skip


@pytest.mark.parametrize("data_format", cases.FORMATS)
def test_depth_to_space(data_format):
    check(lambda x: depth_to_space(x, (2, 3), data_format), 12, data_format)
