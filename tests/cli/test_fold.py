"""`polyphase fold` on saved files: the new file, the table, and what it refuses."""

import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.layers import UpSampleConv2D
from polyphase.rewrite import Report
from polyphase.rewrite.export import ExportError

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def saved():
    model = keras.Sequential(
        [
            keras.Input((5, 4, 3)),
            keras.layers.UpSampling2D(name="bigger"),
            keras.layers.Conv2D(2, 3, padding="same", name="draw"),
        ]
    )
    model.save("model.keras")
    return model


def test_a_saved_model_becomes_an_equal_one_that_is_folded(saved):
    result = RUN.invoke(app, ["fold", "model.keras", "new/fast.keras"])
    assert result.exit_code == 0, result.output
    assert "absorbed by 'draw'" in " ".join(result.output.split())
    assert "Written: new/fast.keras" in result.output
    assert [path.name for path in Path("new").iterdir()] == ["fast.keras"]
    fast = keras.models.load_model("new/fast.keras")
    assert [type(layer) for layer in fast.layers] == [UpSampleConv2D]
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3), dtype="float32")
    expected, actual = (keras.ops.convert_to_numpy(model(x)) for model in (saved, fast))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_tuned_model_keeps_what_was_fastest_here(saved):
    result = RUN.invoke(app, ["fold", "--tune", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    (layer,) = keras.models.load_model("fast.keras").layers
    assert layer.lowering != "auto"
    said = " ".join(result.output.split())
    assert "Timing draw" in said
    assert f"{layer.lowering} " in said
    assert "Medians of predictions in turns, batch of 2." in said
    assert "ms after; medians in turns, batch of 2" in said


@pytest.mark.exhaustive
def test_times_and_memory_are_measured_where_they_are_asked_for(saved):
    result = RUN.invoke(app, ["fold", "--time", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "ms after; medians in turns, batch of 2" in said
    assert ("in 3 processes each" in said) == (sys.platform == "linux")


@pytest.mark.exhaustive
def test_what_cannot_be_timed_is_written_all_the_same():
    inputs = keras.Input((None, None, 3))
    wide = keras.layers.Conv2D(2, (1, 300), name="wide")(keras.layers.UpSampling2D()(inputs))
    keras.Model(inputs, wide).save("model.keras")
    options = ["--no-verify", "--time", "model.keras", "fast.keras"]
    result = RUN.invoke(app, ["fold", *options])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "Not timed: No size of an example was found" in said or "ms after" in said


def test_the_last_line_says_that_nothing_was_gained():
    keras.Sequential([keras.Input((4, 4, 3)), keras.layers.UpSampling2D()]).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "Nothing gained by folding: every upsampling stays."
    assert "docs/folding.md#an-output" in result.output


def test_keras_layers_have_nothing_to_tune(saved):
    result = RUN.invoke(app, ["fold", "--tune", "--target", "keras", "model.keras", "out.keras"])
    assert result.exit_code == 2
    assert "Received: --tune --target keras" in " ".join(result.output.split())
    assert not Path("out.keras").exists()


def test_a_model_that_has_no_choice_is_told_so():
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save("model.keras")
    result = RUN.invoke(app, ["fold", "--tune", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    assert "Nothing to tune" in result.output


def test_a_layer_as_an_activation_is_copied():
    leaky = keras.layers.LeakyReLU(0.3)
    up, draw = keras.layers.UpSampling2D(), keras.layers.Conv2D(2, 3, activation=leaky)
    keras.Sequential([keras.Input((5, 4, 3)), up, draw]).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    (layer,) = keras.models.load_model("fast.keras").layers
    assert layer.activation.negative_slope == pytest.approx(0.3)


def test_a_model_without_upsampling_is_copied():
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "copy.keras"])
    assert result.exit_code == 0
    assert "no upsampling in this model" in result.output
    assert Path("copy.keras").exists()


def test_a_model_that_differs_is_not_written(saved, monkeypatch):
    monkeypatch.setattr(
        "polyphase.rewrite.fold", lambda *_, **__: (saved, Report((), float("nan")))
    )
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 2
    assert "Nothing was written" in result.output
    assert not Path("fast.keras").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "There is no file"), (b"not a model", "is neither a .keras file")],
)
def test_what_is_no_model_is_refused_in_a_line(content, words):
    if content is not None:
        Path("model.keras").write_bytes(content)
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 2
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not Path("fast.keras").exists()


def test_code_in_a_file_is_not_run():
    inputs = keras.Input((3,))
    outputs = keras.layers.Lambda(lambda x: x + 1)(inputs)
    keras.Model(inputs, outputs).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 2
    assert "cannot be loaded" in result.output
    assert not Path("fast.keras").exists()


def test_the_target_must_be_a_keras_file(saved):
    result = RUN.invoke(app, ["fold", "model.keras", "fast.h5"])
    assert result.exit_code == 2
    assert ".keras" in result.output


def test_target_keras_writes_keras_layers_only(saved):
    result = RUN.invoke(app, ["fold", "--target", "keras", "model.keras", "plain.keras"])
    assert result.exit_code == 0, result.output
    plain = keras.models.load_model("plain.keras")
    assert [type(layer) for layer in plain.layers] == [keras.layers.Conv2DTranspose]


def test_inference_merges_the_normalisation():
    keras.Sequential(
        [
            keras.Input((5, 4, 3)),
            keras.layers.UpSampling2D(),
            keras.layers.Conv2D(2, 3, padding="same"),
            keras.layers.BatchNormalization(),
        ]
    ).save("model.keras")
    result = RUN.invoke(app, ["fold", "--inference", "model.keras", "fast.keras"])
    assert result.exit_code == 0, result.output
    assert len(keras.models.load_model("fast.keras").layers) == 1


def test_exports_are_written_beside_the_model_and_compared(saved):
    for module in ("onnxruntime", "onnxscript", "openvino"):
        pytest.importorskip(module, reason="needs the extra `export`")
    result = RUN.invoke(app, ["fold", "--openvino", "model.keras", "new/fast.keras"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("new").iterdir()} == {
        "fast.bin", "fast.keras", "fast.onnx", "fast.xml",
    }  # fmt: skip
    said = " ".join(result.output.split())
    assert " in onnxruntime, " in said
    assert " in openvino (" in said


def test_a_file_for_tensorflow_lite_is_written_and_compared(saved):
    pytest.importorskip("tensorflow", reason="needs the extra `tensorflow`")
    result = RUN.invoke(app, ["fold", "--tflite", "model.keras", "new/fast.keras"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("new").iterdir()} == {"fast.keras", "fast.tflite"}
    said = " ".join(result.output.split())
    assert ".tflite: " in said
    assert " ms" in said


def test_an_export_that_fails_writes_nothing(saved, monkeypatch):
    def fails(*_, **options):
        raise ExportError("No converter. Install one.")

    monkeypatch.setattr("polyphase.rewrite.export.require_runtimes", lambda openvino: None)
    monkeypatch.setattr("polyphase.rewrite.export.to_onnx", fails)
    Path("fast.keras").write_text("older")
    result = RUN.invoke(app, ["fold", "--onnx", "--overwrite", "model.keras", "fast.keras"])
    assert result.exit_code == 2
    assert "No converter" in result.output
    assert Path("fast.keras").read_text() == "older"
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["fast.keras", "model.keras"]


def test_a_model_with_a_class_of_its_own_is_sent_to_python():
    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    inputs = keras.Input((5, 4, 3))
    keras.Model(inputs, Own()(inputs)).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.exit_code == 2
    assert "Import it in Python and use polyphase there" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("option", "module"),
    [("--onnx", "onnxruntime"), ("--openvino", "openvino"), ("--onnx", "onnxscript")],
)
def test_a_missing_runtime_is_noticed_before_anything_is_loaded(option, module, monkeypatch):
    for other in {"onnxruntime", "openvino", "onnxscript"} - {module}:
        pytest.importorskip(other)
    found = importlib.util.find_spec
    missing = ("jax2onnx", "tf2onnx", module)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in missing else found(name)
    )
    result = RUN.invoke(app, ["fold", option, "none.keras", "new/fast.keras"])
    assert result.exit_code == 2
    assert module in result.stderr
    assert "pip install" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(Path.cwd().iterdir())


def test_progress_is_on_stderr_and_what_was_done_on_stdout(saved):
    result = RUN.invoke(app, ["fold", "model.keras", "fast.keras"])
    assert result.stderr.splitlines() == [
        "Loading model.keras ...",
        "Folding and comparing both models ...",
    ]
    assert "..." not in result.stdout


def test_a_model_whose_upsampling_is_not_read_is_not_said_to_have_none():
    inputs = keras.Input((6, 3))
    twice = keras.ops.reshape(keras.ops.stack([inputs, inputs], axis=2), (-1, 12, 3))
    keras.Model(inputs, twice).save("model.keras")
    result = RUN.invoke(app, ["fold", "model.keras", "copy.keras"])
    assert "no upsampling in this model that `fold` reads" in " ".join(result.stdout.split())
