"""Which module trains the models of a task."""

from types import ModuleType

from polyphase.workbench import training
from polyphase.workbench.adversarial import training as adversarial
from polyphase.workbench.tasks import Task
from polyphase.workbench.tasks.gan import Gan


def trainer_of(task: Task) -> ModuleType:
    """Return the module with the `train`, `drawn` and `validation_loss` of a task.

    Both modules have the same functions; `training` documents them.

    Example:
        >>> from polyphase.workbench.tasks import RECONSTRUCT
        >>> trainer_of(RECONSTRUCT).__name__
        'polyphase.workbench.training'
    """
    return adversarial if isinstance(task, Gan) else training
