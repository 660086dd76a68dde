"""Tables on the terminal: whole where they fit, sentences where they do not."""

import pytest

from polyphase.cli.tables import print_table

HEADERS = ["decoder", "validation loss\nnats/pixel", "PSNR\ndB", "parameters"]
ROWS = [["transposed-3", "0.5558\n0.4877–0.6128", "10.16\n9.06–11.57", "2,073"]]  # noqa: RUF001


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_no_name_and_no_number_is_cut_off_on_a_narrow_terminal(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(HEADERS, ROWS, "A note.")
    shown = capsys.readouterr().out
    for wanted in ("transposed-3", *(w for cell in ROWS[0] for w in cell.split()), "A note."):
        assert wanted in shown
    assert all(len(line) <= width for line in shown.splitlines())
    assert ("validation loss, nats/pixel: 0.5558 (0.4877" in " ".join(shown.split())) == (
        width < 60
    )


def test_what_was_not_measured_is_left_out_on_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    print_table(["decoder", "loss\nnats/pixel", "parameters"], [["bicubic", "0.4871", ""]], "Note.")
    assert capsys.readouterr().out == "bicubic\n  loss, nats/pixel: 0.4871\n\nNote.\n"
