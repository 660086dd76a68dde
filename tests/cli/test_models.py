"""Which files `fold` and `inspect` take, and what they say of every other kind, in one line."""

import json
import os
import pickle
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from typer.testing import CliRunner

from polyphase.cli import models
from polyphase.cli.app import app
from polyphase.layers import UpSampleConv2D
from tests.cli import legacy

RUN = CliRunner()
KERNEL = np.arange(54, dtype="float32").reshape(3, 3, 3, 2) / 54
BIAS = np.array([0.25, -0.5], "float32")
WEIGHTS = {"draw": {"kernel": KERNEL, "bias": BIAS}}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(*arguments):
    """Return the one line that a command ends with; no code ran, and nothing was written."""
    before = sorted(os.listdir())
    result = RUN.invoke(app, list(arguments))
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert sorted(os.listdir()) == before
    return result.stderr


def small(*stages, shape=(4, 4, 3)):
    return keras.Sequential([keras.Input(shape), *stages])


def nearest_then_convolution(x):
    """Loops: every pixel twice along both axes, then a 3x3 window over zeros around."""
    large = np.zeros((len(x), 10, 10, 3))
    for row in range(8):
        for column in range(8):
            large[:, row + 1, column + 1] = x[:, row // 2, column // 2]
    y = np.zeros((len(x), 8, 8, 2))
    for row in range(8):
        for column in range(8):
            window = large[:, row : row + 3, column : column + 3]
            y[:, row, column] = np.einsum("nijc,ijcd->nd", window, KERNEL) + BIAS
    return y


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
@pytest.mark.parametrize(
    "kind", [legacy.functional, legacy.sequential, legacy.sequential_of_2018, legacy.nested]
)
def test_a_trained_model_of_2019_is_folded(kind, suffix):
    path = Path(f"old{suffix}")
    weights = {"bigger": {}, **WEIGHTS}
    if kind is legacy.nested:
        weights = {"sequential_1": WEIGHTS["draw"]}
    legacy.write(path, kind(legacy.upsampling(), legacy.convolution()), weights)
    before = path.read_bytes()
    result = RUN.invoke(app, ["fold", str(path), "new.keras"])
    assert result.exit_code == 0, result.output
    folded = keras.models.load_model("new.keras")
    assert UpSampleConv2D in [type(layer) for layer in folded._flatten_layers()]
    assert path.read_bytes() == before
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 3), dtype="float32")
    expected = nearest_then_convolution(x)
    np.testing.assert_allclose(folded.predict(x, verbose=0), expected, rtol=0, atol=1e-5)
    inspected = RUN.invoke(app, ["inspect", str(path)])
    assert inspected.exit_code == 0
    assert "bigger" in inspected.output


@pytest.mark.parametrize("command", [["fold"], ["inspect"]])
def test_code_in_a_file_of_2019_is_never_run(command):
    legacy.write(Path("old.h5"), legacy.functional(legacy.code()), {"trick": {}})
    said = refused(*command, "old.h5", *["new.keras"][: len(command[0]) == 4])
    assert "'trick'" in said
    assert "code in files is not run" in said
    assert not Path("ran").exists()


def lambda_in(path):
    model = small(layers.Lambda(lambda x: x, name="trick"))
    model.save(path)


def lambda_nested(path):
    small(
        keras.Sequential([keras.Input((4, 4, 3)), layers.Lambda(lambda x: x, name="trick")])
    ).save(path)


def lambda_wrapped(path):
    small(layers.TimeDistributed(layers.Lambda(lambda x: x, name="trick"))).save(path)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("write", [lambda_in, lambda_nested, lambda_wrapped])
def test_code_is_found_wherever_it_is(write, suffix):
    write(f"m{suffix}")
    assert "'trick'" in refused("inspect", f"m{suffix}")


def test_code_as_an_argument_of_a_layer_is_found():
    small(layers.Conv2D(2, 3, name="draw")).save("m.keras")
    edit("m.keras", "draw", activation={"class_name": "__lambda__", "config": {"code": "4wAA"}})
    assert "'draw'" in refused("inspect", "m.keras")


def edit(path, layer, **changes):
    """Change a layer's configuration in a .keras file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    for one in config["config"]["layers"]:
        if one["config"]["name"] == layer:
            one["config"].update(changes)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def weights_of_keras_3(path):
    small(layers.Conv2D(2, 3)).save_weights("a.weights.h5")
    os.rename("a.weights.h5", path)


def weights_of_keras_2(path):
    with h5py.File(path, "w") as file:
        legacy.write_weights(file, WEIGHTS)


def hdf5_of_something_else(path):
    with h5py.File(path, "w") as file:
        file["temperatures"] = np.ones(3)


def cut(of):
    def write(path):
        small(layers.Conv2D(2, 3)).save(of)
        Path(path).write_bytes(Path(of).read_bytes()[:2000])
        if of != path:
            os.remove(of)

    return write


def archive(*names):
    def write(path):
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, "{}")

    return write


def content(data):
    return lambda path: Path(path).write_bytes(data)


def saved_model(path):
    Path(path).mkdir()
    (Path(path) / "saved_model.pb").write_bytes(b"\x08\x01")


def unzipped(path):
    Path(path).mkdir()
    (Path(path) / "config.json").write_text("{}")


class Bomb:
    """Leaves the file `ran` behind when it is read back from a pickle."""

    def __reduce__(self):
        return open, ("ran", "w")


REFUSED = {
    "nothing there": ("none.keras", None, "There is no file"),
    "empty": ("m.keras", content(b""), "is empty"),
    "empty .h5": ("m.h5", content(b""), "is empty"),
    "text": ("m.keras", content(b"not a model"), "is neither a .keras file"),
    "cut .keras": ("m.keras", cut("m.keras"), "its end is missing"),
    "cut .h5": ("m.h5", cut("m.h5"), "its end is missing"),
    "weights of Keras 3": ("m.weights.h5", weights_of_keras_3, "load_weights('m.weights.h5')"),
    "weights of Keras 3, renamed": ("m.h5", weights_of_keras_3, "load_weights('m.h5')"),
    "weights of Keras 2": ("m.hdf5", weights_of_keras_2, "load_weights('m.hdf5')"),
    "HDF5 of something else": ("m.h5", hdf5_of_something_else, "without a Keras model"),
    "checkpoint of TensorFlow": ("m.ckpt.index", content(b"\0\0\1\2"), "load_weights"),
    "SavedModel": ("model", saved_model, "SavedModel"),
    "SavedModel named .keras": ("m.keras", saved_model, "SavedModel"),
    "unzipped": ("model", unzipped, "keras.models.load_model"),
    "folder": ("model", lambda path: Path(path).mkdir(), "is a folder"),
    "TensorFlow Lite": ("m.tflite", content(b"\x1c\0\0\0TFL3" + bytes(40)), "TensorFlow Lite"),
    "TensorFlow Lite, renamed": ("m.keras", content(b" \0\0\0TFL3" + bytes(40)), "Lite"),
    "ONNX": ("m.onnx", content(b"\x08\x07\x12\x07pytorch"), "polyphase fold IN.onnx OUT.onnx"),
    "frozen graph": ("m.pb", content(b"\n\x0b\n\x01x\x12\x0bPlaceholder"), "TensorFlow"),
    "PyTorch": ("m.pt", archive("m/data.pkl", "m/version"), "PyTorch"),
    "PyTorch of old": ("m.pth", content(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), "PyTorch"),
    "PyTorch, renamed": ("m.keras", archive("m/data.pkl"), "PyTorch"),
    "safetensors": ("m.safetensors", content(b"\x40\0\0\0\0\0\0\0{}"), "PyTorch"),
    "zip": ("m.keras", archive("readme.txt"), "without a Keras model"),
    "zip without weights": ("m.keras", archive("config.json"), "without a Keras model"),
    "arrays": ("m.npz", archive("kernel.npy"), "holds only arrays"),
    "pickle": ("m.pkl", content(pickle.dumps(Bomb())), "is a pickle"),
    "pickle, renamed": ("m.keras", content(pickle.dumps(Bomb())), "is a pickle"),
    "architecture": ("m.json", content(b'{"class_name": "Sequential"}'), "model_from_json"),
    ".h5 named .keras": ("m.keras", lambda path: small_h5(path), "does not end in .h5"),
    ".keras named .zip": ("m.zip", lambda path: small_zip(path), "does not end in .keras"),
}  # fmt: skip


def small_h5(path):
    small(layers.Conv2D(2, 3)).save("a.h5")
    os.rename("a.h5", path)


def small_zip(path):
    small(layers.Conv2D(2, 3)).save("a.keras")
    os.rename("a.keras", path)


@pytest.mark.parametrize("name", REFUSED)
def test_every_other_kind_of_file_gets_the_advice_that_helps_it(name):
    path, write, words = REFUSED[name]
    if write:
        write(path)
    assert words in refused("inspect", path)
    assert words in refused("fold", path, "new/fast.keras")
    assert not Path("ran").exists()


def bytes_changed(path):
    """Change what a file's configuration holds, so that Keras fails on it."""
    small(layers.Conv2D(2, 3, name="draw")).save(path)
    edit(path, "draw", kernel_size=[[3, 3], "x"])


def not_json(path):
    archive("config.json", "model.weights.h5")(path)


def nested_deeply(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "[" * 100_000 + "]" * 100_000)
        file.writestr("model.weights.h5", "")


def legacy_without_weights(path):
    legacy.write(Path(path), legacy.functional(legacy.convolution()), {})


def operation_of_keras_2(path):
    layer = {"class_name": "TFOpLambda", "config": {"name": "tf.image.resize", "function": "x"}}
    legacy.write(Path(path), legacy.functional(layer), {})


@pytest.mark.parametrize(
    ("path", "write", "words"),
    [
        ("m.keras", bytes_changed, "cannot be loaded"),
        ("m.keras", not_json, "cannot be loaded"),
        ("m.keras", nested_deeply, "cannot be loaded"),
        ("m.h5", legacy_without_weights, "cannot be loaded"),
        ("m.h5", operation_of_keras_2, "TFOpLambda"),
    ],
)
def test_a_damaged_model_is_an_error_of_one_sentence(path, write, words):
    write(path)
    result = RUN.invoke(app, ["inspect", path])
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@keras.saving.register_keras_serializable(package="mine")
class Own(layers.Layer):
    def call(self, x):
        return x


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_what_must_be_imported_is_named(suffix, monkeypatch):
    small(Own(name="one")).save(f"m{suffix}")
    monkeypatch.setattr(keras.saving, "get_registered_object", lambda name: None)
    monkeypatch.delitem(keras.saving.get_custom_objects(), "mine>Own")
    said = refused("inspect", f"m{suffix}")
    assert "Own" in said
    assert suffix == ".h5" or "tests.cli.test_models" in said
    assert "Import it in Python and use polyphase there" in said


def test_a_function_that_must_be_imported_is_named():
    small(layers.Conv2D(2, 3, name="draw")).save("m.keras")
    own = {
        "module": "mine.functions",
        "class_name": "function",
        "config": "swizzle",
        "registered_name": "function",
    }
    edit("m.keras", "draw", activation=own)
    assert "swizzle of mine.functions" in refused("inspect", "m.keras")


def absurd_kernel(path):
    small(layers.Conv2D(2, 3, name="draw")).save(path)
    edit(path, "draw", filters=10**12)


def absurd_legacy(path):
    config = legacy.functional(legacy.convolution(filters=10**6, kernel=1000))
    legacy.write(Path(path), config, WEIGHTS)


@pytest.mark.parametrize(("path", "write"), [("m.keras", absurd_kernel), ("m.h5", absurd_legacy)])
def test_weights_that_no_file_of_its_size_has_are_refused_before_they_are_made(path, write):
    write(path)
    result = RUN.invoke(app, ["inspect", path])
    assert result.exit_code == 2
    assert "bytes of weights, more than" in result.stderr


def test_weights_of_all_layers_are_counted_together(monkeypatch):
    layers_of_it = [legacy.convolution(f"draw_{number}", filters=3) for number in range(9)]
    weights = {
        f"draw_{number}": {"kernel": np.ones((3, 3, 3, 3)), "bias": np.ones(3)}
        for number in range(9)
    }
    legacy.write(Path("m.h5"), legacy.functional(*layers_of_it), weights)
    assert RUN.invoke(app, ["inspect", "m.h5"]).exit_code == 0
    monkeypatch.setattr(models, "SPARE", 4 * 9 * (3 * 3 * 3 * 3 + 3) - 1)
    monkeypatch.setattr(models, "EXPANSION", 0)
    assert "'draw_8' it declares 3,024 bytes" in refused("inspect", "m.h5")


def test_an_image_that_no_memory_holds_is_refused():
    small(layers.UpSampling2D(2, name="up"), layers.Conv2D(1, 1)).save("m.keras")
    edit("m.keras", "up", size=[10**5, 10**5])
    result = RUN.invoke(app, ["inspect", "m.keras"])
    assert result.exit_code == 2
    assert "'up'" in result.stderr


def test_a_configuration_that_is_a_bomb_is_not_unpacked():
    with zipfile.ZipFile("m.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", b" " * (2**26 + 1))
        file.writestr("model.weights.h5", "")
    assert "67,108,865 bytes" in refused("inspect", "m.keras")


def test_classes_of_ours_in_a_file_are_known():
    small(UpSampleConv2D(2, 3, padding="same")).save("m.keras")
    assert RUN.invoke(app, ["inspect", "m.keras"]).exit_code == 0
