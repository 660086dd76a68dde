"""What may move before an upsampling of an ONNX graph, and what may not."""

import numpy as np
import pytest

pytest.importorskip("onnxscript", reason="needs the extra `export`")

from onnx import TensorProto, helper

from tests.rewrite.onnx.helpers import (
    SUB_PIXEL,
    TRANSPOSED,
    WOVEN,
    Graph,
    assert_folds,
    fold,
    kinds,
)

ELEMENTWISE = (  # noqa: SIM905 - a list of words
    "Abs Acos Asin Atan Ceil Celu Cos Elu Erf Exp Floor HardSigmoid HardSwish LeakyRelu Neg "
    "Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Softplus Softsign Sqrt Tan Tanh "
    "ThresholdedRelu Clip"
).split()


def before(graph, *names):
    """Return the operators that come before the first upsampling of a graph."""
    every = kinds(graph)
    first = next(n for n, name in enumerate(every) if name in ("Resize", "ConvTranspose"))
    return every[:first]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_functions_of_single_numbers_go_before_repeating(name):
    graph = Graph()
    x = graph.up(graph("Sigmoid", graph.input("x", 1, 4, 5, 5)), 2, 2)
    new, _ = assert_folds(graph.model(graph(name, x)), TRANSPOSED)
    assert before(new) == ["Sigmoid", name]


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "align_corners", "asymmetric"])
def test_only_what_is_affine_goes_before_other_interpolations(mode, coordinates):
    graph = Graph()
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    x = graph.up(graph.input("x", 1, 4, 5, 5), 2, 3, **attributes)
    x = graph("Mul", x, graph.random(4, 1, 1))
    x = graph("Add", x, graph.random(1, 4, 1, 1))
    x = graph.conv(x, 4, 2, 1, 1)
    new, found = assert_folds(graph.model(graph("Relu", x)), TRANSPOSED)
    assert kinds(new) == ["Mul", "Add", "Conv", "Resize", "Relu"]
    assert None in found.notes[0].values()


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_a_larger_kernel_behind_other_interpolations_stays(mode):
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 5, 5), 2, 2, mode=mode)
    model = graph.model(graph.conv(x, 4, 2, 3, 3, pads=[1, 1, 1, 1]))
    new, found = assert_folds(model, TRANSPOSED)
    assert kinds(new) == ["Resize", "Conv"]
    assert None not in found.notes[0].values()


@pytest.mark.parametrize("kind", ["Max", "Min", "Pow", "PRelu", "Div"])
def test_functions_with_known_numbers_that_are_not_affine_stay(kind):
    graph = Graph()
    x = graph("Sigmoid", graph.input("x", 1, 4, 5, 5))
    y = graph.up(x, 2, 2, mode="linear")
    known = graph.numbers(np.full((4, 1, 1), 0.6, "float32"))
    result = graph("Div", known, y) if kind == "Div" else graph(kind, y, known)
    new, _ = assert_folds(graph.model(result), TRANSPOSED)
    assert kinds(new) == ["Sigmoid", "Resize", kind]


def test_channels_that_go_last_and_come_back():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 6), 2, 2)
    x = graph("Add", graph("Transpose", x, perm=[0, 2, 3, 1]), graph.random(3))
    x = graph("Transpose", graph("Relu", x), perm=[0, 3, 1, 2])
    assert_folds(graph.model(graph.conv(x, 3, 4, 3, 3)), TRANSPOSED, absent=["Resize"])


@pytest.mark.parametrize("order", [[0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1]])
def test_axes_in_another_order_stay(order):
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 5), 2, 2)
    x = graph("Transpose", graph("Transpose", x, perm=order), perm=np.argsort(order).tolist())
    model = graph.model(graph("Neg", graph("Transpose", x, perm=order)))
    assert_folds(model, TRANSPOSED)


@pytest.mark.parametrize("kind", ["BatchNormalization", "InstanceNormalization"])
def test_normalisations(kind):
    graph = Graph()
    x = graph.up(graph.input("x", 2, 4, 5, 5), 2, 2)
    weights = [graph.random(4), graph.random(4)]
    if kind == "BatchNormalization":
        weights += [graph.random(4), graph.numbers(np.array([1, 2, 3, 4], "float32"))]
    new, _ = assert_folds(graph.model(graph(kind, x, *weights)), TRANSPOSED)
    assert kinds(new) == [kind, "Resize"]


def test_softmax_of_channels_goes_before_and_of_rows_not():
    for axis, moves in ((1, True), (2, False), (-1, False), (-3, True)):
        graph = Graph()
        x = graph.up(graph.input("x", 2, 4, 5, 5), 2, 2)
        new, _ = assert_folds(graph.model(graph("Softmax", x, axis=axis)), TRANSPOSED)
        assert (kinds(new) == ["Softmax", "Resize"]) == moves


@pytest.mark.parametrize("shape", [(5,), (10, 12), (4, 10, 12), (1, 4, 10, 12), (10, 1)])
def test_numbers_that_vary_by_place_stay(shape):
    graph = Graph()
    x = graph.up(graph.input("x", 2, 4, 5, 6), 2, 2)
    known = graph.random(*[12 if one == 5 else one for one in shape])
    new, _ = assert_folds(graph.model(graph("Mul", x, known)), TRANSPOSED)
    assert kinds(new) == ["Resize", "Mul"]


@pytest.mark.parametrize("kind", ["Add", "Sub", "Sum", "Mean", "Max", "Min", "Mul", "Div"])
def test_images_that_are_upsampled_alike(kind):
    graph = Graph()
    x, y = (graph.up(graph.input(name, 2, 4, 5, 6), 2, 2) for name in "xy")
    new, _ = assert_folds(graph.model(graph(kind, x, y)), TRANSPOSED)
    assert kinds(new) == [kind, "Resize"]


@pytest.mark.parametrize("other", [(2, 3), (1, 2)])
def test_images_that_are_not(other):
    graph = Graph()
    x = graph.up(graph.input("x", 2, 4, 6, 6), 2, 2)
    y = graph.up(graph.input("y", 2, 4, 12 // other[0], 12 // other[1]), *other)
    model = graph.model(graph("Add", x, y))
    new, _ = assert_folds(model, TRANSPOSED)
    assert kinds(new).count("Resize") == 2


def test_an_image_and_one_number_per_image():
    """As in squeeze and excitation: the other is no image of the same size."""
    graph = Graph()
    x = graph.up(graph.input("x", 2, 4, 6, 6), 2, 2)
    scale = graph("Sigmoid", graph("GlobalAveragePool", graph.input("y", 2, 4, 3, 3)))
    model = graph.model(graph("Mul", x, scale), graph("Add", scale, x))
    assert_folds(model, TRANSPOSED, present=["Resize"])


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
@pytest.mark.parametrize("batch", [True, False])
def test_concatenated_with_a_skip(size, way, batch):
    graph = Graph(seed=3)
    parts = [
        graph.up(graph.input("x", 1, 3, 4, 4), 2, 2),
        graph.input("skip", 1, 5, 8, 8),
        graph.up(graph.input("y", 1, 2, 2, 2), 4, 4),
        graph.input("other", 1, 1, 8, 8),
    ]
    x = graph("Concat", *parts, axis=1)
    if batch:
        x = graph(
            "BatchNormalization",
            x,
            *(graph.random(11) for _ in range(3)),
            graph.numbers(np.ones(11, "float32")),
        )
    x = graph("Relu", x)
    pads = [size // 2] * 4
    x = graph.conv(x, 11, 6, size, size, pads=pads)
    new, found = assert_folds(graph.model(graph("Relu", x)), way)
    assert all(None in found.notes[number].values() for number in (0, 1))
    if size == 3:
        assert "Resize" not in kinds(new)


@pytest.mark.parametrize("axis", [2, -1, 0])
def test_concatenated_along_another_axis(axis):
    graph = Graph()
    x, y = (graph.up(graph.input(name, 1, 3, 4, 4), 2, 2) for name in "xy")
    model = graph.model(graph.conv(graph("Concat", x, y, axis=axis), 3, 4, 3, 3))
    assert_folds(model, TRANSPOSED, present=["Resize", "Concat"])


def test_zeros_and_cuts_around_an_upsampled_image():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 6), 2, 2)
    x = graph("Pad", x, graph.numbers(np.array([0, 0, 1, 2, 0, 0, 3, 1])))
    model = graph.model(graph.conv(x, 3, 4, 3, 3))
    assert_folds(model, TRANSPOSED, absent=["Resize"])


@pytest.mark.parametrize(
    "extra", [{"mode": "reflect"}, {"mode": "edge"}, {"value": 1.0}, {"channels": 1}]
)
def test_other_borders_stay(extra):
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 6), 2, 2)
    channels = extra.pop("channels", 0)
    amounts = [graph.numbers(np.array([0, channels, 1, 1, 0, 0, 1, 1]))]
    amounts += [graph.numbers(np.float32(extra.pop("value")))] if "value" in extra else []
    x = graph("Pad", x, *amounts, **extra)
    model = graph.model(graph.conv(x, 3 + channels, 4, 3, 3))
    assert_folds(model, TRANSPOSED, present=["Resize", "Pad"])


def test_two_upsamplings_in_a_row_are_one():
    graph = Graph()
    x = graph.up(graph.up(graph.input("x", 1, 3, 5, 6), 2, 1), 3, 2)
    new, found = assert_folds(graph.model(graph.conv(x, 3, 4, 3, 3)), TRANSPOSED)
    assert kinds(new) == ["ConvTranspose"]
    assert found.groups == [(0, 1)]


def test_dropout_is_nothing_unless_it_trains():
    for training in (False, True):
        graph = Graph()
        x = graph.up(graph.input("x", 1, 3, 5, 6), 2, 2)
        ratio, trains = graph.numbers(np.float32(0.5)), graph.numbers(np.array(training))
        x = graph("Dropout", x, ratio, trains)
        new, _ = fold(graph.model(graph.conv(x, 3, 4, 3, 3)), TRANSPOSED)
        assert ("Resize" in kinds(new)) == training


def test_quantised_models_stay():
    graph = Graph()
    scale, zero = graph.numbers(np.float32(0.05)), graph.numbers(np.int8(0))
    x = graph(
        "DequantizeLinear",
        graph("QuantizeLinear", graph.input("x", 1, 3, 5, 5), scale, zero),
        scale,
        zero,
    )
    x = graph.up(x, 2, 2)
    x = graph("DequantizeLinear", graph("QuantizeLinear", x, scale, zero), scale, zero)
    whole = graph.numbers(graph.generator.integers(-9, 9, (4, 3, 3, 3)).astype("int8"))
    model = graph.model(graph("Conv", x, graph("DequantizeLinear", whole, scale, zero)))
    new, _ = assert_folds(model, TRANSPOSED)
    assert sorted(kinds(new)) == sorted(kinds(model))


def test_images_of_integers_stay():
    graph = Graph()
    x = graph.input("x", 1, 3, 5, 5, dtype=TensorProto.INT32)
    x = graph("Cast", graph.up(x, 2, 2), to=TensorProto.FLOAT)
    model = graph.model(graph.conv(x, 3, 4, 3, 3))
    new, _ = fold(model, TRANSPOSED)
    assert kinds(new) == kinds(model)


def test_what_a_graph_within_a_node_reads_is_whole():
    """A branch of an `If` reads the upsampled image, and its activation, from without."""
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 5), 2, 2)
    y = graph("Relu", x)

    def branch(name, read):
        result = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 10, 10])
        return helper.make_graph([helper.make_node("Neg", [read], [name])], name, [], [result])

    condition = graph(
        "Greater",
        graph("ReduceSum", graph("Sigmoid", graph.conv(y, 3, 1, 3, 3)), keepdims=0),
        graph.numbers(np.float32(3)),
    )
    chosen = graph("If", condition, then_branch=branch("one", x), else_branch=branch("two", y))
    assert_folds(graph.model(chosen), TRANSPOSED)


@pytest.mark.parametrize("way", [TRANSPOSED, SUB_PIXEL, WOVEN])
def test_outputs_keep_their_names(way):
    graph = Graph()
    given = graph.input("x", 1, 3, 5, 5)
    same = graph("Identity", given, name="same")
    x = graph.up(given, 2, 2)
    large = graph("Relu", x, name="large")
    folded = graph.conv(x, 3, 4, 3, 3, name="folded")
    assert_folds(graph.model(same, large, folded, x), way)


def test_nodes_without_names():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 3, 5, 5), 2, 2)
    for _ in range(2):
        x = graph.conv(graph.up(x, 2, 2), 3, 3, 3, 3)
    for node in graph.nodes:
        node.name = ""
    assert_folds(graph.model(x), TRANSPOSED, absent=["Resize"])
