"""Which resizing repeats pixels, told from what onnxruntime computes; and how sizes are said."""

import itertools

import numpy as np
import pytest

pytest.importorskip("onnxscript", reason="needs the extra `export`")

import onnx_ir as ir
from onnx import TensorProto

from polyphase.rewrite.onnx.prepare import prepared
from polyphase.rewrite.onnx.resizing import repeats
from polyphase.rewrite.onnx.walk import folded
from tests.rewrite.onnx.helpers import (
    SUB_PIXEL,
    TRANSPOSED,
    WOVEN,
    Graph,
    assert_folds,
    fold,
    kinds,
    run,
    writes,
)

COORDINATES = (
    "asymmetric",
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
)
ROUNDINGS = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")


@pytest.mark.parametrize(("coordinates", "rounding"), [*itertools.product(COORDINATES, ROUNDINGS)])
def test_nearest_is_read_where_the_runtime_repeats(coordinates, rounding):
    """What onnxruntime makes of ramps of several lengths, beside `repeat`."""
    for factor in (2, 3, 4, 5, 8):
        same = True
        for length in (1, 2, 3, 7):
            graph = Graph(19)
            attributes = {"coordinate_transformation_mode": coordinates, "nearest_mode": rounding}
            y = graph.up(graph.input("x", 1, 1, 1, length), 1, factor, **attributes)
            x = np.arange(length, dtype="float32").reshape(1, 1, 1, length)
            (found,) = run(graph.model(y), {"x": x})
            same = same and np.array_equal(found, x.repeat(factor, 3))
        read = repeats(factor, coordinates, rounding)
        assert same or not read  # never read as what it is not
        if coordinates != "align_corners":
            assert read == same


@pytest.mark.parametrize("coordinates", ["align_corners", "asymmetric"])
def test_what_does_not_repeat_stays(coordinates):
    graph = Graph()
    attributes = {"coordinate_transformation_mode": coordinates, "nearest_mode": "ceil"}
    x = graph.up(graph.input("x", 1, 3, 5, 5), 2, 2, **attributes)
    model = graph.model(graph.conv(x, 3, 4, 3, 3))
    assert_folds(model, TRANSPOSED, present=["Resize"])


def test_a_crop_and_resize_stays():
    graph = Graph()
    region = graph.numbers(np.array([0, 0, 0.2, 0.2, 1, 1, 0.8, 0.8], "float32"))
    scales = graph.numbers(np.array([1, 1, 2, 2], "float32"))
    x = graph(
        "Resize",
        graph.input("x", 1, 3, 6, 6),
        region,
        scales,
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
    )
    model = graph.model(graph.conv(x, 3, 4, 1, 1))
    new, _ = assert_folds(model, TRANSPOSED)
    assert kinds(new) == ["Resize", "Conv"]


def resized_to(graph, x, sizes, **attributes):
    rounding = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph("Resize", x, "", "", sizes, mode="nearest", **rounding | attributes)


@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
def test_sizes_that_are_a_known_multiple(way):
    graph = Graph(18)
    sizes = graph.numbers(np.array([1, 3, 10, 12]))
    x = resized_to(graph, graph.input("x", 1, 3, 5, 6), sizes)
    assert_folds(graph.model(graph.conv(x, 3, 4, 3, 3)), way, absent=["Resize"])


def test_sizes_of_some_axes():
    graph = Graph(18)
    x = resized_to(
        graph, graph.input("x", 1, 3, 5, 6), graph.numbers(np.array([12, 10])), axes=[3, 2]
    )
    assert_folds(graph.model(graph.conv(x, 3, 4, 3, 3)), TRANSPOSED, absent=["Resize"])


def test_sizes_that_are_none():
    graph = Graph(18)
    x = resized_to(graph, graph.input("x", 1, 3, 5, 6), graph.numbers(np.array([1, 3, 11, 12])))
    assert_folds(graph.model(graph.conv(x, 3, 4, 3, 3)), TRANSPOSED, present=["Resize"])


def computed_sizes(graph, x, factor):
    """Twice the sides of an image, as PyTorch's exporter computes them."""
    sides = []
    for axis in (2, 3):
        side = graph("Gather", graph("Shape", x), graph.numbers(np.array(axis)))
        side = graph(
            "Mul", graph("Cast", side, to=TensorProto.FLOAT), graph.numbers(np.float32(factor))
        )
        side = graph("Cast", graph("Floor", side), to=TensorProto.INT64)
        sides.append(graph("Unsqueeze", side, graph.numbers(np.array([0]))))
    starts, ends = graph.numbers(np.array([0])), graph.numbers(np.array([2]))
    first = graph("Slice", graph("Shape", x), starts, ends)
    return graph("Concat", first, *sides, axis=0)


@pytest.mark.parametrize(("factor", "folds"), [(2.0, True), (3.0, True), (1.5, False)])
def test_sizes_that_are_computed(factor, folds):
    graph = Graph(17)
    x = graph.input("x", "n", 3, "h", "w")
    y = resized_to(graph, x, computed_sizes(graph, x, factor))
    model = graph.model(graph.conv(y, 3, 4, 3, 3))
    new, _ = assert_folds(model, TRANSPOSED)
    assert ("Resize" in kinds(new)) == (not folds)


def test_the_size_of_another_image_is_not_known():
    """A skip's size is twice the small image's only where that has been halved evenly."""
    graph = Graph(17)
    x, skip = graph.input("x", 1, 3, "h", "w"), graph.input("skip", 1, 3, "H", "W")
    y = resized_to(graph, x, graph("Shape", skip))
    new, _ = fold(graph.model(graph.conv(y, 3, 4, 3, 3)), TRANSPOSED)
    assert "Resize" in kinds(new)


def repeated(graph, x, axis, factor, rank=4, open_sides=True):
    """Each pixel several times along an axis, as Keras exports `repeat` on PyTorch."""
    one = graph("Unsqueeze", x, graph.numbers(np.array([axis + 1])))
    lengths = np.ones(rank + 1, "int64")
    lengths[axis + 1] = factor
    longer = graph("Expand", one, graph.numbers(lengths))
    sides = []
    for n in range(rank):
        side = graph("Gather", graph("Shape", x), graph.numbers(np.array([n])))
        sides.append(graph("Mul", side, graph.numbers(np.array([factor]))) if n == axis else side)
    return graph("Reshape", longer, graph("Concat", *sides, axis=0))


@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
@pytest.mark.parametrize("sides", [(5, 6), ("h", "w")])
def test_repeating_channels_last(way, sides):
    graph = Graph()
    x = graph("Relu", graph.input("x", "n", *sides, 3))
    x = repeated(graph, repeated(graph, x, 1, 2), 2, 2)
    x = graph("Mul", x, graph.random(3))
    x = graph.conv(graph("Transpose", x, perm=[0, 3, 1, 2]), 3, 4, 3, 3, pads=[1, 1, 1, 1])
    x = graph("Transpose", x, perm=[0, 2, 3, 1])
    assert_folds(graph.model(x), way, absent=["Expand", "Resize"], present=writes(way))


@pytest.mark.parametrize("axes", [(2, 3), (3,), (2,)])
def test_repeating_channels_first(axes):
    graph = Graph()
    x = graph.input("x", 1, 3, 5, 6)
    for axis in axes:
        x = repeated(graph, x, axis, 3)
    model = graph.model(graph.conv(x, 3, 4, 3, 3))
    assert_folds(model, TRANSPOSED, absent=["Expand"], present=["ConvTranspose"])


def test_repeating_that_is_something_else_stays():
    """Tiled, not repeated: the new axis comes before the rows."""
    graph = Graph()
    x = graph.input("x", 1, 3, 5, 6)
    longer = graph(
        "Expand",
        graph("Unsqueeze", x, graph.numbers(np.array([2]))),
        graph.numbers(np.array([1, 3, 2, 5, 6])),
    )
    y = graph("Reshape", longer, graph.numbers(np.array([1, 3, 10, 6])))
    model = graph.model(graph.conv(y, 3, 4, 3, 3))
    assert_folds(model, TRANSPOSED, present=["Expand"])


def test_an_axis_that_becomes_longer_besides_is_no_repeating():
    graph = Graph()
    x = graph("Unsqueeze", graph.input("x", 1, 3, 5, 1), graph.numbers(np.array([3])))
    longer = graph("Expand", x, graph.numbers(np.array([1, 3, 5, 2, 6])))
    y = graph("Reshape", longer, graph.numbers(np.array([1, 3, 10, -1])))
    assert_folds(graph.model(graph.conv(y, 3, 4, 3, 3)), TRANSPOSED, present=["Expand"])


def test_what_stays_reads_what_was_folded_before_it():
    """Nothing is computed twice: the parts of a repeating that stays read new nodes."""
    graph = Graph()
    x = graph.conv(graph.up(graph.input("x", 1, 3, 5, 6), 2, 2), 3, 4, 3, 3)
    x = repeated(graph, x, 2, 3)
    read = prepared(ir.from_proto(graph.model(graph.conv(x, 4, 2, 3, 3))))
    folded(read, {0: TRANSPOSED})
    assert [node.op_type for node in read.graph].count("Resize") == 0


def test_repeating_channels_is_not_upsampling():
    graph = Graph()
    x = repeated(graph, graph.input("x", 1, 3, 5, 6), 1, 2)
    model = graph.model(graph.conv(x, 6, 4, 3, 3))
    assert_folds(model, TRANSPOSED)


def test_a_concatenation_of_repeated_images_channels_last():
    graph = Graph()
    x = repeated(graph, repeated(graph, graph.input("x", 1, 4, 5, 3), 1, 2), 2, 2)
    x = graph("Concat", x, graph.input("skip", 1, 8, 10, 2), axis=3)
    x = graph("Transpose", graph("Relu", x), perm=[0, 3, 1, 2])
    model = graph.model(graph.conv(x, 5, 4, 3, 3, pads=[1, 1, 1, 1]))
    assert_folds(model, TRANSPOSED, absent=["Expand", "Resize", "Concat"])
