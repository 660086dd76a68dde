"""upsample: every lowering is the formula, forward and backward, whatever the size is known."""

import keras
import numpy as np
import pytest

from polyphase.ops import upsample
from tests.gradients import precision, to_numpy
from tests.ops import cases, oracles

LOWERINGS = ["reference", "direct", "phases", "auto"]


def run_case(lowering, side, size, interpolation, data_format, dtype):
    x = cases.noise(1, 2, *side, 3)
    cases.check(
        lambda x: upsample(x, size, interpolation, data_format, lowering),
        lambda x, g=None: oracles.upsample(x, cases.each(size, len(side)), interpolation, g),
        [x],
        data_format,
        dtype,
        f"{lowering} {side} x{size} {interpolation} {data_format} {dtype}",
    )


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_integer_factors_are_the_formula(lowering):
    for case in cases.sample(
        42,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=cases.FACTORS,
        interpolation=cases.INTERPOLATIONS,
        data_format=cases.FORMATS,
        dtype=["float32", "float32", "float64"],
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", [*LOWERINGS, "native"])
@pytest.mark.grid(4)
def test_signals_and_volumes(lowering):
    offered = ["nearest", "linear"] if lowering == "native" else oracles.OF_EVERY_RANK
    if lowering == "native" and keras.backend.backend() != "torch":
        with pytest.raises(ValueError, match='"native" .*Received: backend'):
            run_case(lowering, (3, 2, 4), 2, "nearest", "channels_last", "float32")
        return
    for case in cases.ranks(
        18,
        seed=1,
        size=[2, (4, 2, 1)] + [(2, 3, 1)] * (lowering != "native"),
        interpolation=offered,
        data_format=cases.FORMATS,
        dtype=["float32"],
    ):
        run_case(lowering, **case)


def test_linear_and_cubic_are_names_in_every_rank_and_their_own_ones_in_theirs():
    x = cases.noise(3, 1, 3, 3, 3).astype("float32")
    for rank, prefix in enumerate(("", "bi", "tri"), start=1):
        part = x if rank == 2 else x[0] if rank == 1 else x[None]
        for name in ("linear", "cubic"):
            own, common = (to_numpy(upsample(part, 2, n)) for n in (prefix + name, name))
            np.testing.assert_array_equal(own, common)
        for other in {"bi", "tri"} - {prefix}:
            with pytest.raises(
                ValueError, match=rf"must be one of .*{prefix}linear.*{other}linear"
            ):
                upsample(part, 2, other + "linear")


def test_a_size_per_axis_of_another_rank_is_refused():
    for rank, expected in ((1, "one of them, .length"), (3, "three of them, .depth, height, w")):
        with pytest.raises(ValueError, match=rf"`size` must be .*{expected}.*size=\(2, 2\)"):
            upsample(np.ones((1, *(2,) * rank, 1), "float32"), (2, 2))
        with pytest.raises(ValueError, match=rf"`output_size` must be .*{expected}.*\(4, 4\)"):
            upsample(np.ones((1, *(2,) * rank, 1), "float32"), output_size=(4, 4))


@pytest.mark.parametrize("lowering", ["reference", "direct", "auto"])
def test_other_sizes_are_the_formula(lowering):
    for case in cases.sample(
        18,
        seed=LOWERINGS.index(lowering),
        side=cases.SIZES,
        size=[1.5, 2.5, (1.3, 2), (1, 1.7)],
        interpolation=cases.INTERPOLATIONS,
        data_format=cases.FORMATS,
        dtype=["float32", "float64"],
    ):
        run_case(lowering, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.grid(3)
def test_half_precision_is_rounded_once(lowering, dtype):
    for case in cases.sample(
        6,
        seed=5,
        side=cases.SIZES[2:],
        size=[2, 3, (4, 2)],
        interpolation=cases.INTERPOLATIONS,
        data_format=cases.FORMATS,
    ):
        run_case(lowering, dtype=dtype, **case)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(2)
def test_float32_is_within_2e_6_of_the_largest_input(lowering):
    x = cases.noise(3, 1, 9, 11, 2).astype("float32")
    for interpolation in cases.INTERPOLATIONS:
        y = to_numpy(upsample(x, (2, 3), interpolation, "channels_last", lowering))
        (expected,) = oracles.upsample(x.astype("float64"), (2, 3), interpolation)
        error = np.abs(y - expected).max() / np.abs(x).max()
        assert error <= 2e-6, f"{interpolation}: {error}"


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "bfloat16", "float32", "bool"])
def test_nearest_copies_every_dtype_bit_for_bit(lowering, dtype):
    x = np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2) % (2 if dtype == "bool" else 97)
    y = upsample(keras.ops.cast(x, dtype), (2, 3), "nearest", "channels_last", lowering)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    np.testing.assert_array_equal(to_numpy(y), x.repeat(2, axis=1).repeat(3, axis=2))


def test_integers_become_floats_where_pixels_are_mixed():
    y = upsample(np.array([[[[0], [4]]]], "uint8"), (1, 2), "bilinear", "channels_last")
    assert keras.backend.standardize_dtype(y.dtype) == keras.config.floatx()
    assert to_numpy(y).ravel().tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.grid(3)
def test_a_constant_stays_constant_and_size_one_changes_nothing(interpolation):
    constant = np.full((1, 4, 6, 1), 0.7, "float32")
    for size in (2, 3, 1.7):
        y = to_numpy(upsample(constant, size, interpolation, "channels_last"))
        np.testing.assert_allclose(y, 0.7, rtol=1e-6)
    x = cases.noise(2, 1, 4, 6, 1).astype("float32")
    y = to_numpy(upsample(x, 1, interpolation, "channels_last"))
    if interpolation != "mitchell":  # which blurs: phi(1) = 1/18
        np.testing.assert_allclose(y, x, atol=1e-6)


def test_the_same_call_gives_the_same_bits():
    x = cases.noise(4, 2, 5, 7, 3).astype("float32")
    for lowering in LOWERINGS:
        first, second = (upsample(x, 3, "lanczos3", "channels_last", lowering) for _ in range(2))
        np.testing.assert_array_equal(to_numpy(first), to_numpy(second))


def test_float64_stays_float64():
    with precision("float64"):
        y = upsample(np.ones((1, 2, 2, 1)), 2, "bicubic", "channels_last")
        assert keras.backend.standardize_dtype(y.dtype) == "float64"


def test_keras_data_format_is_the_default():
    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        assert tuple(upsample(np.ones((1, 3, 4, 5), "float32"), 2).shape) == (1, 3, 8, 10)
    finally:
        keras.config.set_image_data_format(before)
    assert tuple(upsample(np.ones((1, 3, 4, 5), "float32"), 2).shape) == (1, 6, 8, 5)


@pytest.mark.parametrize("size", [0, -1, 0.5, "a", float("nan"), float("inf"), None, (2, 2, 2), ()])
def test_a_size_that_is_no_number_from_one_is_refused(size):
    with pytest.raises(ValueError, match=r"`size` must be a number of at least 1.*Received: size="):
        upsample(np.ones((1, 2, 2, 1), "float32"), size)


def test_other_wrong_arguments_are_named():
    x = np.ones((1, 2, 2, 1), "float32")
    with pytest.raises(ValueError, match=r"rank 4.*Received: shape \(2, 1\)"):
        upsample(x[0, 0])
    with pytest.raises(ValueError, match=r"`interpolation` must be one of nearest, .*'cube'"):
        upsample(x, interpolation="cube")
    with pytest.raises(ValueError, match=r"`interpolation` must be one of .*None"):
        upsample(x, interpolation=None)
    with pytest.raises(ValueError, match=r"`data_format` must be one of .*'NHWC'"):
        upsample(x, data_format="NHWC")
    with pytest.raises(ValueError, match=r"one of auto, reference, direct, phases, native\. .*'x'"):
        upsample(x, lowering="x")
    with pytest.raises(ValueError, match=r"integer factors.*1\.5.*direct"):
        upsample(x, 1.5, "bilinear", lowering="phases")
    with pytest.raises(ValueError, match=r"symbolic Keras tensor.*layer of polyphase\.layers"):
        upsample(keras.KerasTensor((1, 2, 2, 1)))
