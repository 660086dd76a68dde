"""The gradient of every operation is its adjoint; and the helpers that say so can fail."""

import numpy as np
import pytest

from polyphase.ops import conv_transpose, depth_to_space, upsample, upsample_conv
from polyphase.testing import assert_adjoint, coordinate_ramp
from tests.gradients import to_numpy, vjp

W = coordinate_ramp((3, 4, 3, 2))


@pytest.mark.parametrize(
    ("operation", "x_shape", "y_shape"),
    [
        (lambda x: upsample(x, (2, 1.5), "bicubic", "channels_last"), (2, 3, 4, 2), (2, 6, 6, 2)),
        (
            lambda x: upsample_conv(x, W, 2, padding="same", data_format="channels_last"),
            (2, 3, 4, 3),
            (2, 6, 8, 2),
        ),
        (
            lambda x: conv_transpose(x, W, (2, 3), data_format="channels_last"),
            (2, 3, 4, 2),
            (2, 7, 13, 3),
        ),
        (lambda x: depth_to_space(x, 2, "channels_last"), (2, 3, 4, 8), (2, 6, 8, 2)),
    ],
    ids=["upsample", "upsample_conv", "conv_transpose", "depth_to_space"],
)
def test_the_gradient_is_the_adjoint(operation, x_shape, y_shape):
    zero = np.zeros(x_shape, "float32")
    assert_adjoint(
        operation, lambda y: vjp(operation, [zero], y)[1][0], x_shape, y_shape, tolerance=1e-5
    )


def test_a_wrong_adjoint_is_noticed():
    matrix = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0]])
    with pytest.raises(
        AssertionError, match=r"the adjoint: received <A x, y> = .* but <x, A\^T y>"
    ):
        assert_adjoint(lambda x: matrix @ x, lambda y: matrix[::-1].T @ y, (3,), (2,))
    with pytest.raises(AssertionError, match=r"forward\(x\): received shape \(2,\), .*\(3,\)"):
        assert_adjoint(lambda x: matrix @ x, lambda y: y, (3,), (3,))


def test_a_coordinate_ramp_has_no_two_equal_values_and_no_symmetry():
    ramp = coordinate_ramp((2, 5, 7, 3))
    assert ramp.dtype == np.float32
    assert len(np.unique(ramp)) == ramp.size
    assert np.abs(ramp).max() <= 1
    for axis in range(4):
        assert np.abs(ramp - np.flip(ramp, axis)).max() > 0.1
    assert coordinate_ramp((3,), "float64").dtype == np.float64
    with pytest.raises(ValueError, match="at most 8 axes"):
        coordinate_ramp((1,) * 9)


def test_tensors_of_any_dtype_become_float64():
    assert to_numpy(upsample(np.ones((1, 1, 1, 1), "float16"), 2)).dtype == np.float64
