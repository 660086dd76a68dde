"""`Cost`: the products that a lowering computes, against the framework's own count of them."""

import itertools
import math

import keras
import numpy as np
import pytest

from polyphase import layers
from polyphase.rewrite import Cost

SHAPE = (64, 80, 4)
LOWERINGS = ["difference", "phases", "patches", "transpose", "direct"]


def counted(layer, shape):
    """Return the products of matrix products and convolutions that really run."""
    x = np.ones((1, *shape), "float32")
    if keras.backend.backend() == "torch":
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            layer(x)
        return counter.get_total_flops() // 2
    import jax

    return _products(jax.make_jaxpr(lambda x: layer(x))(x).jaxpr)


def _products(jaxpr):
    total = 0
    for equation in jaxpr.eqns:
        for inner in jax_subjaxprs(equation.params):
            total += _products(inner)
        shapes = [math.prod(one.aval.shape) for one in (*equation.invars, *equation.outvars)]
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            sides = [equation.invars[0].aval.shape[axis] for axis in contracted]
            total += shapes[-1] * math.prod(sides)
        if equation.primitive.name == "conv_general_dilated":
            inserted = math.prod(equation.params["lhs_dilation"])
            filters = equation.params["dimension_numbers"].rhs_spec[0]
            per_output = shapes[1] // equation.invars[1].aval.shape[filters]
            total += shapes[-1] * per_output // inserted
    return total


def jax_subjaxprs(params):
    for value in params.values():
        inner = getattr(value, "jaxpr", value)
        if hasattr(inner, "eqns"):
            yield inner


def cost(layer, *shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    return Cost.of(model).multiply_adds


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow does not count")
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_a_convolution_costs_what_its_lowering_multiplies(lowering):
    sizes = [2, (1, 2), (3, 2)] + ([1.5, (2, 1.5)] if lowering in ("patches", "direct") else [])
    for size, k, padding in itertools.product(sizes, [1, 3, (2, 5)], ["same", "valid"]):
        layer = layers.UpSampleConv2D(3, k, size, padding, lowering=lowering)
        expected = cost(layer, SHAPE)
        # The zeros around small images are multiplied too.
        assert expected == pytest.approx(counted(layer, SHAPE), rel=0.09), f"{size} {k} {padding}"


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow does not count")
@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 2, "dilation_rate": 2},
        {"size": 2, "dilation_rate": 3, "lowering": "phases"},
        {"size": (2, 3), "groups": 2, "filters": 2},
        {"size": 2, "groups": 2, "filters": 2, "lowering": "phases"},
        {"size": 1},
        {"size": 1.5},
        {"size": (1.5, 2), "kernel_size": 1},
        {"size": 1.25, "kernel_size": 1, "filters": 9},
        {"size": (1, 3), "padding": "valid"},
    ],
    ids=str,
)
def test_auto_costs_what_it_multiplies(arguments):
    layer = layers.UpSampleConv2D(
        **{"filters": 3, "kernel_size": 3, "padding": "same", **arguments}
    )
    assert cost(layer, SHAPE) == pytest.approx(counted(layer, SHAPE), rel=0.09)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # Nearest by 1.5 has no phases: what is convolved has 7 and 10 pixels a side.
        (layers.UpSampleConv2D(4, 3, 1.5, "same"), 7 * 10 * 3 * 4 * 9),
        (layers.UpSampleConv2D(4, 3, 1.5, "valid"), 5 * 8 * 3 * 4 * 9),
        (layers.UpSampleConv2D(4, 3, (2, 1.5), "same"), 10 * 10 * 3 * 4 * 9),
        (layers.UpSampleConv2D(4, 3, (1.5, 2), "same"), 7 * 14 * 3 * 4 * 9),
        # Two taps an axis of 1.5, vertical first: 7 x 7, then 7 x 10.
        (
            layers.UpSampleConv2D(4, 3, 1.5, "same", "bilinear", lowering="direct"),
            3 * 2 * (7 * 7 + 7 * 10) + 7 * 10 * 3 * 4 * 9,
        ),
        # One tap and fewer channels: convolved first, then 2 channels are interpolated.
        (
            layers.UpSampleConv2D(2, 1, 2, "same", "bicubic", lowering="direct"),
            5 * 7 * 3 * 2 + 2 * 4 * (10 * 7 + 10 * 14),
        ),
        (
            layers.UpSampleConv2D(4, 1, 2, "same", "bicubic", lowering="direct"),
            3 * 4 * (10 * 7 + 10 * 14) + 10 * 14 * 3 * 4,
        ),
        (layers.UpSampleConv2D(4, (3, 5), (2, 3), "same", lowering="difference"), 35 * 12 * 3 * 5),
        (layers.UpSampleConv2D(4, (3, 5), (2, 3), "same", lowering="phases"), 35 * 12 * 4 * 7),
        (layers.UpSampleConv2D(4, (3, 5), (2, 3), "same", lowering="transpose"), 35 * 12 * 4 * 7),
        # Along rows three phases of the 3 pixels that 5 taps reach.
        (layers.UpSampleConv2D(4, (3, 5), (2, 3), "same", lowering="patches"), 35 * 12 * 4 * 9),
        (
            layers.UpSampleDepthwiseConv2D(
                3, size=2, padding="same", depth_multiplier=2, lowering="phases"
            ),
            35 * 3 * 2 * 4 * 4,
        ),
        (
            layers.UpSampleDepthwiseConv2D(3, size=2, padding="valid", lowering="direct"),
            8 * 12 * 3 * 9,
        ),
        (layers.UpSampleDepthwiseConv2D(3, size=1.5, padding="same"), 7 * 10 * 3 * 9),
        (
            layers.UpSampleSeparableConv2D(4, 3, size=2, padding="same", lowering="phases"),
            35 * 3 * 4 * 4 + 10 * 14 * 3 * 4,
        ),
        (layers.UpSampleSeparableConv2D(4, 3, size=1.5), 5 * 8 * (3 * 9 + 3 * 4)),
        (layers.UpSampling2D((1, 2), interpolation="bilinear"), 3 * 2 * 5 * 14),
        (layers.UpSampling2D(1, interpolation="bicubic"), 0),
        (layers.UpSampling2D(1, interpolation="mitchell"), 3 * 4 * 2 * 35),
        (keras.layers.Resizing(10, 14, interpolation="bilinear"), 3 * 2 * (70 + 140)),
        (keras.layers.Resizing(10, 14, interpolation="nearest"), 0),
    ],
    ids=lambda value: "" if isinstance(value, int) else f"{type(value).__name__}",
)
def test_layers_cost_what_is_counted_by_hand(layer, expected):
    assert cost(layer, (5, 7, 3)) == expected


def test_a_blur_costs_nearest_a_pass_per_axis_and_both_ends_of_every_axis():
    shape, convolved = (8, 9, 3), 3 * 4 * 9
    nearest = cost(layers.UpSampleConv2D(4, 3, 2, "same"), shape)
    # Two and three outputs (of 7 taps: 4) at each end read 5 rows, which 4 pixels give.
    rows = 10 * 18 * convolved + 3 * 4 * (16 * 9 + 16 * 18)
    columns = 16 * 10 * convolved + 3 * 4 * (16 * 8 + 16 * 16)
    cubic = layers.UpSampleConv2D(4, 3, 2, "same", "bicubic", lowering="blur")
    assert cost(cubic, shape) == nearest + 16 * 18 * 4 * (7 + 7) + rows + columns


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="continued where XLA makes no copy")
def test_linear_costs_nearest_of_the_image_continued_and_what_is_outside_of_it():
    nearest = cost(layers.UpSampleConv2D(4, 3, 2, "same"), (7, 9, 3))
    # One row at each end, which a row of taps reads, of pixels upsampled along the other axis.
    rows = 2 * 14 * 3 * 4 * 3 + 3 * 2 * 2 * 14
    columns = 10 * 2 * 3 * 4 * 3 + 3 * 2 * 10 * 2
    blurred = layers.UpSampleConv2D(4, 3, 2, "same", "bilinear", lowering="blur")
    assert cost(blurred, (5, 7, 3)) == nearest + 10 * 14 * 4 * (3 + 3) + rows + columns


def test_a_blur_of_an_image_that_is_all_border_costs_what_direct_does():
    wide, direct = (
        layers.UpSampleConv2D(4, 9, 2, "same", "bilinear", lowering=one)
        for one in ("blur", "direct")
    )
    assert cost(wide, (2, 7, 3)) == cost(direct, (2, 7, 3))


def test_nearest_is_its_own_blur():
    nearest = cost(layers.UpSampleConv2D(4, 3, 2, "same"), (7, 9, 3))
    assert cost(layers.UpSampleConv2D(4, 3, 2, "same", lowering="blur"), (7, 9, 3)) == nearest


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow does not count")
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_blur_costs_what_is_multiplied(interpolation):
    """Neither framework counts interpolation, and XLA not the blur, which are little here."""
    for size, k, padding in itertools.product([2, (3, 2)], [3, (2, 5)], ["same", "valid"]):
        layer = layers.UpSampleConv2D(96, k, size, padding, interpolation, lowering="blur")
        shape = (32, 30, 48)  # larger ones are computed in strips, which are counted once
        assert cost(layer, shape) == pytest.approx(counted(layer, shape), rel=0.09)


def test_the_parts_of_a_concatenation_cost_what_each_costs():
    layer = layers.ConcatConv2D(2, 1, size=(2, 1), interpolation="bilinear", padding="same")
    small, skip = 4 * 5 * 3 * 2 + 2 * 2 * (8 * 5 + 8 * 10), 8 * 10 * 5 * 2
    assert cost(layer, (4, 5, 3), (8, 10, 5)) == small + skip
    wide = layers.ConcatConv2D(7, 3, size=(1.5, 1), padding="same")
    assert cost(wide, (4, 6, 3), (6, 9, 5)) == 6 * 9 * 8 * 7 * 9


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (keras.layers.Conv1D(4, 3, padding="same"), (7, 3), 7 * 3 * 4 * 3),
        (keras.layers.Conv3D(4, 3, padding="same"), (3, 4, 5, 2), 60 * 2 * 4 * 27),
        (keras.layers.Conv1DTranspose(4, 3, 2), (7, 3), 7 * 3 * 4 * 3),
        (keras.layers.Conv3DTranspose(4, 3, 2), (3, 4, 5, 2), 60 * 2 * 4 * 27),
        (keras.layers.SeparableConv1D(4, 3, padding="same"), (7, 3), 7 * (9 + 12)),
        (keras.layers.DepthwiseConv1D(3, padding="same"), (7, 3), 7 * 9),
        (keras.layers.DepthwiseConv2D(3, 2, padding="same"), (8, 6, 3), 4 * 3 * 27),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_ranks_are_counted_too(layer, shape, expected):
    assert cost(layer, shape) == expected
