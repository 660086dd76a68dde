"""upsample_depthwise_conv: every lowering is the resize, then each channel convolved alone."""

import keras
import numpy as np
import pytest

from polyphase.ops import upsample_depthwise_conv
from tests.ops import cases, oracles

LOWERINGS = ["reference", "direct", "phases", "blur", "auto"]
if keras.backend.backend() == "torch":
    LOWERINGS.append("transpose")
KERNELS = [1, 2, 3, 4, 5, (2, 5), (3, 1), (1, 4)]


def expected(x, w, b, g, sizes, interpolation, padding, dilation):
    """Return a grouped convolution's result and gradients, the kernel's in depthwise layout."""
    grouped = w.reshape(*w.shape[:-2], 1, -1)
    results = oracles.upsample_conv(x, grouped, sizes, interpolation, padding, dilation, g)
    if g is not None:
        y, dx, dw = results
        results = y, dx, dw.reshape(w.shape)
    return oracles.biased(results, b, g)


def run_case(
    lowering, side, size, kernel, padding, data_format,
    multiplier=1, interpolation="nearest", dtype="float32", dilation=1,
):  # fmt: skip
    sizes, taps, dilations = (cases.each(v, len(side)) for v in (size, kernel, dilation))
    left = [
        int(n * s) - (k - 1) * d for n, s, k, d in zip(side, sizes, taps, dilations, strict=True)
    ]
    if min(left) < 1:  # nothing would be left
        padding = "same"
    arrays = [
        cases.noise(1, 2, *side, 3),
        cases.noise(2, *taps, 3, multiplier),
        cases.noise(3, 3 * multiplier),
    ]
    cases.check(
        lambda x, w, b: upsample_depthwise_conv(
            x, w, size, interpolation, padding, data_format, dilation, lowering, b
        ),
        lambda x, w, b, g=None: expected(x, w, b, g, sizes, interpolation, padding, dilations),
        arrays,
        data_format,
        dtype,
        f"{lowering} {side} x{size} kernel {kernel} {padding} {interpolation} {data_format} "
        f"{dtype} dilation {dilation} multiplier {multiplier}",
    )


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(3)
def test_signals_and_volumes(lowering):
    for case in cases.ranks(
        10,
        seed=LOWERINGS.index(lowering),
        size=[2, (3, 2, 1)],
        kernel=[3, 2, (4, 3, 1)],
        multiplier=[1, 2],
        dilation=[1] if lowering == "transpose" else [1, 2],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(2)
def test_nearest_by_integer_factors(lowering):
    for case in cases.sample(
        30,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=cases.FACTORS,
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
        multiplier=[1, 2],
        dtype=["float32", "float32", "float64"],
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "auto"])
@pytest.mark.grid(1)
def test_other_interpolations_and_sizes(lowering):
    for case in cases.sample(
        8,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=[2, (2, 3), 1.5],
        interpolation=cases.INTERPOLATIONS,
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.grid(2)
def test_nearest_convolved_and_blurred():
    for case in cases.sample(
        8,
        seed=8,
        side=[(1, 5), (5, 7), (14, 9)],
        size=[2, 3, (2, 3)],
        interpolation=cases.INTERPOLATIONS,
        kernel=KERNELS,
        multiplier=[1, 2],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case("blur", **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", "auto"])
@pytest.mark.grid(2)
def test_dilation(lowering):
    for size, kernel, data_format in ((2, 3, "channels_last"), ((1, 3), 2, "channels_first")):
        run_case(lowering, (5, 7), size, kernel, "same", data_format, dilation=2)


def test_wrong_arguments_are_named():
    x, w = np.ones((1, 3, 4, 2), "float32"), np.ones((3, 3, 2, 1), "float32")
    with pytest.raises(ValueError, match="made for 2 input channels.*3 channels"):
        upsample_depthwise_conv(np.ones((1, 3, 4, 3), "float32"), w)
    with pytest.raises(ValueError, match=r"one number per output channel, shape \(2,\)"):
        upsample_depthwise_conv(x, w, bias=np.ones(3, "float32"))
    with pytest.raises(ValueError, match='interpolation="nearest" and integer factors'):
        upsample_depthwise_conv(x, w, 1.5, lowering="phases")
    if keras.backend.backend() != "torch":
        with pytest.raises(ValueError, match='"transpose" of a depthwise convolution needs'):
            upsample_depthwise_conv(x, w, 2, lowering="transpose")
