"""Whether a saved model loads where only Polyphase is imported, and what else must be."""

from pathlib import Path

import keras

from polyphase.rewrite.copying import foreign
from polyphase.rewrite.zeros import random_weights_are_zeros


def what_to_import(model: keras.Model, path: Path) -> str | None:
    """Return, in a sentence, why a model's file does not load as it is; None if it does.

    A class that nobody registered is known by its module's name only: Keras loads it where it is
    given in `custom_objects`. Here the file is loaded in safe mode, so that no code of it runs.

    Args:
        model: what was saved.
        path: the `.keras` file.
    """
    try:
        _load(path, None)
    except Exception as error:  # whatever a class raises
        kinds = foreign(model)
        if not kinds or not _loads(path, {kind.__name__: kind for kind in kinds}):
            reason = str(error).strip().splitlines()[-1]
            return f"The file is written but does not load: {reason}"
        listed = ", ".join(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
        given = ", ".join(f'"{kind.__name__}": {kind.__name__}' for kind in kinds)
        return (
            f"To load the file, import {listed} and call keras.models.load_model(path, "
            f"custom_objects={{{given}}})."
        )
    return None


def _load(path: Path, known: dict[str, type[keras.Layer]] | None) -> None:
    with random_weights_are_zeros():
        keras.models.load_model(path, custom_objects=known, compile=False, safe_mode=True)


def _loads(path: Path, known: dict[str, type[keras.Layer]]) -> bool:
    try:
        _load(path, known)
    except Exception:  # whatever a class raises
        return False
    return True
