"""The watcher of trainings: an interrupt is never lost."""

import os
import signal

import pytest

from polyphase.cli.progress import Watcher
from polyphase.workbench import Progress
from polyphase.workbench.results import Epoch

_PROGRESS = Progress("nearest", seed=0, epoch=0, epochs=9, result=Epoch(0.5, 0.5, 1.0), last=False)


class _Interrupted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def _heard():
    """Interrupts reach this process, even where the test runner was started without them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_destructor_swallowed_ends_the_next_epoch():
    with Watcher(1, 9) as watcher:
        watcher(_PROGRESS)
        _Interrupted()
        with pytest.raises(KeyboardInterrupt):
            watcher(_PROGRESS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
