"""upsample_conv: every lowering is the resize followed by the convolution, up to the border."""

import keras
import numpy as np
import pytest

from polyphase.ops import lowerings, upsample_conv
from tests.gradients import to_numpy
from tests.ops import cases, oracles

LOWERINGS = ["reference", "direct", "phases", "transpose", "difference", "patches", "blur", "auto"]
KERNELS = [1, 2, 3, 4, 5, (2, 5), (3, 1), (1, 4)]


def run_case(
    lowering, side, size, kernel, padding, data_format,
    interpolation="nearest", dtype="float32", dilation=1, groups=1, filters=3,
):  # fmt: skip
    sizes, taps, dilations = (cases.each(v, len(side)) for v in (size, kernel, dilation))
    left = [
        int(n * s) - (k - 1) * d for n, s, k, d in zip(side, sizes, taps, dilations, strict=True)
    ]
    if min(left) < 1:  # nothing would be left, see the test of messages
        padding = "same"
    x = cases.noise(1, 2, *side, 2 * groups)
    w = cases.noise(2, *taps, 2, filters * groups)
    b = cases.noise(3, filters * groups)
    cases.check(
        lambda x, w, b: upsample_conv(
            x, w, size, interpolation, padding, data_format, dilation, lowering, b
        ),
        lambda x, w, b, g=None: oracles.biased(
            oracles.upsample_conv(x, w, sizes, interpolation, padding, dilations, g), b, g
        ),
        [x, w, b],
        data_format,
        dtype,
        f"{lowering} {side} x{size} kernel {kernel} {padding} {interpolation} {data_format} "
        f"{dtype} dilation {dilation} groups {groups} filters {filters}",
    )


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(4)
def test_nearest_by_integer_factors(lowering):
    for case in cases.sample(
        40,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=cases.FACTORS,
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
        dtype=["float32", "float32", "float32", "float64"],
        filters=[3, 8] if lowering == "auto" else [3],  # `auto` looks at them
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(4)
def test_signals_and_volumes(lowering):
    for case in cases.ranks(
        12,
        seed=LOWERINGS.index(lowering),
        size=[2, (3, 2, 1), (1, 2, 2)],
        kernel=[3, 2, (4, 3, 1)],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "patches", "phases", "blur", "auto"])
@pytest.mark.grid(2)
def test_what_only_some_lowerings_compute_of_signals_and_volumes(lowering):
    for options in (
        {"dilation": [2, (3, 1, 2)], "size": [2, (2, 1, 3)]},
        {"groups": [2], "size": [2]},
        {"interpolation": ["linear", "cubic", "lanczos3"], "size": [2, 1.5, (2, 1.5, 1)]},
    ):
        folds, plain = "interpolation" not in options, "interpolation" in options
        if lowering == "blur":
            options["size"] = [2, (2, 3, 1)]
        some = ["phases"] * folds + ["patches"] * plain
        if lowering in ("auto", "direct", "reference", "blur", *some):
            for case in cases.ranks(
                6, seed=1, kernel=[3, (2, 3, 1)], padding=["same"],
                data_format=cases.FORMATS, **options,
            ):  # fmt: skip
                run_case(lowering, **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "patches", "auto"])
@pytest.mark.grid(2)
def test_other_interpolations_and_sizes(lowering):
    for case in cases.sample(
        20,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=[2, 3, (2, 3), (4, 1), 1.5, (1.3, 2)],
        interpolation=cases.INTERPOLATIONS,
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize(
    ("interpolation", "long"),
    [*((name, 128) for name in cases.INTERPOLATIONS), ("bilinear", 1)],
)
@pytest.mark.grid(2)
def test_nearest_convolved_and_blurred(interpolation, long, monkeypatch):
    """Also of images that are all band, or in one axis, or whose band is uneven.

    Linear, on JAX: of images that are continued, and of long ones, whose ends are computed.
    """
    monkeypatch.setattr(lowerings.LOWERINGS["blur"], "_LONG", long)
    for case in cases.sample(
        20,
        seed=cases.INTERPOLATIONS.index(interpolation),
        side=[(1, 5), (5, 7), (9, 12), (14, 3), (16, 15)],
        size=[2, 3, 4, (2, 3), (4, 1)],
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
        dtype=["float32", "float32", "float64", "bfloat16"],
    ):
        run_case("blur", interpolation=interpolation, **case)
    for case in cases.ranks(4, seed=5, size=[2, (3, 1, 2)], kernel=[3, (2, 3, 1)],
                            padding=["same", "valid"], data_format=cases.FORMATS):  # fmt: skip
        case["side"] = tuple(3 * side for side in case["side"])
        name = {"bilinear": "linear", "bicubic": "cubic"}.get(interpolation, interpolation)
        run_case("blur", interpolation=name, **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", "blur", "auto"])
@pytest.mark.grid(2)
def test_dilation(lowering):
    for case in cases.sample(
        9,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES[2:],
        size=[2, 3, (1, 3)],
        kernel=[2, 3, (2, 3)],
        dilation=[2, 3, (1, 2)],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", ["reference", "direct", "phases", "blur", "auto"])
@pytest.mark.grid(2)
def test_groups(lowering):
    for data_format in cases.FORMATS:
        run_case(lowering, (3, 4), 2, 3, "same", data_format, groups=2)
    run_case(lowering, (3, 4), (1, 2), (2, 1), "valid", "channels_last", groups=3)
    if lowering != "phases":
        run_case(lowering, (7, 6), 2, 3, "same", "channels_last", "bilinear", groups=2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(4)
def test_half_precision_keeps_its_dtype_and_a_bounded_error(lowering, dtype):
    for case in cases.sample(
        4,
        seed=7,
        side=cases.SIZES[2:],
        size=[2, 3],
        kernel=[3, 4],
        padding=["same", "valid"],
        data_format=["channels_last", "channels_first"],
    ):
        run_case(lowering, dtype=dtype, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_the_same_call_gives_the_same_bits(lowering):
    x, w = (cases.noise(4, *s).astype("float32") for s in ((2, 5, 7, 3), (3, 3, 3, 4)))
    first, second = (upsample_conv(x, w, 2, padding="same", lowering=lowering) for _ in range(2))
    np.testing.assert_array_equal(to_numpy(first), to_numpy(second))


@pytest.mark.parametrize("lowering", ["phases", "transpose", "difference"])
def test_folding_is_refused_where_it_is_not_exact(lowering):
    x, w = np.ones((1, 4, 4, 2), "float32"), np.ones((3, 3, 2, 3), "float32")
    message = rf'lowering="{lowering}" needs interpolation="nearest" and integer.*"direct"'
    with pytest.raises(ValueError, match=message):
        upsample_conv(x, w, 2, "bilinear", lowering=lowering)
    with pytest.raises(ValueError, match=message):
        upsample_conv(x, w, 1.5, lowering=lowering)
    if lowering != "phases":
        with pytest.raises(ValueError, match=r"dilation_rate=1 and one group.*\(2, 2\).*phases"):
            upsample_conv(x, w, 2, dilation_rate=2, lowering=lowering)
        with pytest.raises(ValueError, match=r"dilation_rate=1 and one group.*2 channels"):
            upsample_conv(x, w[:, :, :1], 2, lowering=lowering)


def test_wrong_arguments_are_named():
    x, w = np.ones((1, 2, 2, 2), "float32"), np.ones((3, 3, 2, 3), "float32")
    with pytest.raises(ValueError, match=r"rank 4.*Received: shape \(2, 2\)"):
        upsample_conv(x[0, 0], w)
    with pytest.raises(ValueError, match=r"kernel of rank 4.*Received: kernel shape \(3, 2, 3\)"):
        upsample_conv(x, w[0])
    with pytest.raises(ValueError, match=r"made for 2 input channels.*with 3 channels"):
        upsample_conv(np.ones((1, 4, 4, 3), "float32"), w)
    with pytest.raises(ValueError, match=r"5 taps \(dilation 1\) does not fit into 4 pixels.*same"):
        upsample_conv(x, np.ones((5, 5, 2, 3), "float32"), 2)
    with pytest.raises(ValueError, match=r"`padding` must be one of valid, same.*'full'"):
        upsample_conv(x, w, padding="full")
    with pytest.raises(ValueError, match=r"`interpolation` must be one of .*'box'"):
        upsample_conv(x, w, interpolation="box")
    with pytest.raises(ValueError, match=r"`data_format` must be one of .*'last'"):
        upsample_conv(x, w, data_format="last")
    with pytest.raises(ValueError, match=r"auto, reference, direct, phases, .*'slow'"):
        upsample_conv(x, w, lowering="slow")
    with pytest.raises(ValueError, match=r"`size` must be a number of at least 1.*size=0"):
        upsample_conv(x, w, 0)
    with pytest.raises(ValueError, match=r"`dilation_rate` must be a positive integer.*=1\.5"):
        upsample_conv(x, w, dilation_rate=1.5)
    with pytest.raises(ValueError, match=r"symbolic Keras tensor"):
        upsample_conv(keras.KerasTensor((1, 2, 2, 2)), w)


def test_a_blur_needs_integer_factors():
    x, w = np.ones((1, 4, 4, 2), "float32"), np.ones((3, 3, 2, 3), "float32")
    with pytest.raises(ValueError, match=r'lowering="blur" needs integer factors.*1\.5'):
        upsample_conv(x, w, 1.5, "bilinear", lowering="blur")


@pytest.mark.parametrize("block", [1, 3000, 20000, 2**23])
@pytest.mark.grid(2)
def test_differences_in_strips_are_the_same_operator(block, monkeypatch):
    """From a row of one image at a time to all at once; zeros around the image or the products."""
    monkeypatch.setattr("polyphase.ops.strips.BLOCK", block)
    run_case("difference", (5, 7), 2, 3, "same", "channels_last")
    run_case("difference", (14, 13), 2, 3, "same", "channels_last")
    run_case("difference", (6, 4), (3, 2), (2, 5), "valid", "channels_first")
    run_case("difference", (7,), 2, 3, "same", "channels_last")
    run_case("difference", (5, 3, 4), (2, 3, 1), (3, 2, 2), "valid", "channels_first")
