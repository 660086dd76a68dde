"""upsample, conv_transpose and depth_to_space are PyTorch's where those are the formula."""

import numpy as np
import pytest

from polyphase.ops import conv_transpose, depth_to_space, upsample
from polyphase.testing import coordinate_ramp
from tests.cross import enlarged, only_on
from tests.gradients import to_numpy, vjp

pytestmark = only_on("torch")


@pytest.mark.parametrize(
    ("interpolation", "options"),
    [
        ("nearest", {"mode": "nearest-exact"}),
        ("bilinear", {"mode": "bilinear", "align_corners": False}),
        ("bicubic", {"mode": "bicubic", "align_corners": False, "antialias": True}),
    ],
)
def test_same_pixels_and_gradients(interpolation, options):
    from torch.nn.functional import interpolate

    x = coordinate_ramp((2, 3, 4, 6))
    for size in (2, (3, 1), 1.5):
        sides = enlarged(4, 6, size)
        g = coordinate_ramp((2, 3, *sides))
        expected = vjp(lambda x, sides=sides: interpolate(x, sides, **options), [x], g)
        actual = vjp(
            lambda x, size=size: upsample(x, size, interpolation, "channels_first"), [x], g
        )
        np.testing.assert_allclose(actual[0], expected[0], atol=2e-6)
        np.testing.assert_allclose(actual[1][0], expected[1][0], atol=4e-6)


@pytest.mark.parametrize("lowering", ["direct", "phases", "reference"])
def test_same_transposed_convolution(lowering):
    import torch

    x, w = coordinate_ramp((2, 3, 4, 5)), coordinate_ramp((3, 4, 2, 3))
    kernel = torch.from_numpy(w.transpose(3, 2, 0, 1).copy())
    for padding in (0, 1):
        expected = to_numpy(
            torch.nn.functional.conv_transpose2d(torch.from_numpy(x), kernel, stride=2)
        )
        y = conv_transpose(x, w, 2, "valid", None, "channels_first", lowering=lowering)
        y = to_numpy(y)
        if padding:  # torch's `padding` crops both ends
            expected = to_numpy(
                torch.nn.functional.conv_transpose2d(
                    torch.from_numpy(x), kernel, stride=2, padding=1
                )
            )
            y = y[:, :, 1:-1, 1:-1]
        np.testing.assert_allclose(y, expected, atol=4e-6)


def test_depth_to_space_is_pixel_shuffle_with_channels_permuted():
    """PyTorch's slowest channel index is the output channel, ours is the phase."""
    import torch

    x = coordinate_ramp((2, 12, 4, 5))
    kept, phases = 3, 4
    shuffled = x.reshape(2, phases, kept, 4, 5).swapaxes(1, 2).reshape(x.shape).copy()
    expected = torch.nn.functional.pixel_shuffle(torch.from_numpy(shuffled), 2)
    y = depth_to_space(x, 2, "channels_first")
    np.testing.assert_array_equal(to_numpy(y), to_numpy(expected))
