"""The order of channels that become space: the same on every backend and in both formats."""

import numpy as np
import pytest

from polyphase.ops import depth_to_space
from tests.gradients import vjp
from tests.ops import cases

FACTORS = ((2, 2), (3, 2), (1, 4), (4, 4))


def by_loops(x, size, order):
    """Move every number by ONNX's definition of DepthToSpace, channels last."""
    batch, height, width, channels = x.shape
    s_h, s_w = size
    kept = channels // (s_h * s_w)
    y = np.zeros((batch, height * s_h, width * s_w, kept), x.dtype)
    for p, q, k in np.ndindex(s_h, s_w, kept):
        channel = (p * s_w + q) * kept + k if order == "dcr" else (k * s_h + p) * s_w + q
        y[:, p::s_h, q::s_w, k] = x[..., channel]
    return y


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("order", ["dcr", "crd"])
def test_both_orders_are_onnx_s_and_so_are_their_gradients(order, data_format):
    for size in FACTORS:
        x = np.arange(2 * 3 * 5 * size[0] * size[1] * 3.0).reshape(2, 3, 5, -1)
        expected = by_loops(x, size, order)
        places = expected.astype(int).ravel()
        g = cases.noise(1, *expected.shape).astype("float32")
        gradient = np.zeros(x.size, "float32")
        gradient[places] = g.ravel()
        y, (dx,), _ = vjp(
            lambda x, size=size: depth_to_space(x, size, data_format, order),
            [cases.to_format(x, data_format)],
            cases.to_format(g, data_format),
        )
        np.testing.assert_array_equal(cases.from_format(y, data_format), expected)
        np.testing.assert_array_equal(cases.from_format(dx, data_format), gradient.reshape(x.shape))


def test_another_order_is_refused():
    with pytest.raises(ValueError, match=r"`order` must be one of dcr, crd. Received: 'rcd'"):
        depth_to_space(np.ones((1, 2, 2, 4), "float32"), 2, order="rcd")
