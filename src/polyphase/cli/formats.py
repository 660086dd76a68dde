"""What kind of file this is, by its content: Keras models are read, other kinds get advice."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

_START = 64  # bytes that tell a kind of file
_CONFIG = "config.json"
LARGEST_CONFIG = 2**26  # bytes; a configuration is read before anything in it is believed
_SAVE = "Save the model with `model.save('NAME.keras')`"
_CONVERTED = "Give the Keras model that it was converted from, and convert that again after folding"
_WEIGHTS = (
    "holds only weights, without the layers that they belong to. Build the model in Python, call "
    "`model.load_weights('{path}')` and `model.save('NAME.keras')`, and give that file"
)
_PYTORCH = (
    "is a PyTorch file, and only Keras models are read. Rebuild the model in Keras with these "
    "weights, and save it with `model.save('NAME.keras')`"
)
_PICKLE = (
    "is a pickle, that is, code, and code in files is never run. In the Python program that made "
    "it, save the model with `model.save('NAME.keras')`"
)
_SAVED_MODEL = (
    "is a TensorFlow SavedModel, which has no layers to fold or inspect. Load it with the version "
    "of Keras that saved it, save the model there with `model.save('NAME.h5')`, and give that file"
)
_OTHERS: dict[str, str] = {
    ".onnx": "is an ONNX model: `polyphase fold IN.onnx OUT.onnx` folds it. To inspect it, give "
    "the Keras model that it was converted from",
    ".pb": "is a TensorFlow graph, which has no layers to fold or inspect. Load the model with the "
    "version of Keras that made it, save it with `model.save('NAME.h5')`, and give that file",
    ".pt": _PYTORCH,
    ".pth": _PYTORCH,
    ".safetensors": _PYTORCH,
    ".tflite": f"is a TensorFlow Lite model, which can be run but not changed. {_CONVERTED}",
    ".pkl": _PICKLE,
    ".pickle": _PICKLE,
    ".json": "is text. If it is a model's `to_json()`, it has no weights: build the model with "
    "`keras.models.model_from_json`, load its weights and save it with `model.save('NAME.keras')`",
    ".npz": "holds only arrays, without the layers that they belong to. Build the model in "
    "Python, give it its weights, and save it with `model.save('NAME.keras')`",
    ".index": _WEIGHTS,
    ".ckpt": _WEIGHTS,
}


def refusal(path: Path) -> str | None:
    """Return in one sentence why this file is not read as a Keras model; None if it is read.

    The content decides, and then the name. Only a Keras archive (`.keras`) and an HDF5 file with a
    model's configuration (`.h5`, `.hdf5`) are read.
    """
    if path.is_dir():
        return f"{path} {_folder(path)}."
    if not path.is_file():
        return (
            f"There is no file {path}. Give a model that was saved with `model.save('NAME.keras')`."
        )
    with path.open("rb") as file:
        start = file.read(_START)
    if not start:
        return f"{path} is empty. Copy it again, or save the model again."
    for holds, describe in _KINDS:
        if holds(start):
            said = describe(path)
            return said and f"{path} {said.format(path=path)}."
    said = _OTHERS.get(
        path.suffix.lower(), f"is neither a .keras file nor an .h5 file of a model. {_SAVE}"
    )
    return f"{path} {said.format(path=path)}."


def configuration(path: Path) -> Any:
    """Return the configuration of a model in a file that `refusal` accepts.

    Raises:
        ValueError: if it is larger than `LARGEST_CONFIG`, or not JSON.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(_CONFIG).file_size
            text = archive.read(_CONFIG) if size <= LARGEST_CONFIG else b""
    else:
        with h5py.File(path, "r") as file:
            text = file.attrs["model_config"]
            size = len(text)
    if size > LARGEST_CONFIG:
        raise ValueError(f"its configuration has {size:,} bytes, more than {LARGEST_CONFIG:,}")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("its configuration is nested too deeply") from error


def _folder(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return _SAVED_MODEL
    if (path / _CONFIG).is_file():
        return f"is a folder. Load it with `keras.models.load_model`, and {_lower(_SAVE)}"
    return "is a folder. Give a model file"


def _zip(path: Path) -> str | None:
    if not zipfile.is_zipfile(path):
        return "is damaged: its end is missing. Copy it again, or save the model again"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if _CONFIG not in names or not any(name.startswith("model.weights") for name in names):
        if any(name.endswith("data.pkl") for name in names):
            return _PYTORCH
        plain = f"is a zip archive without a Keras model in it. {_SAVE}"
        return _OTHERS.get(path.suffix.lower(), plain)
    return None if path.suffix == ".keras" else _renamed(".keras")


def _hdf5(path: Path) -> str | None:
    try:
        with h5py.File(path, "r") as file:
            whole = "model_config" in file.attrs
    except OSError:
        return "is damaged: its end is missing. Copy it again, or save the model again"
    if not whole:
        return _WEIGHTS if _weights(path) else f"is an HDF5 file without a Keras model. {_SAVE}"
    return None if path.suffix in (".h5", ".hdf5") else _renamed(".h5")


def _weights(path: Path) -> bool:
    """Return whether an HDF5 file has what Keras 2 or 3 writes for weights."""
    with h5py.File(path, "r") as file:
        names = set(file)
        return "layer_names" in file.attrs or bool(
            names & {"layers", "vars", "_layer_checkpoint_dependencies", "model_weights"}
        )


def _renamed(suffix: str) -> str:
    return f"is a Keras model, but its name does not end in {suffix}. Rename it"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(heads)


def _named(suffix: str) -> Callable[[Path], str]:
    """Return advice by a file's name; for a name that tells nothing, that of `suffix`."""
    return lambda path: _OTHERS.get(path.suffix.lower(), _OTHERS[suffix])


# What a file's first bytes say, and what is said about it; the first that fits.
_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[Path], str | None]], ...] = (
    (_starts(b"PK\x03\x04", b"PK\x05\x06"), _zip),
    (_starts(b"\x89HDF\r\n\x1a\n"), _hdf5),
    (lambda start: start[4:8] == b"TFL3", _named(".tflite")),
    (_starts(*(b"\x80%c" % version for version in range(2, 6))), _named(".pkl")),
)
