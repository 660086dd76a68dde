"""upsample, conv_transpose and depth_to_space are PyTorch's where those are the formula."""

import numpy as np
import pytest

from polyphase.layers import SubPixelConv2D
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


@pytest.mark.parametrize("factor", [2, 3])
def test_the_order_crd_is_pixel_shuffle_in_both_data_formats(factor):
    import torch

    x = coordinate_ramp((2, 3 * factor**2, 4, 5))
    expected = to_numpy(torch.nn.functional.pixel_shuffle(torch.from_numpy(x), factor))
    y = depth_to_space(x, factor, "channels_first", order="crd")
    np.testing.assert_array_equal(to_numpy(y), expected)
    y = depth_to_space(np.moveaxis(x, 1, 3), factor, "channels_last", order="crd")
    np.testing.assert_array_equal(np.moveaxis(to_numpy(y), 3, 1), expected)


def test_weights_of_espcn_made_for_pytorch_run_in_the_layer_as_they_are():
    import torch

    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.PixelShuffle(2))
    x = coordinate_ramp((2, 4, 5, 3))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(np.moveaxis(x, 3, 1))).numpy()
    layer = SubPixelConv2D(2, 3, 2, "same", order="crd")
    layer.build(x.shape)
    weight, bias = (parameter.detach().numpy() for parameter in theirs.parameters())
    layer.set_weights([weight.transpose(2, 3, 1, 0), bias])
    np.testing.assert_allclose(to_numpy(layer(x)), np.moveaxis(expected, 1, 3), atol=2e-6)
