"""Models from files: data, whose code is never run."""

import zipfile
from pathlib import Path

import keras

from polyphase.cli.errors import fail
from polyphase.rewrite.zeros import random_weights_are_zeros


def load_model(path: Path) -> keras.Model:
    """Load a model; safe mode, so that no code of the file runs.

    Raises:
        typer.Exit: with one line, for a file that is no Keras model, holds code or is not there.
    """
    if not path.is_file():
        raise fail(f"There is no file {path}. Give a model saved by `model.save('NAME.keras')`.")
    if not zipfile.is_zipfile(path) or path.suffix != ".keras":
        raise fail(f"{path} is not a .keras file. Save the model by `model.save('NAME.keras')`.")
    try:
        with random_weights_are_zeros():
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, zipfile.BadZipFile) as error:
        raise fail(f"{path} cannot be loaded as a Keras model: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """Return the sentence of Keras' long message that says what is wrong."""
    said = str(error).rsplit("Exception encountered:", 1)[-1].strip() or type(error).__name__
    sentence = said.split(". ")[0].splitlines()[0]
    if "Could not locate class" in sentence:
        sentence += "; code in files is not run. Import it in Python and use polyphase there"
    return sentence
