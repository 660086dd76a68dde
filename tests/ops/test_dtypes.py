"""One rule of dtypes: real ones are promoted as Keras does, whatever the lowering."""

import keras
import numpy as np
import pytest

from polyphase.ops import conv_transpose, upsample, upsample_conv, upsample_depthwise_conv
from tests.gradients import to_numpy

BACKEND = keras.backend.backend()
# image, kernel -> computed in
PROMOTIONS = {
    ("uint8", "uint8"): "float32",
    ("uint8", "float32"): "float32",
    ("int32", "float16"): "float16",
    ("bool", "float32"): "float32",
    ("float32", "int8"): "float32",
    ("float16", "float32"): "float32",
    ("float16", "bfloat16"): "float32",
    ("float32", "bfloat16"): "float32",
}
OPERATIONS = {
    "upsample_conv": (
        lambda x, w, lowering: upsample_conv(x, w, 2, padding="same", lowering=lowering),
        ["auto", "reference", "direct", "phases", "transpose", "difference", "patches"],
    ),
    "conv_transpose": (
        lambda x, w, lowering: conv_transpose(x, w, 2, "same", lowering=lowering),
        ["auto", "reference", "direct", "phases", "patches"],
    ),
    "upsample_depthwise_conv": (
        lambda x, w, lowering: upsample_depthwise_conv(x, w, 2, lowering=lowering),
        ["auto", "reference", "direct", "phases"],
    ),
}
CASES = [(op, lowering) for op, (_, lowerings) in OPERATIONS.items() for lowering in lowerings]


@pytest.mark.parametrize(("operation", "lowering"), CASES if BACKEND != "jax" else CASES[::2])
@pytest.mark.grid(3)
def test_image_and_kernel_of_different_dtypes_are_promoted(operation, lowering):
    """Products up to 100 x 9 taps overflow uint8; in float32 and float16 they are exact."""
    function, _ = OPERATIONS[operation]
    x = np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2) % 11
    w = np.arange(3 * 3 * 2 * 2).reshape(3, 3, 2, 2) % 3
    for (image, kernel), dtype in PROMOTIONS.items():
        a, b = (x % 2 if image == "bool" else x), w
        y = function(keras.ops.cast(a, image), keras.ops.cast(b, kernel), lowering)
        expected = function(a.astype("float32"), b.astype("float32"), "reference")
        assert keras.backend.standardize_dtype(y.dtype) == dtype, (image, kernel)
        np.testing.assert_array_equal(to_numpy(y), to_numpy(expected), err_msg=f"{image} {kernel}")


def test_the_expected_value_is_right():
    x, w = np.full((1, 2, 2, 1), 200, "uint8"), np.full((3, 3, 1, 1), 2, "uint8")
    y = to_numpy(upsample_conv(x, w, 2))
    np.testing.assert_array_equal(y, np.full((1, 2, 2, 1), 3600.0))


@pytest.mark.parametrize("lowering", ["auto", "reference", "direct", "phases"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int32"])
def test_integers_become_floats_where_pixels_are_mixed(dtype, lowering):
    x = np.array([0, 1, 1, 0]).reshape(1, 1, 4, 1)
    y = upsample(keras.ops.cast(x, dtype), (1, 2), "bilinear", "channels_last", lowering)
    assert keras.backend.standardize_dtype(y.dtype) == "float32"
    assert to_numpy(y).ravel().tolist() == [0, 0.25, 0.75, 1, 1, 0.75, 0.25, 0]


def test_complex_numbers_are_refused():
    if BACKEND == "torch":
        import torch

        x = torch.ones((1, 2, 2, 1), dtype=torch.complex64)
    else:
        x = keras.ops.convert_to_tensor(np.ones((1, 2, 2, 1), "complex64"))
    for call in (
        lambda: upsample(x, 2, "bilinear"),
        lambda: upsample_conv(x, np.ones((1, 1, 1, 1), "float32")),
    ):
        with pytest.raises(ValueError, match=r"computes with real numbers\. Received: complex64"):
            call()
