"""Everything a training needs to go on as if it had never stopped, in one file."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from polyphase.workbench.results import Epoch


def save(path: Path, model: keras.Model, history: list[Epoch]) -> None:
    """Write a model's and its optimiser's variables and the epochs so far; whole or not at all.

    Seeds of layers such as Dropout are variables too, which `model.save_weights` leaves out.
    """
    values: Any = {f"variable_{i}": _numpy(one) for i, one in enumerate(_variables(model))}
    values["history"] = np.array([(one.loss, one.validation_loss, one.seconds) for one in history])
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        np.savez(file, **values)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def restore(path: Path, model: keras.Model) -> list[Epoch]:
    """Give a compiled model what was saved; return the epochs so far.

    Raises:
        ValueError: if the file is of another model.
    """
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    with np.load(path, allow_pickle=False) as saved:
        values = [saved[f"variable_{i}"] for i in range(len(saved.files) - 1)]
        losses = saved["history"]
    if [value.shape for value in values] != [tuple(one.shape) for one in variables]:
        raise ValueError(f"{path} was saved by another model. Start a new run.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return [Epoch(*map(float, line)) for line in losses]


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _numpy(variable: keras.Variable) -> np.ndarray:
    """Return a value that NumPy's files hold; bfloat16 becomes float32, which is exact."""
    value = keras.ops.convert_to_numpy(variable.value)
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
