"""upsample is Pillow's resize of float images, on every backend."""

import numpy as np
import pytest
from PIL import Image

from polyphase.ops import upsample
from polyphase.testing import coordinate_ramp
from tests.cross import enlarged
from tests.gradients import to_numpy


@pytest.mark.parametrize(
    ("interpolation", "method"),
    [
        ("nearest", Image.Resampling.NEAREST),
        ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC),
        ("lanczos3", Image.Resampling.LANCZOS),
    ],
)
@pytest.mark.parametrize("size", [2, 3, (4, 1), 1.5])
def test_same_pixels(interpolation, method, size):
    if interpolation == "nearest" and size == 1.5:
        pytest.skip("centres fall between two pixels, and Pillow's floats round either way")
    x = coordinate_ramp((6, 8))
    y = to_numpy(upsample(x[None, :, :, None], size, interpolation, "channels_last"))[0, :, :, 0]
    expected = np.asarray(Image.fromarray(x).resize(enlarged(6, 8, size)[::-1], method))
    np.testing.assert_allclose(y, expected, atol=2e-6)
