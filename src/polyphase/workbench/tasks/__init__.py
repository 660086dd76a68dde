"""Tasks: what the models of a comparison are trained to do with images."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from polyphase._facts import UserError
from polyphase.workbench.tasks.denoise import Denoise
from polyphase.workbench.tasks.fit import Fit
from polyphase.workbench.tasks.gan import Gan
from polyphase.workbench.tasks.reconstruct import Reconstruct
from polyphase.workbench.tasks.super_resolve import SuperResolve
from polyphase.workbench.tasks.task import Task

__all__ = ["RECONSTRUCT", "TASKS", "Task", "options_of", "task", "task_of"]

TASKS: dict[str, type[Task]] = {
    one.name: one for one in (Reconstruct, Denoise, SuperResolve, Fit, Gan)
}
RECONSTRUCT = Reconstruct()


def task(name: str, **options: Any) -> Task:
    """Return a task by its name, with the options that are given.

    Raises:
        UserError: for an unknown name, an option that the task does not have, or a value out of
            range.

    Example:
        >>> task("super-resolve", scale=4)
        SuperResolve(scale=4)
    """
    if name not in TASKS:
        raise UserError(f"Unknown task {name!r}. Choose from: {', '.join(TASKS)}.")
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in options_of(name):
            raise UserError(f"The task {name!r} has no option --{key}. Leave it out.")
    return TASKS[name](**given)


def task_of(config: Mapping[str, Any]) -> Task:
    """Return the task of a run; old runs, which do not name theirs, reconstruct."""
    name = config.get("task") or Reconstruct.name
    return task(name, **{key: config.get(key) for key in options_of(name)})


def options_of(name: str) -> list[str]:
    """Return the names of a task's options."""
    return [one.name for one in fields(TASKS[name])]
