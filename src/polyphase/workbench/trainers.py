"""Which way of training a task takes."""

from types import ModuleType

from polyphase.workbench import training
from polyphase.workbench.adversarial import training as adversarial
from polyphase.workbench.tasks import Task
from polyphase.workbench.tasks.gan import Gan


def trainer_of(task: Task) -> ModuleType:
    """Return the module whose `train`, `drawn` and `validation_loss` are those of a task.

    They take and return the same; `training` says what.

    Example:
        >>> from polyphase.workbench.tasks import RECONSTRUCT
        >>> trainer_of(RECONSTRUCT).__name__
        'polyphase.workbench.training'
    """
    return adversarial if isinstance(task, Gan) else training
