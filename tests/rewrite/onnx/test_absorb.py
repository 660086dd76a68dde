"""A convolution of an upsampled image, in the ways that ONNX can say it."""

import numpy as np
import pytest

pytest.importorskip("onnxscript", reason="needs the extra `export`")

from tests.rewrite.onnx.helpers import (
    RESIZE,
    SUB_PIXEL,
    TRANSPOSED,
    WAYS,
    WOVEN,
    Graph,
    assert_folds,
    fold,
    kinds,
    noise,
    run,
    writes,
)


@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
@pytest.mark.parametrize(
    ("factor", "size", "attributes"),
    [
        (2, 3, {"pads": [1, 1, 1, 1]}),
        (2, 3, {}),
        (3, 3, {"pads": [1, 1, 1, 1]}),
        (5, 3, {"pads": [1, 1, 1, 1]}),
        (8, 3, {"pads": [1, 1, 1, 1]}),
        (2, 5, {"pads": [2, 2, 2, 2], "dilations": [1, 1]}),
        (2, 3, {"pads": [2, 2, 2, 2], "dilations": [2, 2]}),
        (2, 4, {"pads": [1, 1, 2, 2]}),
        (2, 4, {"pads": [1, 1, 1, 1]}),
        (2, 4, {"pads": [2, 2, 1, 1]}),
        (3, 2, {"pads": [0, 0, 1, 1]}),
        (2, 3, {"pads": [0, 2, 1, 0]}),
        (2, 3, {"pads": [3, 3, 3, 3]}),
        (2, 1, {"pads": [1, 1, 1, 1]}),
        (2, 3, {"auto_pad": "SAME_UPPER"}),
        (2, 3, {"auto_pad": "SAME_LOWER"}),
        (2, 4, {"auto_pad": "SAME_UPPER"}),
        (2, 4, {"auto_pad": "SAME_LOWER"}),
        (4, 3, {"auto_pad": "VALID"}),
        (2, 3, {"pads": [1, 1, 1, 1], "groups": 2}),
        (2, 3, {"pads": [1, 1, 1, 1], "groups": 4}),
        (2, 3, {"pads": [1, 1, 1, 1], "bias": False}),
    ],
)
def test_nearest_and_a_convolution(way, factor, size, attributes):
    graph = Graph()
    x = graph.up(graph.input("x", 2, 4, 5, 6), factor, factor)
    model = graph.model(graph.conv(x, 4, 8, size, size, **attributes))
    assert_folds(model, way, absent=["Resize"], present=writes(way))


@pytest.mark.parametrize("opset", range(9, 23))
@pytest.mark.parametrize("way", WAYS)
def test_every_version_of_the_operators(opset, way):
    graph = Graph(opset)
    x = graph("Relu", graph.up(graph.input("x", "n", 4, "h", "w"), 2, 2))
    x = graph("LeakyRelu", graph.conv(x, 4, 8, 3, 3, pads=[1, 1, 1, 1]), alpha=0.2)
    x = graph.up(x, 3, 3)
    model = graph.model(graph.conv(x, 8, 2, 3, 3, pads=[0, 2, 1, 1]))
    new, _ = assert_folds(model, way)
    assert ("Resize" in kinds(new) or "Upsample" in kinds(new)) == (way == RESIZE)


@pytest.mark.parametrize(("rank", "factors"), [(1, (3,)), (3, (2, 1, 3)), (2, (2, 3)), (2, (1, 4))])
@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
def test_signals_volumes_and_unequal_factors(rank, factors, way):
    """Phases are put side by side of squares only; elsewhere it is a transposed convolution."""
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, *range(4, 4 + rank)), *factors)
    model = graph.model(graph.conv(x, 3, 4, *[3] * rank, pads=[1] * 2 * rank))
    assert_folds(model, way, absent=["Resize", "DepthToSpace"], present=["ConvTranspose"])


@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
def test_strides_stay(way):
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 6, 6), 2, 2)
    model = graph.model(graph.conv(x, 4, 4, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2]))
    assert_folds(model, way, present=["Resize"])


@pytest.mark.parametrize(
    "attributes",
    [
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"strides": [2, 2]},
        {"strides": [2, 2], "pads": [0, 1, 2, 1]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"strides": [3, 3], "pads": [3, 3, 3, 3]},
        {"strides": [2, 2], "group": 2},
    ],
)
@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
@pytest.mark.parametrize("way", [SUB_PIXEL, WOVEN])
def test_transposed_convolutions_by_all_their_phases(attributes, size, way):
    graph = Graph()
    x = graph.input("x", 2, 4, 6, 5)
    groups = attributes.get("group", 1)
    weights = [graph.random(4, 6 // groups, size, size), graph.random(6)]
    model = graph.model(graph("ConvTranspose", x, *weights, **attributes))
    new, found = assert_folds(model, way)
    noted = None in found.notes.get(0, {}).values()
    assert ("Conv" in kinds(new)) == noted
    assert noted or "output_padding" in attributes


def test_one_upsampling_of_two_kinds_of_readers():
    """What a convolution absorbs is computed for the other reader all the same."""
    graph = Graph()
    x = graph.up(
        graph.input("x", 1, 4, 5, 5),
        2,
        2,
    )
    first = graph.conv(x, 4, 4, 3, 3, pads=[1, 1, 1, 1])
    model = graph.model(first, graph("GlobalAveragePool", x), x)
    _, found = assert_folds(model, TRANSPOSED, present=["Resize", "ConvTranspose"])
    assert [why is None for why in found.notes[0].values()] == [True, False, False]


def test_kernels_that_are_computed_stay():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 5, 5), 2, 2)
    kernel = graph.input("kernel", 4, 4, 3, 3)
    model = graph.model(graph("Conv", x, kernel, pads=[1, 1, 1, 1]))
    assert_folds(model, TRANSPOSED, present=["Resize"])


def test_weights_that_a_caller_may_replace_stay():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 5, 5), 2, 2)
    y = graph.conv(x, 4, 4, 3, 3, pads=[1, 1, 1, 1], bias=False)
    graph.input(graph.nodes[-1].input[1], 4, 4, 3, 3)
    model = graph.model(y)
    new, _ = fold(model, TRANSPOSED)
    assert "Resize" in kinds(new)
    arrays = noise(model) | {graph.nodes[-1].input[1]: np.ones((4, 4, 3, 3), "float32")}
    np.testing.assert_allclose(run(new, arrays)[0], run(model, arrays)[0], atol=1e-4)
