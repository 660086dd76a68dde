"""native: the backend's own resize equals the formula wherever it is offered, and only there."""

import keras
import numpy as np
import pytest

from polyphase.ops import upsample
from tests.ops import cases, oracles

OFFERED = {
    "jax": [],
    "tensorflow": cases.INTERPOLATIONS,
    "torch": ["nearest", "bilinear", "bicubic"],
}[keras.backend.backend()]


@pytest.mark.parametrize("interpolation", OFFERED)
def test_the_result_and_the_gradient_are_the_formula(interpolation):
    fractions = [] if interpolation == "nearest" else [1.5, (1.3, 2)]
    for case in cases.sample(
        12,
        seed=0,
        side=cases.SIZES,
        size=cases.FACTORS + fractions,
        data_format=cases.FORMATS,
    ):
        size = case["size"]
        cases.check(
            lambda x, size=size, data_format=case["data_format"]: upsample(
                x, size, interpolation, data_format, "native"
            ),
            lambda x, g=None, size=size: oracles.upsample(x, cases.pair(size), interpolation, g),
            [cases.noise(1, 2, *case["side"], 3)],
            case["data_format"],
            "float32",
            f"{interpolation} {case}",
        )


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_what_the_backend_computes_otherwise_is_refused(interpolation):
    x = np.ones((1, 3, 4, 2), "float32")
    if interpolation not in OFFERED:
        with pytest.raises(ValueError, match=r'"native" .*Received: backend .*"direct" or "auto"'):
            upsample(x, 2, interpolation, lowering="native")
    if interpolation == "nearest":
        with pytest.raises(ValueError, match=r"size=\(1\.5, 1\.5\)"):
            upsample(x, 1.5, interpolation, lowering="native")
