"""upsample is jax.image.resize without antialiasing, in every interpolation."""

import numpy as np
import pytest

from polyphase.ops import upsample
from polyphase.testing import coordinate_ramp
from tests.cross import enlarged, only_on
from tests.gradients import to_numpy, vjp

pytestmark = only_on("jax")
METHODS = {
    "nearest": "nearest", "bilinear": "linear", "bicubic": "cubic",
    "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


@pytest.mark.parametrize("interpolation", METHODS)
@pytest.mark.parametrize("lowering", ["auto", "phases", "reference"])
@pytest.mark.grid(5)
def test_same_pixels_and_gradients(interpolation, lowering):
    import jax

    x = coordinate_ramp((2, 4, 5, 3))
    for size in (2, (3, 1), 1.5):
        if lowering == "phases" and size == 1.5:
            continue
        shape = (2, *enlarged(4, 5, size), 3)
        g = coordinate_ramp(shape)[::-1].copy()
        expected = vjp(
            lambda x, shape=shape: jax.image.resize(x, shape, METHODS[interpolation], False), [x], g
        )
        actual = vjp(
            lambda x, size=size: upsample(x, size, interpolation, lowering=lowering), [x], g
        )
        np.testing.assert_allclose(actual[0], expected[0], atol=2e-6)
        np.testing.assert_allclose(actual[1][0], expected[1][0], atol=4e-6)


def test_it_runs_under_jit_vmap_and_grad():
    import jax

    x = coordinate_ramp((3, 1, 4, 5, 2))
    function = jax.jit(jax.vmap(lambda x: upsample(x, 2, "bicubic")))
    np.testing.assert_allclose(
        to_numpy(function(x)[1]), to_numpy(upsample(x[1], 2, "bicubic")), atol=1e-6
    )
