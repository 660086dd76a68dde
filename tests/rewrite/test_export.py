"""ONNX and OpenVINO files of folded models, run by their own runtimes."""

import builtins

import keras
import numpy as np
import pytest

from polyphase.rewrite import fold
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
