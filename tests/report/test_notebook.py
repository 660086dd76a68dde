"""A notebook shows what a comparison found, and nothing of a stranger's file as markup."""

import pytest

from polyphase.report import shown
from polyphase.report.notebook import Shown
from polyphase.workbench import ConfigError
from tests.report import synthetic


def test_the_answer_stands_above_the_numbers():
    one = Shown(synthetic.comparison(seeds=(0, 1, 2)))
    html = one._repr_html_()
    assert html.index("nearest") < html.index("<table>")
    assert html.count("<tr>") == 1 + 5
    assert "Mean over 3 seeds" in html
    assert str(one).splitlines()[0] in html.replace("&#x27;", "'")


def test_names_of_decoders_are_text():
    comparison = synthetic.comparison()
    wild = [one.__class__(**{**vars(one), "decoder": "<b>mine</b>"}) for one in comparison.trials]
    html = Shown(
        comparison.__class__(**{**vars(comparison), "trials": tuple(wild[:1])})
    )._repr_html_()
    assert "<b>mine" not in html
    assert "&lt;b&gt;mine" in html


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is not a run"):
        shown(tmp_path)
