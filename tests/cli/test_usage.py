"""Usage errors look as all errors do: one line that begins with "Error: ", exit code 2, no box."""

import pytest
import typer
from typer.testing import CliRunner

from polyphase.cli.app import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["foldd"], "Did you mean 'fold'?"),
        (["--nothing"], "No such option: --nothing"),
        (["fold"], "Missing argument"),
        (["fold", "a.keras"], "Missing argument"),
        (["fold", "a.keras", "b.keras", "c.keras"], "c.keras"),
        (["fold", "a.keras", "b.keras", "--nothing"], "No such option: --nothing"),
        (["fold", "a.keras", "b.keras", "--target", "mine"], "'mine' is not one of"),
        (["fold", "none.keras", "b.keras"], "There is no file none.keras"),
        (["fold", "a.keras", "b.h5"], "must end in .keras"),
        (["inspect"], "Missing argument"),
        (["inspect", "a.keras", "--fail-over", "-1"], "--fail-over"),
        (["inspect", "a.keras", "--fail-over", "much"], "--fail-over"),
        (["inspect", "a.keras", "--figure"], "--figure"),
        (["demo", "nothing"], "'nothing' is not one of"),
        (["demo"], "Missing argument"),
        (["bench", "x"], "x"),
        (["runs", "none"], "There is no folder none"),
        (["report"], "Missing argument"),
        (["compare", "--seeds", "0"], "--seeds"),
        (["compare", "--resume", "run", "--epochs", "3"], "no unfinished run"),
        (["compare", "--match", "colour"], "'colour' is not one of"),
        (["train", "nothing"], "No such command 'nothing'"),
        (["train", "autoencoder", "--epochs", "x"], "--epochs"),
    ],
)
def test_every_usage_error_is_one_line(arguments, words, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert words in line


def test_without_arguments_there_is_help():
    for arguments in ([], ["train"]):
        result = RUN.invoke(app, arguments)
        assert "Usage:" in result.output
        assert "Error" not in result.output


def test_a_usage_error_names_the_help_of_its_command():
    result = RUN.invoke(app, ["train", "autoencoder", "--nothing"])
    assert "`polyphase train autoencoder --help`" in result.stderr


def test_what_calls_the_program_itself_gets_the_exception():
    program = typer.main.get_command(app)
    with pytest.raises(Exception, match="No such option"):
        program.main(["--nothing"], prog_name="polyphase", standalone_mode=False)
