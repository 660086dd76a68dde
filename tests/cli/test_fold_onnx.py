"""`polyphase fold` on ONNX files: what is written, said and refused."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("onnxscript", reason="needs the extra `export`")

import onnx

from polyphase.cli.app import app
from polyphase.cli.fold_onnx import shape_of
from tests.rewrite.onnx.helpers import Graph, noise, run

RUN = CliRunner()


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    graph = Graph()
    x = graph.up(graph.input("image", "n", 32, "h", "w"), 4, 4)
    model = graph.model(graph.conv(x, 32, 3, 3, 3, pads=[1, 1, 1, 1]))
    onnx.save(model, "model.onnx")
    return model


def said(result):
    return " ".join(result.output.split())


def test_a_file_becomes_an_equal_one(model):
    result = RUN.invoke(app, ["fold", "model.onnx", "new/fast.onnx", "--shape", "image=1x32x16x16"])
    assert result.exit_code == 0, result.output
    assert "Resize_0" in said(result)
    assert " in onnxruntime, image 1x32x16x16" in said(result)
    assert "Written: new/fast.onnx" in result.output
    assert [path.name for path in Path("new").iterdir()] == ["fast.onnx"]
    arrays = noise(model)
    fast = onnx.load("new/fast.onnx")
    np.testing.assert_allclose(run(fast, arrays)[0], run(model, arrays)[0], atol=1e-4)


def test_openvino_gets_a_file_that_is_fast_there(model):
    openvino = pytest.importorskip("openvino", reason="needs the extra `export`")
    result = RUN.invoke(
        app, ["fold", "model.onnx", "fast.onnx", "--openvino", "--shape", "image=1x32x16x16"]
    )
    assert result.exit_code == 0, result.output
    assert " in openvino " in said(result)
    assert sorted(path.name for path in Path().iterdir()) == [
        "fast.bin",
        "fast.onnx",
        "fast.xml",
        "model.onnx",
    ]
    exactly = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model("fast.xml", "CPU", exactly)
    arrays = noise(model)
    found = compiled(arrays)[compiled.outputs[0]]
    np.testing.assert_allclose(found, run(model, arrays)[0], atol=1e-4)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fast.keras"], "must end in .onnx"),
        (["model.onnx", "--overwrite"], "model.onnx"),
        (["fast.onnx", "--shape", "16x16"], "--shape must look like images=1x3x640x640"),
        (["fast.onnx", "--shape", "image=1x0x4"], "--shape must look like images=1x3x640x640"),
        (["fast.onnx", "--shape", "picture=1x3x4x4"], "There is no input 'picture'"),
        (["fast.onnx", "--shape", "image=1x3x4x4"], "does not fit the input 'image'"),
        (["fast.onnx", "--tune"], "--tune is for Keras models"),
        (["fast.onnx", "--time"], "--time is for Keras models"),
        (["fast.onnx", "--target", "keras"], "--target is for Keras models"),
        (["fast.onnx", "--inference"], "--inference is for Keras models"),
        (["fast.onnx", "--onnx"], "--onnx is for Keras models"),
        (["fast.onnx", "--no-verify"], "--no-verify is for Keras models"),
    ],
)
def test_what_is_refused_in_a_line(words, sentence):
    result = RUN.invoke(app, ["fold", "model.onnx", *words])
    assert result.exit_code == 2
    assert sentence in said(result)
    assert [path.name for path in Path().iterdir()] == ["model.onnx"]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (["--shape", "x=1x2"], "--shape is for .onnx files"),
        (["--grid-sample"], "--grid-sample needs an ONNX file to be written. Add --onnx"),
    ],
)
def test_an_option_of_onnx_files_for_a_keras_model_is_refused(option, sentence):
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras", *option])
    assert result.exit_code == 2
    assert sentence in said(result)


def test_a_broken_file_leaves_nothing():
    Path("broken.onnx").write_bytes(b"no model")
    result = RUN.invoke(app, ["fold", "broken.onnx", "fast.onnx"])
    assert result.exit_code == 2
    assert "broken.onnx is not a valid ONNX model" in said(result)
    assert not Path("fast.onnx").exists()


def test_an_interrupt_leaves_nothing(monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("polyphase.rewrite.onnx.choose.Search.fastest", interrupted)
    result = RUN.invoke(app, ["fold", "model.onnx", "fast.onnx"])
    assert result.exit_code == 130
    assert "nothing was written" in said(result)
    assert [path.name for path in Path().iterdir()] == ["model.onnx"]


def test_a_disk_that_is_full_leaves_nothing(monkeypatch):
    def copy(source, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polyphase.rewrite.onnx.files.copy", copy)
    result = RUN.invoke(app, ["fold", "model.onnx", "new/fast.onnx"])
    assert result.exit_code == 2
    assert "No space left on device" in said(result)
    assert [path.name for path in Path().iterdir()] == ["model.onnx"]


def test_outputs_that_differ_leave_nothing(monkeypatch):
    """A kernel that is planted wrong is found before anything is written."""
    from polyphase.rewrite.onnx import kernels

    right = kernels.transposed
    monkeypatch.setattr(kernels, "transposed", lambda *args: 1.01 * right(*args))
    monkeypatch.setattr(
        "polyphase.rewrite.onnx.choose.surely_less", lambda new, old: new is not old
    )
    result = RUN.invoke(app, ["fold", "model.onnx", "fast.onnx"])
    assert result.exit_code == 2
    assert "nothing was written" in said(result)
    assert [path.name for path in Path().iterdir()] == ["model.onnx"]


def test_shapes_are_read():
    assert shape_of("a=b=1x2x3") == ("a=b", (1, 2, 3))
