"""When a training is done: after its epochs, or when it has reached a plateau."""

from collections.abc import Sequence

import numpy as np

from polyphase.workbench.config import Contender
from polyphase.workbench.results import Epoch

GAIN = 0.002  # of the loss: less than this is no improvement
SHARE = 0.2  # of all epochs so far that may pass without one
LEAST = 10  # epochs that may


def flat(losses: Sequence[float]) -> bool:
    """Return whether losses have stopped improving.

    They have if the lowest loss of the last fifth of the epochs (at least ten) is not lower than
    the lowest loss before them by a five-hundredth of it.

    Example:
        >>> flat([1.0] * 11), flat([1.0] * 10), flat([0.9**i for i in range(50)])
        (True, False, False)
    """
    last = max(LEAST, round(SHARE * len(losses)))
    before, after = losses[:-last], losses[-last:]
    return len(before) > 0 and not np.fmin.reduce(after) < np.fmin.reduce(before) * (1 - GAIN)


def done(contender: Contender, history: Sequence[Epoch]) -> bool:
    """Return whether a training is over after these epochs.

    It is over after `contender.epochs`, or if something went wrong. With `contender.minutes` it is
    also over when the validation loss is `flat`, or when the epochs have taken that many minutes.
    """
    if history and history[-1].trouble:
        return True
    if len(history) >= contender.epochs or contender.minutes is None:
        return len(history) >= contender.epochs
    minutes = sum(one.seconds for one in history) / 60
    return minutes >= contender.minutes or flat([one.validation_loss for one in history])
