"""Small ONNX graphs, and what onnxruntime makes of them."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from polyphase.rewrite.onnx.prepare import prepared
from polyphase.rewrite.onnx.walk import folded, upsamplings

RESIZE, TRANSPOSED, SUB_PIXEL = "Resize", "ConvTranspose", "DepthToSpace"
WOVEN = "Conv and a ConvTranspose of single numbers"
WAYS = (RESIZE, TRANSPOSED, SUB_PIXEL, WOVEN)


class Graph:
    """Collects nodes and numbers; a call puts a node and returns its result's name."""

    def __init__(self, opset=17, seed=0):
        self.opset = opset
        self.nodes, self.inputs, self.outputs, self.known = [], [], [], []
        self.generator = np.random.default_rng(seed)

    def input(self, name, *shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def numbers(self, array):
        name = f"w{len(self.known)}"
        self.known.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def random(self, *shape):
        return self.numbers(self.generator.normal(size=shape).astype("float32"))

    def __call__(self, kind, *inputs, name=None, **attributes):
        result = name or f"{kind}_{len(self.nodes)}_result"
        label = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [result], name=label, **attributes))
        return result

    def up(self, x, *factors, mode="nearest", **attributes):
        scales = self.numbers(np.array((1, 1, *factors), "float32"))
        if self.opset < 11:
            return self("Resize" if self.opset == 10 else "Upsample", x, scales, mode=mode)
        if mode == "nearest" and not attributes:
            attributes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        region = "" if self.opset > 12 else self.numbers(np.zeros(0, "float32"))
        return self("Resize", x, region, scales, mode=mode, **attributes)

    def conv(self, x, c_in, c_out, *size, bias=True, groups=1, **attributes):
        kernel = self.generator.normal(size=(c_out, c_in // groups, *size))
        kernel /= np.sqrt(kernel[0].size)
        inputs = [x, self.numbers(kernel.astype("float32"))]
        inputs += [self.random(c_out)] if bias else []
        return self("Conv", *inputs, group=groups, **attributes)

    def model(self, *outputs, shape=None):
        infos = [helper.make_tensor_value_info(one, TensorProto.FLOAT, shape) for one in outputs]
        graph = helper.make_graph(self.nodes, "test", self.inputs, infos, self.known)
        imports = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        made = helper.make_model(graph, opset_imports=imports, ir_version=min(8, self.opset - 3))
        made = onnx.shape_inference.infer_shapes(made)
        onnx.checker.check_model(made)
        return made


def run(model, arrays):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, arrays)


def noise(model, side=5, seed=1):
    generator = np.random.default_rng(seed)
    return {
        one.name: generator.normal(
            size=[
                dim.dim_value or (side + axis if axis else 2)
                for axis, dim in enumerate(one.type.tensor_type.shape.dim)
            ]
        ).astype("float32")
        for one in model.graph.input
        if one.name not in {known.name for known in model.graph.initializer}
    }


def fold(model, way):
    """Return the model with all upsamplings folded in one way, and what happened."""
    read = prepared(ir.from_proto(model))
    found = folded(read, dict.fromkeys(range(len(upsamplings(read))), way))
    new = ir.to_proto(read)
    onnx.checker.check_model(new, full_check=True)
    return new, found


def kinds(model):
    return [node.op_type for node in model.graph.node]


def assert_folds(model, way, absent=(), present=(), side=5):
    """Assert that a fold computes the same, by name, with and without some operators."""
    new, found = fold(model, way)
    assert [one.name for one in new.graph.input if one.name in noise(model)] == list(noise(model))
    assert [one.name for one in new.graph.output] == [one.name for one in model.graph.output]
    arrays = noise(model, side)
    for one, other in zip(run(model, arrays), run(new, arrays), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, atol=2e-5 * max(1, np.abs(one).max(initial=0)))
    names = kinds(new)
    assert not set(absent) & set(names), names
    assert set(present) <= set(names), names
    return new, found


def writes(way):
    """Return the operators that a way of computing upsamplings has."""
    return ["Conv", TRANSPOSED] if way == WOVEN else [way]
