"""ONNX and OpenVINO files of folded models, run by their own runtimes."""

import builtins
import contextlib

import keras
import numpy as np
import pytest

from polyphase import layers
from polyphase.layers import kinds
from polyphase.rewrite import export, fold
from polyphase.rewrite.export import ExportError, to_onnx, to_openvino
from tests.rewrite.helpers import arrays, outputs, randomised


@pytest.fixture
def runtimes():
    pytest.importorskip("onnxscript", reason="needs the extra `export`")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    return onnxruntime, pytest.importorskip("openvino", reason="needs the extra `export`")


@pytest.mark.parametrize("name", ["generator", "unet", "transposed"])
def test_both_files_compute_what_the_model_does(name, runtimes, tmp_path):
    onnxruntime, openvino = runtimes
    model = randomised(name)
    folded = fold(model, inference=True)
    assert to_onnx(folded, tmp_path / "m.onnx") < 1e-5
    assert to_openvino(folded, tmp_path / "m.onnx", tmp_path / "m.xml") < 1e-5

    x = arrays(model, seed=5)
    listed = x if isinstance(x, list) else [x]
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    names = [one.name for one in session.get_inputs()]
    from_onnx = session.run(None, dict(zip(names, listed, strict=True)))
    compiled = openvino.compile_model(
        str(tmp_path / "m.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    computed = compiled(listed)
    for expected, one, other in zip(
        outputs(model, x, training=False), from_onnx, computed.values(), strict=True
    ):
        for actual in (one, other):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_exporting_leaves_the_model_as_it_is(runtimes, tmp_path):
    """A Resizing in the graph makes Keras train a model that is called without `training`."""
    keras.utils.set_random_seed(6)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Resizing(8, 8),
            keras.layers.BatchNormalization(),
            keras.layers.UpSampling2D(),
            keras.layers.Conv2D(2, 3),
        ]
    )
    before = [keras.ops.convert_to_numpy(one.value) for one in model.variables]
    with contextlib.suppress(ExportError):  # not every converter knows Resizing
        to_onnx(model, tmp_path / "m.onnx")
    for one, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable.value), one)


def test_without_a_runtime_the_error_says_what_to_install(monkeypatch, tmp_path):
    found = builtins.__import__
    monkeypatch.setattr("importlib.import_module", lambda name: found("no_such_module"))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ExportError, match=r"polyphase\[torch,export\]"):
        to_onnx(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_without_a_converter_the_error_says_what_to_install(monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ExportError, match="onnxscript"):
        to_onnx(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def unet(end=None):
    """A U-Net whose sides are open and which halves them twice."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3), name="image")
    fine = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    middle = keras.layers.Conv2D(4, 3, 2, padding="same")(fine)
    coarse = keras.layers.MaxPooling2D()(middle)
    for skip in (middle, fine):
        coarse = keras.layers.UpSampling2D()(coarse)
        coarse = keras.layers.Concatenate()([coarse, skip])
        coarse = keras.layers.Conv2D(4, 3, padding="same")(coarse)
    return keras.Model(inputs, end(coarse) if end else coarse)


def of_rank(rank, side):
    """A network with every layer of ours that needs what Keras has not, in one rank."""
    keras.utils.set_random_seed(rank)
    kernel = {"kernel_size": 3, "padding": "same"}
    x = inputs = keras.Input((side,) * rank + (4,), name="x")
    skip = kinds.CONVOLUTION.keras[rank](4, activation="relu", **kernel)(x)
    x = kinds.MAX_POOLING.keras[rank]()(skip)
    x = kinds.TRANSPOSED.ours[rank](4, strides=2, groups=2, **kernel)(x)
    x = kinds.MAX_POOLING.keras[rank]()(keras.layers.Concatenate()([x, skip]))
    x = kinds.UPSAMPLING.keras[rank]()(x)
    x = kinds.CONVOLUTION.keras[rank](4, **kernel)(x)
    if side:
        x = kinds.UPSAMPLING.ours[rank](interpolation="cubic")(x)
        x = kinds.UPSAMPLING.ours[rank](interpolation="linear", align_corners=True)(x)
        x = kinds.MAX_POOLING.keras[rank](4)(x)
    x = kinds.SUB_PIXEL.ours[rank](3, bias_initializer="normal", **kernel)(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(("rank", "side"), [(1, 8), (3, None)])
def test_signals_and_volumes_are_exported_with_layers_that_keras_has_not(
    rank, side, runtimes, tmp_path
):
    onnxruntime, _ = runtimes
    folded = fold(of_rank(rank, side))
    notes = []
    assert to_onnx(folded, tmp_path / "m.onnx", notes.append) < 1e-5
    assert to_openvino(folded, tmp_path / "m.onnx", tmp_path / "m.xml") < 1e-5
    assert notes == []
    x = np.random.default_rng(1).standard_normal((2, *[side or 6] * rank, 4), dtype="float32")
    expected = keras.ops.convert_to_numpy(folded(x))
    (actual,) = onnxruntime.InferenceSession(str(tmp_path / "m.onnx")).run(None, {"x": x})
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def images(height, width):
    return np.random.default_rng(height).standard_normal((2, height, width, 3), dtype="float32")


@pytest.mark.parametrize("side", [6, None])
def test_learned_upsamplers_are_exported_and_sample_by_gathers(side, runtimes, tmp_path):
    """Some runtimes compute GridSample wrongly: none is written."""
    onnx = pytest.importorskip("onnx", reason="needs the extra `export`")
    inputs, guide = keras.Input((side, side, 32)), keras.Input((side and 4 * side,) * 2 + (3,))
    x = layers.CARAFE2D(2, compression=4)(inputs)
    x = layers.DySample2D(2, dynamic_scope=True)(x)
    small = layers.GuidedUpSampling2D(1, 4)([inputs, guide])
    model = keras.Model([inputs, guide], keras.layers.Add()([x, small]))
    assert to_onnx(model, tmp_path / "m.onnx") < 1e-5
    assert to_openvino(model, tmp_path / "m.onnx", tmp_path / "m.xml") < 1e-5
    operators = {node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node}
    assert "GridSample" not in operators


@pytest.mark.parametrize("side", [6, None])
def test_an_option_samples_by_one_operator(side, runtimes, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs the extra `export`")
    inputs = keras.Input((side, side, 8))
    outputs = layers.DySample2D((2, 3), groups=2, dynamic_scope=True)(inputs)
    model = keras.Model(inputs, outputs)
    assert to_onnx(model, tmp_path / "m.onnx", grid_sample=True) < 1e-5
    operators = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert operators.count("GridSample") == 1
    assert to_openvino(model, tmp_path / "m.onnx", tmp_path / "m.xml") < 1e-5


def test_sides_that_a_model_leaves_open_are_open_in_both_files(runtimes, tmp_path):
    onnxruntime, openvino = runtimes
    model = unet()
    folded = fold(model)
    notes = []
    assert to_onnx(folded, tmp_path / "m.onnx", notes.append) < 1e-5
    assert to_openvino(folded, tmp_path / "m.onnx", tmp_path / "m.xml") < 1e-5
    assert notes == []
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    exactly = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(str(tmp_path / "m.xml"), "CPU", exactly)
    for sides in ((4, 8), (24, 20), (32, 32)):
        x = images(*sides)
        expected = keras.ops.convert_to_numpy(model(x, training=False))
        for actual in (session.run(None, {"image": x})[0], compiled([x])[0]):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@keras.saving.register_keras_serializable(package="tests")
class Unknown(keras.layers.Layer):
    """A layer that the process which converts cannot know."""

    def call(self, x):
        return x


def test_the_reason_is_the_errors_own_sentence(runtimes, tmp_path):
    """The last line on stderr is the end of what Keras adds: the layer's whole configuration."""
    model = keras.Sequential([keras.Input((4,)), Unknown()])
    with pytest.raises(ExportError, match="Could not locate class 'Unknown'") as raised:
        to_onnx(model, tmp_path / "m.onnx")
    said = str(raised.value)
    assert len(said.splitlines()) == 1
    assert said.endswith("'Unknown'.")


def test_a_model_with_open_sides_that_converts_at_one_size_only_says_which(
    runtimes, tmp_path, monkeypatch
):
    convert = export.convert_apart

    def at_one_size(saved, path, backend, sides):
        if sides == "any":
            raise ExportError("Its height is needed.")
        convert(saved, path, backend, sides)

    monkeypatch.setattr(export, "convert_apart", at_one_size)
    notes = []
    assert to_onnx(fold(unet()), tmp_path / "m.onnx", notes.append) < 1e-5
    (note,) = notes
    assert note == "The ONNX file takes inputs of 16x16x3 only: Its height is needed."
    session = runtimes[0].InferenceSession(str(tmp_path / "m.onnx"))
    assert session.get_inputs()[0].shape[1:] == [16, 16, 3]


def test_a_process_that_is_killed_gives_its_exit_code(runtimes, tmp_path, monkeypatch):
    monkeypatch.setattr(export.sys, "executable", "/bin/false")
    with pytest.raises(ExportError, match="exit code 1 and gave no reason"):
        to_onnx(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), tmp_path / "m.onnx")


def test_weights_that_are_no_numbers_are_refused(runtimes, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.set_weights([np.full((4, 2), np.nan), np.zeros(2)])
    with pytest.raises(ValueError, match="NaN or infinite"):
        to_onnx(model, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
