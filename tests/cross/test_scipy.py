"""The float64 lowerings are SciPy's convolution of the zero-filled or repeated image."""

import numpy as np
from scipy.signal import convolve2d, correlate2d

from polyphase.ops import conv_transpose, upsample_conv
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy


def test_transposed_convolution_is_the_full_convolution_of_the_zero_filled_image():
    x, w = coordinate_ramp((4, 5)), coordinate_ramp((3, 4))
    filled = np.zeros((10, 13))
    filled[::3, ::3] = x
    expected = convolve2d(filled, w)
    for lowering in ("direct", "phases", "reference"):
        y = conv_transpose(
            x[None, :, :, None], w[:, :, None, None], 3,
            data_format="channels_last", lowering=lowering,
        )  # fmt: skip
        np.testing.assert_allclose(to_numpy(y)[0, :, :, 0], expected, atol=2e-6)


def test_upsample_conv_is_the_correlation_of_the_repeated_image():
    x, w = coordinate_ramp((4, 5)), coordinate_ramp((3, 5))
    expected = correlate2d(x.repeat(2, axis=0).repeat(3, axis=1), w, mode="same")
    for lowering in ("direct", "phases", "transpose", "reference"):
        y = upsample_conv(
            x[None, :, :, None], w[:, :, None, None], (2, 3), padding="same",
            data_format="channels_last", lowering=lowering,
        )  # fmt: skip
        np.testing.assert_allclose(to_numpy(y)[0, :, :, 0], expected, atol=4e-6)
