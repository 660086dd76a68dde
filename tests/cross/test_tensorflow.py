"""upsample is tf.image.resize where that is the formula."""

import numpy as np
import pytest

from polyphase.ops import conv_transpose, depth_to_space, upsample
from polyphase.testing import coordinate_ramp
from tests.cross import enlarged, only_on
from tests.gradients import to_numpy, vjp

pytestmark = only_on("tensorflow")


@pytest.mark.parametrize(
    ("interpolation", "method", "antialias"),
    [
        ("nearest", "nearest", False),
        ("bilinear", "bilinear", False),
        ("bicubic", "bicubic", True),  # without, a table rounds the kernel
        ("mitchell", "mitchellcubic", True),
        ("lanczos3", "lanczos3", False),
        ("lanczos5", "lanczos5", False),
    ],
)
def test_same_pixels(interpolation, method, antialias):
    import tensorflow as tf

    x = coordinate_ramp((2, 4, 5, 3))
    for size in (2, (3, 1), 1.5):
        y = to_numpy(upsample(x, size, interpolation))
        expected = tf.image.resize(x, enlarged(4, 5, size), method, antialias=antialias)
        np.testing.assert_allclose(y, to_numpy(expected), atol=2e-6)


def test_same_gradient_of_bilinear():
    import tensorflow as tf

    x, g = coordinate_ramp((2, 4, 5, 3)), coordinate_ramp((2, 8, 15, 3))
    _, (expected,), _ = vjp(lambda x: tf.image.resize(x, (8, 15)), [x], g)
    _, (actual,), _ = vjp(lambda x: upsample(x, (2, 3), "bilinear", lowering="phases"), [x], g)
    np.testing.assert_allclose(actual, expected, atol=4e-6)


def test_transposed_convolution_is_the_gradient_of_a_convolution():
    import tensorflow as tf

    x, w = coordinate_ramp((2, 4, 5, 3)), coordinate_ramp((3, 4, 2, 3))
    for padding, shape in (("same", (2, 8, 15, 2)), ("valid", (2, 9, 16, 2))):
        expected = to_numpy(tf.nn.conv2d_transpose(x, w, shape, (2, 3), padding.upper()))
        for lowering in ("direct", "phases", "reference"):
            y = to_numpy(conv_transpose(x, w, (2, 3), padding, lowering=lowering))
            np.testing.assert_allclose(y, expected, atol=4e-6)


def test_depth_to_space_is_tensorflows():
    import tensorflow as tf

    x = coordinate_ramp((2, 4, 5, 12))
    expected = to_numpy(tf.nn.depth_to_space(x, 2))
    np.testing.assert_array_equal(to_numpy(depth_to_space(x, 2)), expected)
