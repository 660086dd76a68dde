"""conv_transpose: every lowering is Keras' operator, up to the border."""

import keras
import numpy as np
import pytest

from polyphase.ops import conv_transpose
from tests.gradients import to_numpy
from tests.ops import cases, oracles

LOWERINGS = ["reference", "direct", "phases", "patches", "auto"]
KERNELS = [1, 2, 3, 4, 5, (2, 5), (3, 1), (1, 4)]


def run_case(
    lowering, side, strides, kernel, padding, data_format,
    output_padding=None, dtype="float32", dilation=1, filters=3,
):  # fmt: skip
    rank = len(side)
    steps, taps, dilations = (cases.each(v, rank) for v in (strides, kernel, dilation))
    if output_padding is not None:
        output_padding = tuple(
            min(p, s - 1) for p, s in zip(cases.each(output_padding, rank), steps, strict=True)
        )
        if 1 in side:  # (1 - 1) * s + k % 2 + 0 leaves nothing of an even kernel
            padding = "valid"
    x = cases.noise(1, 2, *side, 2)
    w = cases.noise(2, *taps, filters, 2)
    b = cases.noise(3, filters)
    cases.check(
        lambda x, w, b: conv_transpose(
            x, w, strides, padding, output_padding, data_format, dilation, lowering, b
        ),
        lambda x, w, b, g=None: oracles.biased(
            oracles.conv_transpose(x, w, steps, padding, output_padding, dilations, g), b, g
        ),
        [x, w, b],
        data_format,
        dtype,
        f"{lowering} {side} stride {strides} kernel {kernel} {padding} {data_format} {dtype} "
        f"output_padding {output_padding} dilation {dilation} filters {filters}",
    )


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(4)
def test_signals_and_volumes(lowering):
    for case in cases.ranks(
        16,
        seed=LOWERINGS.index(lowering),
        strides=[2, (3, 2, 1), (1, 2, 2)],
        kernel=[3, 4, 1, (2, 3, 1)],
        padding=["same", "valid"],
        output_padding=[None, 1],
        dilation=[1, 1, 2],
        data_format=cases.FORMATS,
    ):
        if max(cases.each(case["dilation"], 3)) > 1:  # Keras has both for stride 1 only
            case["strides"] = 1
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(3)
def test_strides_and_kernels(lowering):
    for case in cases.sample(
        40,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        strides=cases.FACTORS,
        kernel=KERNELS,
        padding=["same", "valid"],
        data_format=cases.FORMATS,
        dtype=["float32", "float32", "float32", "float64"],
        filters=[3, 8] if lowering == "auto" else [3],  # `auto` looks at them
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("strides", [2, 3, 4, (1, 3), (4, 2)])
def test_a_single_tap_that_leaves_gaps_by_auto(strides, data_format):
    """PyTorch's own gradient by the kernel was off by half of it on a CPU without AVX-512."""
    run_case("auto", (5, 7), strides, 1, "valid", data_format)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(2)
def test_output_padding(lowering):
    for case in cases.sample(
        20,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES[1:],
        strides=[2, 3, 4, (2, 3)],
        kernel=KERNELS,
        output_padding=[0, 1, 2, (0, 1), (1, 0)],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(2)
def test_dilation(lowering):
    for case in cases.sample(
        8,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES[2:],
        strides=[1],
        kernel=[2, 3, (2, 3)],
        dilation=[2, 3, (1, 2)],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", ["reference", "phases", "patches"])
@pytest.mark.grid(1)
def test_dilation_and_strides_together(lowering):
    for case in cases.sample(
        8,
        seed=3,
        side=cases.SIZES[2:],
        strides=[2, 3, (2, 3)],
        kernel=[2, 3, (2, 3)],
        dilation=[2, 3, (1, 2)],
        padding=["same", "valid"],
        data_format=cases.FORMATS,
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(3)
def test_half_precision_keeps_its_dtype_and_a_bounded_error(lowering, dtype):
    for case in cases.sample(
        4,
        seed=7,
        side=cases.SIZES[2:],
        strides=[2, 3],
        kernel=[3, 4],
        padding=["same", "valid"],
        data_format=["channels_last", "channels_first"],
    ):
        run_case(lowering, dtype=dtype, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(2)
def test_a_kernel_smaller_than_the_stride_leaves_zeros(lowering):
    x, w = np.ones((1, 2, 2, 1), "float32"), np.full((1, 2, 1, 1), 5.0, "float32")
    y = to_numpy(conv_transpose(x, w, 3, lowering=lowering))[0, :, :, 0]
    row = [5, 5, 0, 5, 5, 0]
    assert y.tolist() == [row, [0] * 6, [0] * 6, row, [0] * 6, [0] * 6]


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_the_same_call_gives_the_same_bits(lowering):
    x, w = (cases.noise(4, *s).astype("float32") for s in ((2, 5, 7, 3), (4, 4, 4, 3)))
    first, second = (conv_transpose(x, w, 2, "same", lowering=lowering) for _ in range(2))
    np.testing.assert_array_equal(to_numpy(first), to_numpy(second))


def test_wrong_arguments_are_named():
    x, w = np.ones((1, 2, 2, 2), "float32"), np.ones((3, 3, 3, 2), "float32")
    with pytest.raises(ValueError, match=r"rank 4.*Received: shape \(2, 2\)"):
        conv_transpose(x[0, 0], w)
    with pytest.raises(ValueError, match=r"kernel of rank 4.*Received: kernel shape \(3, 3, 2\)"):
        conv_transpose(x, w[0])
    with pytest.raises(ValueError, match=r"made for 2 input channels.*with 3 channels"):
        conv_transpose(np.ones((1, 2, 2, 3), "float32"), w)
    with pytest.raises(ValueError, match=r"`strides` must be a positive integer.*strides=0"):
        conv_transpose(x, w, 0)
    with pytest.raises(ValueError, match=r"`strides` must be a positive integer.*strides=1\.5"):
        conv_transpose(x, w, 1.5)
    with pytest.raises(ValueError, match=r"leaves no pixel.*side of 1 pixels.*output_padding=0"):
        conv_transpose(x[:, :1], np.ones((2, 2, 3, 2), "float32"), 2, "same", output_padding=0)
    with pytest.raises(ValueError, match=r"`padding` must be one of valid, same.*'full'"):
        conv_transpose(x, w, padding="full")
    with pytest.raises(ValueError, match=r"`output_padding` must be .*less than the stride.*=2"):
        conv_transpose(x, w, 2, output_padding=2)
    with pytest.raises(ValueError, match=r"`lowering` of conv_transpose must be one of.*transpose"):
        conv_transpose(x, w, lowering="transpose")
    with pytest.raises(ValueError, match=r"symbolic Keras tensor"):
        conv_transpose(keras.KerasTensor((1, 2, 2, 2)), w)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_channels_that_are_a_multiple_of_the_kernels_are_refused(lowering):
    """A transposed convolution has no groups."""
    x, w = np.ones((1, 2, 2, 4), "float32"), np.ones((3, 3, 3, 2), "float32")
    with pytest.raises(ValueError, match=r"made for 2 input channels.*with 4 channels"):
        conv_transpose(x, w, lowering=lowering)


@pytest.mark.parametrize("block", [1, 3000, 20000, 2**23])
@pytest.mark.grid(2)
def test_patches_in_strips_are_the_same_operator(block, monkeypatch):
    """From a row of one image at a time to all at once; zeros around the image or the products."""
    monkeypatch.setattr("polyphase.ops.strips.BLOCK", block)
    run_case("patches", (5, 7), 2, 3, "same", "channels_last")
    run_case("patches", (14, 13), 2, 3, "same", "channels_last")
    run_case("patches", (6, 4), (3, 2), (2, 5), "valid", "channels_first")
