"""PyTorch's CPU: a volume in halves or beside another, a signal as an image."""

import keras
import numpy as np
import pytest

from polyphase.ops import conv_transpose, upsample_conv
from polyphase.ops.lowerings import torch_convolution
from tests.gradients import vjp

if keras.backend.backend() != "torch":
    pytest.skip("PyTorch's own slow way", allow_module_level=True)

rng = np.random.default_rng(0)


def random(*shape):
    return rng.standard_normal(shape, dtype="float32")


def agree(compute, *arrays):
    """Check that "direct" computes what "reference" does, and its gradients."""
    (y, gradients, _), (expected, expected_gradients, _) = (
        vjp(
            lambda *tensors, way=way: compute(*tensors, lowering=way),
            arrays,
            lambda shape: np.random.default_rng(1).standard_normal(shape).astype("float32"),
        )
        for way in ("direct", "reference")
    )
    assert y.shape == expected.shape
    for one, other in zip((y, *gradients), (expected, *expected_gradients), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max())


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("sides", "taps", "dilation"),
    [((12, 13, 14), 3, 1), ((13, 12, 15), (2, 3, 2), 1), ((15, 12, 12), (3, 1, 3), (2, 3, 1))],
)
def test_halves_are_the_whole(padding, sides, taps, dilation):
    x = random(1, *sides, 8)
    kernel = random(*np.broadcast_to(taps, 3), 8, 5)
    assert torch_convolution.is_slow(keras.ops.convert_to_tensor(x), kernel.shape[:3])

    agree(
        lambda x, w, lowering: upsample_conv(x, w, 1, "nearest", padding, None, dilation, lowering),
        x,
        kernel,
    )


def test_what_pytorch_convolves_quickly_is_left_to_it():
    volume = np.ones((1, 16, 16, 16, 8), "float32")
    for x, taps in (
        (np.ones((2, 16, 16, 16, 8), "float32"), (3, 3, 3)),  # a batch
        (np.ones((1, 33, 32, 32, 20), "float32"), (3, 3, 3)),  # a large one
        (volume, (3, 4, 4)),
        (volume, (1, 1, 1)),
        (volume.astype("float64"), (3, 3, 3)),
        (np.ones((1, 128, 128, 8), "float32"), (3, 3)),  # an image
    ):
        assert not torch_convolution.is_slow(keras.ops.convert_to_tensor(x), taps)


@pytest.mark.filterwarnings("ignore")
def test_a_trace_of_one_volume_holds_for_others():
    import torch

    kernel = random(3, 3, 3, 8, 4)
    traced = torch.jit.trace(
        lambda x: upsample_conv(x, kernel, 1, "nearest", "same"), torch.ones(1, 16, 16, 16, 8)
    )
    x = torch.from_numpy(random(2, 9, 8, 7, 8))
    expected = upsample_conv(x, kernel, 1, "nearest", "same", lowering="reference")
    np.testing.assert_allclose(traced(x).detach(), expected.detach(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("taps", [2, 3, (4, 3, 2)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_one_volume_is_transposed_beside_another(padding, taps):
    x, kernel = random(1, 14, 13, 12, 8), random(*np.broadcast_to(taps, 3), 3, 8)
    assert torch_convolution.is_slow(keras.ops.convert_to_tensor(x), kernel.shape[:3])
    agree(lambda x, w, lowering: conv_transpose(x, w, 2, padding, lowering=lowering), x, kernel)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("taps", "dilation", "groups"), [(4, 1, 1), (3, 3, 1), (2, 2, 2)])
def test_a_signal_is_convolved_as_an_image(padding, taps, dilation, groups):
    agree(
        lambda x, w, b, lowering: upsample_conv(
            x, w, 1, "nearest", padding, None, dilation, lowering, b
        ),
        random(2, 19, 6),
        random(taps, 6 // groups, 4),
        random(4),
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("taps", "strides", "groups"), [(4, 2, 1), (3, 2, 2), (5, 3, 1)])
def test_a_signal_is_transposed_as_an_image_with_its_bias(padding, taps, strides, groups):
    agree(
        lambda x, w, b, lowering: conv_transpose(
            x, w, strides, padding, bias=b, groups=groups, lowering=lowering
        ),
        random(2, 11, 6),
        random(taps, 4, 6),
        random(4 * groups),
    )
