"""Everything one training needs to go on as if it had never stopped, in one file of its own."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from polyphase.workbench.config import ConfigError
from polyphase.workbench.results import Epoch
from polyphase.workbench.runs import readable_arrays


def save(path: Path, model: keras.Model, history: list[Epoch], task: str) -> None:
    """Write a model's and its optimiser's variables and the epochs so far; whole or not at all.

    Seeds of layers such as Dropout are variables too, which `model.save_weights` leaves out.

    Args:
        path: of the file.
        model: compiled.
        history: the epochs so far.
        task: what is trained, and how; only the same can go on from this file.
    """
    values: Any = {f"variable_{i}": _numpy(one) for i, one in enumerate(_variables(model))}
    values["history"] = np.array([(one.loss, one.validation_loss, one.seconds) for one in history])
    values["task"] = np.array(task)
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        np.savez(file, **values)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def restore(path: Path, model: keras.Model, task: str) -> list[Epoch]:
    """Give a compiled model what was saved; return the epochs so far.

    Raises:
        ConfigError: if the file is damaged, or of another training; the model is as it was.
    """
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    cure = "Remove it: this training then starts anew, and nothing else is lost."
    with readable_arrays(path, cure) as saved:
        if str(saved["task"]) != task:
            raise ConfigError(f"{path} was saved by another training: {saved['task']}. {cure}")
        values = [saved[f"variable_{i}"] for i in range(len(saved.files) - 2)]
        history = [Epoch(*map(float, line)) for line in saved["history"].reshape(-1, 3)]
        expected = [(tuple(one.shape), _numpy(one).dtype) for one in variables]
        if [(value.shape, value.dtype) for value in values] != expected or not history:
            raise ConfigError(f"{path} was saved by another model. {cure}")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return history


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _numpy(variable: keras.Variable) -> np.ndarray:
    """Return a value that NumPy's files hold; bfloat16 becomes float32, which is exact."""
    value = keras.ops.convert_to_numpy(variable.value)
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
