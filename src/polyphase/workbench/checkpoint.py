"""Everything that one training needs to continue as if it had never stopped, in one file."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from polyphase.workbench.config import ConfigError
from polyphase.workbench.results import Epoch, GanEpoch
from polyphase.workbench.runs import readable_arrays

Variables = Sequence[keras.Variable]


def variables_of(model: keras.Model) -> list[keras.Variable]:
    """Return a compiled model's and its optimiser's variables.

    Seeds of layers such as Dropout are variables too, which `model.save_weights` leaves out.
    """
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def save(path: Path, variables: Variables, history: Sequence[Epoch], task: str) -> None:
    """Write all variables of a training and its epochs so far; the file is complete or not there.

    Args:
        path: path of the file.
        variables: variables of models and optimisers.
        history: the epochs so far, at least one.
        task: what is trained, and how; only the same training can continue from this file.
    """
    values: Any = {f"variable_{i}": _numpy(one) for i, one in enumerate(variables)}
    measured = [one.measured for one in history]
    values |= {name: np.array([one[name] for one in measured]) for name in measured[0]}
    for index, one in enumerate(history):
        if isinstance(one, GanEpoch):
            values[f"picture_{index}"] = np.frombuffer(one.picture, np.uint8)
    values["task"] = np.array(task)
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        np.savez(file, **values)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def restore(path: Path, variables: Variables, task: str, kind: type[Epoch] = Epoch) -> list[Epoch]:
    """Restore variables from a file; return the epochs so far, as objects of `kind`.

    Raises:
        ConfigError: if the file is damaged or of another training; variables then do not change.
    """
    cure = "Remove it; then this training starts anew, and nothing else is lost."
    with readable_arrays(path, cure) as saved:
        if str(saved["task"]) != task:
            raise ConfigError(f"{path} was saved by another training: {saved['task']}. {cure}")
        count = sum(name.startswith("variable_") for name in saved.files)
        values = [saved[f"variable_{i}"] for i in range(count)]
        history = _history(saved, kind)
        expected = [(tuple(one.shape), _numpy(one).dtype) for one in variables]
        if [(value.shape, value.dtype) for value in values] != expected or not history:
            raise ConfigError(f"{path} was saved by another model. {cure}")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return history


def _history(saved: Any, kind: type[Epoch]) -> list[Epoch]:
    columns = [map(float, saved[name]) for name in kind.names()]
    history = [kind(*row) for row in zip(*columns, strict=True)]
    for index, one in enumerate(history):
        if isinstance(one, GanEpoch):
            history[index] = replace(one, picture=saved[f"picture_{index}"].tobytes())
    return history


def _numpy(variable: keras.Variable) -> np.ndarray:
    """Return a value that NumPy's files hold; bfloat16 becomes float32, which is exact."""
    value = keras.ops.convert_to_numpy(variable.value)
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
