"""upsample to given sides: the scale is output / input, and the sides are exactly those."""

import math

import keras
import numpy as np
import pytest

from polyphase.ops import upsample, upsample_conv
from tests.algebra.oracles import PHI, resample
from tests.gradients import to_numpy, vjp
from tests.ops import cases

BACKEND = keras.backend.backend()


def to_sides(x, height, width, interpolation):
    """Return float64 images of these sides by the formula, each row and column a list."""
    rows = np.apply_along_axis(
        lambda line: resample(list(line), height, PHI[interpolation]), 1, x.astype("float64")
    )
    return np.apply_along_axis(
        lambda line: resample(list(line), width, PHI[interpolation]), 2, rows
    )


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.grid(4)
def test_the_result_is_the_formula(interpolation, data_format):
    x = cases.noise(1, 2, 4, 5, 2).astype("float32")
    image = cases.to_format(x, data_format)
    for sides in ((9, 13), (4, 7), (8, 15), (4, 5)):
        y = upsample(image, output_size=sides, interpolation=interpolation, data_format=data_format)
        y = cases.from_format(to_numpy(y), data_format)
        np.testing.assert_allclose(y, to_sides(x, *sides, interpolation), atol=4e-6)


@pytest.mark.parametrize("lowering", ["auto", "reference", "direct"])
def test_every_pair_of_sides_gives_that_side(lowering):
    """120 of 88, and the like: sizes whose product with the side falls below it in binary."""
    short = [
        (n, out) for n in range(1, 129) for out in range(n, 257) if math.floor(n * (out / n)) != out
    ]
    pairs = [(88, 120), *short[:: len(short) // (6 if BACKEND == "jax" else 60)]]
    for n, out in pairs:
        x = np.arange(n, dtype="float32").reshape(1, n, 1, 1)
        expected = (2 * np.arange(out) + 1) * n // (2 * out)
        for y in (
            upsample(x, (out / n, 1), lowering=lowering),
            upsample(x, output_size=(out, 1), lowering=lowering),
        ):
            np.testing.assert_array_equal(to_numpy(y).ravel(), expected, err_msg=f"{n} -> {out}")


@pytest.mark.parametrize("lowering", ["phases", "auto"])
def test_integer_multiples_are_integer_factors(lowering):
    x = cases.noise(1, 1, 3, 4, 2).astype("float32")
    given = upsample(x, output_size=(6, 12), interpolation="bicubic", lowering=lowering)
    np.testing.assert_array_equal(
        to_numpy(given), to_numpy(upsample(x, (2, 3), "bicubic", lowering=lowering))
    )


def test_one_number_is_both_sides_and_numpy_integers_are_integers():
    x = np.ones((1, 3, 4, 2), "float32")
    assert tuple(upsample(x, output_size=7).shape) == (1, 7, 7, 2)
    assert tuple(upsample(x, output_size=np.array([5, 6])).shape) == (1, 5, 6, 2)


def test_the_gradient_is_the_transposed_table():
    x, g = cases.noise(1, 1, 4, 3, 1), cases.noise(2, 1, 9, 5, 1)
    _, (dx,), _ = vjp(lambda x: upsample(x, output_size=(9, 5), interpolation="bilinear"), [x], g)
    table = to_sides(np.eye(12).reshape(12, 4, 3, 1), 9, 5, "bilinear").reshape(12, 45)
    np.testing.assert_allclose(dx.ravel(), table @ g.ravel(), atol=1e-5)


def test_a_size_and_an_output_size_exclude_each_other():
    x = np.ones((1, 4, 4, 1), "float32")
    for size in (2, (2, 2), 1.5, None):
        with pytest.raises(ValueError, match=r"exclude each other.*Received: size=.*Leave one"):
            upsample(x, size, output_size=(8, 8))


@pytest.mark.parametrize("sides", [(3, 8), (8, 3), 0, -1, 2.5, "a", (8,), (8, 8, 8), (8, None)])
def test_an_output_that_is_smaller_or_no_size_is_refused(sides):
    x = np.ones((1, 4, 4, 1), "float32")
    with pytest.raises(ValueError, match=r"`output_size` must be .*does not shrink\. Received"):
        upsample(x, output_size=sides)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow traces unknown sizes")
@pytest.mark.parametrize("lowering", ["auto", "direct", "reference"])
def test_unknown_sides_give_the_same(lowering):
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, None, 1)), tf.TensorSpec((2,), "int32")]

    @tf.function(input_signature=signature)
    def to(x, sides):
        sides = (sides[0], sides[1])
        return upsample(x, output_size=sides, interpolation="bilinear", lowering=lowering)

    @tf.function(input_signature=signature[:1])
    def by(x):
        return upsample(x, (120 / 88, 49 / 7.5), lowering=lowering)

    for n, out in ((88, 120), (5, 9), (7, 7)):
        x = cases.noise(1, 1, n, 2, 1).astype("float32")
        np.testing.assert_allclose(
            to_numpy(to(x, (out, 3))), to_sides(x, out, 3, "bilinear"), atol=2e-6
        )
        np.testing.assert_array_equal(
            to_numpy(by(x)), to_numpy(upsample(x, (120 / 88, 49 / 7.5), lowering=lowering))
        )
    assert by(np.ones((1, 88, 2, 1), "float32")).shape[1] == 120
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not shrink"):
        to(np.ones((1, 5, 2, 1), "float32"), (4, 3))


def test_a_convolution_after_it_has_the_same_sides():
    x, w = np.ones((1, 88, 3, 1), "float32"), np.ones((1, 1, 1, 1), "float32")
    for lowering in ("auto", "reference", "direct", "patches"):
        y = upsample_conv(x, w, (120 / 88, 1), padding="same", lowering=lowering)
        assert tuple(y.shape) == (1, 120, 3, 1)
