"""depth_to_space: moves numbers, changes none."""

import math

import keras
import numpy as np
import pytest

from polyphase.ops import depth_to_space
from tests.gradients import to_numpy, vjp
from tests.ops import cases, oracles


def test_every_channel_goes_to_its_pixel_and_back():
    for case in cases.sample(
        21,
        seed=0,
        side=cases.SIZES,
        size=cases.FACTORS,
        kept=[1, 2, 3],
        data_format=cases.FORMATS,
    ):
        sizes, data_format = cases.pair(case["size"]), case["data_format"]
        x = cases.noise(1, 2, *case["side"], case["kept"] * sizes[0] * sizes[1]).astype("float32")
        expected = oracles.depth_to_space(x, sizes)
        places = oracles.depth_to_space(np.arange(x.size).reshape(x.shape), sizes)
        g = cases.noise(2, *expected.shape).astype("float32")
        gradient = np.zeros(x.size, "float32")
        gradient[places.ravel()] = g.ravel()
        y, (dx,), _ = vjp(
            lambda x, size=case["size"], f=data_format: depth_to_space(x, size, f),
            [cases.to_format(x, data_format)],
            cases.to_format(g, data_format),
        )
        np.testing.assert_array_equal(y, cases.to_format(expected, data_format), str(case))
        back = cases.to_format(gradient.reshape(x.shape), data_format)
        np.testing.assert_array_equal(dx, back, str(case))


def test_signals_and_volumes():
    for case in cases.ranks(
        12, seed=0, size=[2, (3, 1, 2)], kept=[1, 3], data_format=cases.FORMATS
    ):
        sizes, form = cases.each(case["size"], len(case["side"])), case["data_format"]
        x = cases.noise(1, 2, *case["side"], case["kept"] * math.prod(sizes)).astype("float32")
        y = depth_to_space(cases.to_format(x, form), case["size"], form)
        expected = cases.to_format(oracles.depth_to_space(x, sizes), form)
        np.testing.assert_array_equal(to_numpy(y), expected, str(case))
        fastest = x.reshape(*x.shape[:-1], -1, case["kept"]).swapaxes(-1, -2).reshape(x.shape)
        y = depth_to_space(cases.to_format(fastest, form), case["size"], form, order="crd")
        np.testing.assert_array_equal(to_numpy(y), expected, str(case))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float16", "bfloat16"])
def test_the_dtype_is_kept(dtype):
    x = keras.ops.cast(np.arange(8).reshape(1, 1, 2, 4) % 5, dtype)
    y = depth_to_space(x, 2, "channels_last")
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    expected = oracles.depth_to_space(to_numpy(x), (2, 2))
    np.testing.assert_array_equal(to_numpy(y), expected)


def test_wrong_arguments_are_named():
    x = np.ones((1, 2, 2, 6), "float32")
    with pytest.raises(ValueError, match=r"rank 4.*Received: shape \(2, 6\)"):
        depth_to_space(x[0, 0])
    with pytest.raises(ValueError, match=r"by 2 x 2 needs channels divisible by 4.*6 channels"):
        depth_to_space(x, 2)
    for size in (0, -1, 0.5, "a", float("nan"), (1, 2, 3)):
        with pytest.raises(ValueError, match=r"`size` must be a positive integer.*Received: size="):
            depth_to_space(x, size)
    with pytest.raises(ValueError, match=r"`data_format` must be one of .*'NHWC'"):
        depth_to_space(x, 1, "NHWC")
    with pytest.raises(ValueError, match=r"symbolic Keras tensor"):
        depth_to_space(keras.KerasTensor((1, 2, 2, 4)))
