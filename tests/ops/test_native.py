"""native: the backend's own resize equals the formula wherever it is offered, and only there."""

import itertools

import keras
import numpy as np
import pytest

from polyphase.ops import upsample
from polyphase.ops.lowerings import phases
from tests.gradients import to_numpy
from tests.ops import cases, oracles

OFFERED = {
    "jax": [],
    "tensorflow": cases.INTERPOLATIONS,
    "torch": ["nearest", "bilinear", "bicubic"],
}[keras.backend.backend()]


@pytest.mark.parametrize("interpolation", OFFERED)
def test_the_result_and_the_gradient_are_the_formula(interpolation):
    sizes = cases.FACTORS if interpolation == "nearest" else [1, 2, 4, (1, 2), (4, 2), (2, 8)]
    for case in cases.sample(
        12,
        seed=0,
        side=cases.SIZES,
        size=sizes,
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


@pytest.mark.parametrize("interpolation", OFFERED)
def test_rows_columns_and_single_pixels_are_the_formula(interpolation):
    """PyTorch 2.13, bicubic with antialiasing: a column upsampled along itself was noise."""
    for side, channels, size in itertools.product(
        [(5, 1), (1, 5), (2, 1), (1, 1)], [1, 3], [(2, 1), (1, 2), (2, 2), (4, 1), (1, 1)]
    ):
        for data_format in cases.FORMATS:
            cases.check(
                lambda x, size=size, f=data_format: upsample(x, size, interpolation, f, "native"),
                lambda x, g=None, size=size: oracles.upsample(x, size, interpolation, g),
                [cases.noise(1, 2, *side, channels)],
                data_format,
                "float32",
                f"{interpolation} {side} {channels} {size} {data_format}",
            )


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_what_the_backend_computes_otherwise_is_refused(interpolation):
    x = np.ones((1, 3, 4, 2), "float32")
    if interpolation not in OFFERED:
        with pytest.raises(ValueError, match=r'"native" .*Received: backend .*"direct" or "auto"'):
            upsample(x, 2, interpolation, lowering="native")
    for size in (1.5,) if interpolation == "nearest" else (1.5, 3, 1024):
        with pytest.raises(ValueError, match=rf"size=\({size}, {size}\)"):
            upsample(x, size, interpolation, lowering="native")


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.parametrize("size", [2, 3, 1.7, 8])
def test_auto_is_the_formula_far_from_the_corner_too(interpolation, size):
    """Coordinates that are computed in float32 drift: 1e-4 at 2048 pixels, x3.

    The last pixels depend on those near them only, so the oracle may start at pixel 1940.
    """
    x = cases.noise(1, 1, 2000, 2, 1).astype("float32")
    actual = to_numpy(upsample(x, (size, 1), interpolation))[:, -50:]
    (expected,) = oracles.upsample(x[:, 1940:].astype("float64"), (size, 1), interpolation)
    assert np.abs(actual - expected[:, -50:]).max() < 1e-6 * np.abs(x).max()


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch's gradient is replaced")
@pytest.mark.parametrize("data_format", cases.FORMATS)
def test_the_gradient_of_large_bicubic_pictures_is_ours_and_the_formula(data_format, monkeypatch):
    called = []
    monkeypatch.setattr(
        "polyphase.ops.lowerings.phases.upsample_adjoint",
        lambda g, plan, adjoint=phases.upsample_adjoint: called.append(plan) or adjoint(g, plan),
    )
    cases.check(
        lambda x: upsample(x, (2, 4), "bicubic", data_format, "native"),
        lambda x, g=None: oracles.upsample(x, (2, 4), "bicubic", g),
        [cases.noise(1, 1, 70, 64, 3)],
        data_format,
        "float32",
        f"bicubic {data_format}",
    )
    assert called
