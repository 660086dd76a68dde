"""The watcher of trainings: an interrupt is never lost."""

import os
import signal
import sys
from dataclasses import replace

import pytest
import typer

from polyphase.cli.errors import one_line_errors
from polyphase.cli.progress import Watcher
from polyphase.workbench import Progress
from polyphase.workbench.results import Epoch

_PROGRESS = Progress("nearest", seed=0, epoch=0, epochs=9, result=Epoch(0.5, 0.5, 1.0), last=False)


class _Interrupted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


class _Wrong:
    def __del__(self):
        raise ValueError("something else")


@pytest.fixture
def _heard():
    """Interrupts reach this process, even where the test runner was started without them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard")
def test_an_interrupt_that_a_destructor_swallowed_ends_the_next_epoch(monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: reported.append(what.exc_type))
    hook = sys.unraisablehook
    with Watcher(1, 9) as watcher:
        watcher(_PROGRESS)
        _Interrupted()
        _Wrong()
        with pytest.raises(KeyboardInterrupt):
            watcher(_PROGRESS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert reported == [ValueError]
    assert sys.unraisablehook is hook


@pytest.mark.usefixtures("_heard")
def test_an_error_that_came_of_an_interrupt_is_one():
    """TensorFlow's device scope raises it where the interrupt comes while it is left."""
    with pytest.raises(KeyboardInterrupt), Watcher(1, 9):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            raise RuntimeError("Exiting device scope without proper scope nesting")


def test_commands_are_stopped_by_an_error_that_came_of_an_interrupt(capsys):
    @one_line_errors
    def command():
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError("left without proper nesting")

    with pytest.raises(typer.Exit) as end:
        command()
    assert end.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_other_errors_are_themselves():
    with pytest.raises(RuntimeError), Watcher(1, 9):
        raise RuntimeError("something else")


def test_more_trainings_than_were_expected_are_counted(capsys):
    with Watcher(1, 1, searching=True) as watcher:
        watcher(replace(_PROGRESS, last=True))
        watcher(replace(_PROGRESS, last=True))
    assert "search [1/1] nearest" in (errors := capsys.readouterr().err)
    assert "search [2/2] nearest" in errors


@pytest.mark.parametrize("notebook", [True, False])
def test_a_bar_is_drawn_on_a_terminal_and_not_in_a_notebook(monkeypatch, notebook):
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes this for a terminal
    if notebook:
        monkeypatch.setenv("JPY_PARENT_PID", "1")
    else:
        monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert Watcher(1, 1)._live is not notebook
