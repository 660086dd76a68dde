"""`fold_onnx`: what is returned, measured, said and refused."""

import numpy as np
import pytest

pytest.importorskip("onnxscript", reason="needs the extra `export`")

import onnx
import onnx_ir as ir
from onnx import TensorProto, helper

import polyphase as pp
from polyphase.rewrite.onnx.choose import Candidate, Search
from polyphase.rewrite.onnx.files import OPSETS
from polyphase.rewrite.onnx.prepare import prepared
from polyphase.rewrite.onnx.walk import Fold
from polyphase.rewrite.runtimes import OnnxRuntime
from tests.rewrite.onnx.helpers import SUB_PIXEL, TRANSPOSED, Graph, fold, kinds, noise, run


def decoder(side=8, channels=64, opset=17):
    """Two blocks that gain much by folding: nearest by 4, to few channels."""
    graph = Graph(opset)
    x = graph.up(graph.input("image", "n", channels, side, side), 4, 4)
    x = graph("Relu", graph.conv(x, channels, 32, 3, 3, pads=[1, 1, 1, 1]))
    x = graph.conv(graph.up(x, 4, 4), 32, 3, 3, 3, pads=[1, 1, 1, 1])
    return graph.model(graph("Tanh", x, name="picture"))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_equal_model_that_is_not_slower(runtime):
    pytest.importorskip("openvino", reason="needs the extra `export`")
    model = decoder()
    before = model.SerializeToString()
    new, report = pp.fold_onnx(model, runtime=runtime, seconds=0.3, return_report=True)
    assert model.SerializeToString() == before
    arrays = noise(model)
    np.testing.assert_allclose(run(new, arrays)[0], run(model, arrays)[0], atol=1e-4)
    assert [one.name for one in new.graph.output] == ["picture"]
    assert len(report.findings) == 2
    assert report.shapes == {"image": (1, 64, 8, 8)}
    assert report.runtime == runtime
    assert ("Resize" not in kinds(new)) == all(one.folded for one in report.findings)
    assert f" in {runtime}" in str(report)
    if report.changed:
        assert report.after.median < report.before.median


def test_a_file_with_weights_beside_it(tmp_path):
    model = decoder()
    path = tmp_path / "model.onnx"
    onnx.save(
        decoder(), path, save_as_external_data=True, location="weights.bin", size_threshold=1024
    )
    new, _ = pp.fold_onnx(path, seconds=0.05, return_report=True)
    arrays = noise(model)
    np.testing.assert_allclose(run(new, arrays)[0], run(model, arrays)[0], atol=1e-4)


def test_nothing_gained_is_said_last_and_the_model_is_as_it_was(tmp_path):
    graph = Graph()
    model = graph.model(graph("Relu", graph.input("x", 1, 3, 8, 8)))
    new, report = pp.fold_onnx(model, seconds=0.05, return_report=True)
    assert new == model
    last = str(report).splitlines()[-1]
    assert last == "Nothing gained: nothing in it upsamples; the model is as it was."


def test_each_upsampling_is_listed_with_its_true_reason():
    graph = Graph(18)
    x = graph.input("x", 1, 4, 8, 8)
    skip = graph("Add", graph.up(x, 2, 2), graph.input("skip", 1, 4, 16, 16))
    ceil = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "ceil"}
    other = graph.conv(graph.up(x, 2, 2, **ceil), 4, 4, 3, 3)
    rest = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    fixed = graph(
        "Resize", x, "", "", graph.numbers(np.array([1, 4, 11, 8])), mode="nearest", **rest
    )
    _, report = pp.fold_onnx(graph.model(skip, other, fixed), seconds=0.05, return_report=True)
    said = [one.what for one in report.findings]
    assert said[0].startswith("computed before 'Add_")
    assert said[1] == (
        "left alone: nearest with 'asymmetric' and 'ceil' does not repeat every pixel alike"
    )
    assert said[2] == "left alone: its sizes are no known multiples of the image's"
    assert not any(one.folded for one in report.findings)


def test_sides_that_are_open_are_compared_at_two_sizes():
    graph = Graph()
    x = graph(
        "MaxPool", graph.input("x", "n", 3, "h", "w"), kernel_shape=[32, 32], strides=[32, 32]
    )
    model = graph.model(graph.conv(graph.up(x, 2, 2), 3, 4, 3, 3, pads=[1, 1, 1, 1]))
    _, report = pp.fold_onnx(model, seconds=0.05, return_report=True)
    assert report.shapes == {"x": (1, 3, 256, 256)}
    shapes = {"x": (2, 3, 64, 96)}
    _, report = pp.fold_onnx(model, shapes=shapes, seconds=0.05, return_report=True)
    assert report.shapes == shapes
    assert report.difference < 1e-5


def test_operators_that_onnx_does_not_define_are_left_and_named():
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 8, 8), 2, 2)
    x = graph("QuickGelu", graph.conv(x, 4, 4, 3, 3, pads=[1, 1, 1, 1]), domain="com.microsoft")
    model = graph.model(x, shape=[1, 4, 16, 16])
    new, report = pp.fold_onnx(model, seconds=0.05, return_report=True)
    assert "QuickGelu" in kinds(new)
    assert report.unknown == ("com.microsoft.QuickGelu",)
    assert "left alone: com.microsoft.QuickGelu" in str(report)


def test_what_resizes_within_a_node_is_listed():
    graph = Graph()
    x = graph.input("x", 1, 3, 4, 4)
    scales = graph.numbers(np.array([1, 1, 2, 2], "float32"))

    def branch(name):
        result = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8])
        resize = helper.make_node("Resize", [x, "", scales], [name], name=f"in_{name}")
        return helper.make_graph([resize], name, [], [result])

    condition = graph("Greater", graph("ReduceSum", x, keepdims=0), graph.numbers(np.float32(0)))
    y = graph("If", condition, then_branch=branch("one"), else_branch=branch("two"))
    _, report = pp.fold_onnx(graph.model(y), seconds=0.05, return_report=True)
    found = {one.layer: one.what for one in report.findings}
    assert found == dict.fromkeys(("in_one", "in_two"), "left alone: in a graph within a node")


def test_half_precision_is_compared_as_such():
    graph = Graph()
    x = graph("Cast", graph.input("x", 1, 16, 8, 8), to=TensorProto.FLOAT16)
    kernel = graph.generator.normal(size=(4, 16, 3, 3)) / 12
    halves = [graph.numbers(one.astype("float16")) for one in (kernel, np.ones(4))]
    x = graph("Conv", graph.up(x, 2, 2), *halves, pads=[1, 1, 1, 1])
    model = graph.model(graph("Cast", x, to=TensorProto.FLOAT))
    for way in (TRANSPOSED, SUB_PIXEL):
        new, _ = fold(model, way)
        (expected,), (found,) = (run(one, noise(model)) for one in (model, new))
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-2)
    _, report = pp.fold_onnx(model, seconds=0.05, return_report=True)
    assert report.difference < 3e-2


def test_functions_of_the_model_itself():
    """Exporters put what they cannot say in one node into functions of the file."""
    graph = Graph()
    x = graph.up(graph.input("x", 1, 4, 8, 8), 2, 2)
    x = graph("Twice", graph.conv(x, 4, 4, 3, 3, pads=[1, 1, 1, 1]), domain="mine", name="y")
    infos = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 16, 16])]
    made = helper.make_graph(graph.nodes, "test", graph.inputs, infos, graph.known)
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    twice = helper.make_function("mine", "Twice", ["a"], ["b"], body, imports[:1])
    model = helper.make_model(made, opset_imports=imports, functions=[twice], ir_version=8)
    new = pp.fold_onnx(model, seconds=0.05)
    np.testing.assert_allclose(run(new, noise(model))[0], run(model, noise(model))[0], atol=1e-4)


@pytest.mark.parametrize("opset", [OPSETS[0] - 1, OPSETS[-1] + 1])
def test_other_versions_are_refused(opset):
    graph = Graph()
    model = graph.model(graph("Relu", graph.input("x", 1, 3, 8, 8)))
    model.opset_import[0].version = opset
    with pytest.raises(ValueError, match="Versions 9 to 22"):
        pp.fold_onnx(model)


def test_what_no_runtime_knows_is_refused():
    graph = Graph()
    model = graph.model(graph("Relu", graph.input("x", 1, 3, 8, 8)))
    model.graph.node[0].op_type, model.graph.node[0].domain = "Secret", "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(ValueError, match="onnxruntime cannot load this model"):
        pp.fold_onnx(model)


@pytest.mark.parametrize("text", [b"", b"not a model", b"\x08\x07\x12\x07pytorch:\xff\xff"])
def test_files_that_are_no_models(text, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(text)
    with pytest.raises(ValueError, match="is not a valid ONNX model"):
        pp.fold_onnx(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        pp.fold_onnx(tmp_path / "none.onnx")


def test_weights_from_elsewhere_are_not_read(tmp_path):
    model = decoder()
    path = tmp_path / "in" / "model.onnx"
    path.parent.mkdir()
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (path.parent / "weights.bin").rename(tmp_path / "weights.bin")
    hostile = onnx.load(path, load_external_data=False)
    for one in hostile.graph.initializer:
        for entry in one.external_data:
            if entry.key == "location":
                entry.value = "../weights.bin"
    path.write_bytes(hostile.SerializeToString())
    with pytest.raises(ValueError, match="is not a valid ONNX model"):
        pp.fold_onnx(path)


def test_declared_sizes_are_not_believed():
    graph = Graph()
    x = graph.input("x", 1, 2**12, 2**12, 2**12)
    with pytest.raises(ValueError, match="more than 1,073,741,824 numbers"):
        pp.fold_onnx(graph.model(graph("Relu", x)))


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"y": (1, 64, 8, 8)}, "There is no input 'y'"),
        ({"image": (1, 64, 9, 8)}, "does not fit the input 'image'"),
        ({"image": (64, 8, 8)}, "does not fit the input 'image'"),
    ],
)
def test_shapes_that_do_not_fit(shapes, said):
    with pytest.raises(ValueError, match=said):
        pp.fold_onnx(decoder(), shapes=shapes)


def test_what_is_no_model_at_all():
    with pytest.raises(TypeError, match=r"path of an ONNX file.*Received: int"):
        pp.fold_onnx(3)


def test_another_runtime():
    with pytest.raises(ValueError, match="onnxruntime, openvino"):
        pp.fold_onnx(decoder(), runtime="tensorrt")


def test_only_what_is_surely_faster_is_kept(tmp_path):
    """A planted difference of many times is seen, whichever of both is the original."""
    paths = {}
    for name, count in (("fast", 1), ("slow", 40)):
        graph = Graph()
        x = graph.input("x", 1, 32, 32, 32)
        for _ in range(count):
            x = graph.conv(x, 32, 32, 3, 3, pads=[1, 1, 1, 1])
        paths[name] = tmp_path / f"{name}.onnx"
        onnx.save(graph.model(x), paths[name])
    arrays = {"x": np.ones((1, 32, 32, 32), "float32")}
    for before, after, kept in (("slow", "fast", "fast"), ("fast", "slow", "fast")):
        read = prepared(ir.load(paths[before]))
        search = Search(paths[before], read, OnnxRuntime(), arrays, tmp_path, 0.2, print)
        other = Candidate(Fold({}, []), {}, paths[after])
        found, times = search.compared(other)
        assert found.path == paths[kept]
        assert set(times) == {"before", "after"}
