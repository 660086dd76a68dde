"""What a report says: nothing that is not so, and all of it in a notebook too."""

from dataclasses import replace
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.rewrite import Finding, Report
from polyphase.rewrite.report import Why
from polyphase.timing import Times

STAYS = Finding("up", False, "computed for the output", (Why.OUTPUT,))
MOVES = Finding("up", True, "absorbed by 'draw'")
BEFORE = Times(10.0, 9.0, 11.0)


def models(*between):
    model = keras.Sequential([keras.Input((6, 6, 3)), *between])
    return (model, *pp.fold(model, return_report=True))


@pytest.mark.parametrize(
    ("findings", "merged", "after", "said"),
    [
        ((), (), None, "Nothing gained: there is no upsampling"),
        ((STAYS,), (), None, "Nothing gained by folding: every upsampling stays."),
        ((STAYS,), (), Times(9.5, 8.5, 10.5), "Nothing gained by folding"),
        ((STAYS,), (), Times(5.0, 4.0, 6.0), ""),  # by another lowering
        ((STAYS,), ("norm",), None, ""),
        ((MOVES,), (), None, ""),
        ((MOVES, STAYS), (), Times(5.0, 4.0, 6.0), ""),
        ((MOVES,), (), Times(9.5, 8.5, 10.5), "No time gained here: prediction takes as long."),
        ((MOVES,), (), Times(15.0, 14.0, 16.0), "No time gained here: prediction takes longer."),
    ],
)
def test_the_last_line_says_where_nothing_was_gained(findings, merged, after, said):
    report = Report(findings, 0.0, merged=merged, times=(BEFORE, after) if after else None)
    assert report.nothing_gained.startswith(said)
    assert bool(report.nothing_gained) == bool(said)
    last = str(report).splitlines()[-1]
    assert last == report.nothing_gained if said else "gained" not in str(report)


def test_reasons_are_followed_by_where_they_are_explained():
    assert "Why: docs/folding.md#an-output\n" in str(Report((STAYS, STAYS), 0.0))
    assert "Why" not in str(Report((MOVES,), 0.0))


def test_normalisations_that_became_part_of_a_convolution_are_named():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(3, 1),
            layers.BatchNormalization(name="gone"),
            layers.ReLU(),
            layers.BatchNormalization(name="stays"),
        ]
    )
    _, report = pp.fold(model, inference=True, return_report=True)
    assert report.merged == ("gone",)
    assert "Now part of the convolution before them: gone" in str(report)
    assert pp.fold(model, return_report=True)[1].merged == ()


class Penalty:
    """A regulariser that no configuration describes: its layer is used as it is."""

    def __call__(self, kernel):
        return keras.ops.sum(kernel)


def test_a_normalisation_is_not_said_to_be_merged_where_its_convolution_is_used_as_it_is():
    convolution = layers.Conv2D(3, 1, kernel_regularizer=Penalty(), name="used")
    model = keras.Sequential([keras.Input((4, 4, 2)), convolution, layers.BatchNormalization()])
    folded, report = pp.fold(model, inference=True, return_report=True)
    assert report.used == ("used",)
    assert len(folded.layers) == 2
    assert report.merged == ()


def test_times_are_of_both_models_and_nothing_of_them_changes():
    model, folded, report = models(layers.UpSampling2D(), layers.Conv2D(2, 3))
    x = np.ones((3, 6, 6, 3), "float32")
    model.predict_on_batch(x)
    compiled, weights = model.predict_function, model.get_weights()
    timed = report.timed(model, folded, x, seconds=0.01)
    assert model.predict_function is compiled
    assert folded.predict_function is None
    for one, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert timed == replace(report, times=timed.times, batch=3)
    assert all(0 < one.low <= one.median <= one.high for one in timed.times)
    assert f"{timed.times[1].median:.3g} ms after; medians in turns, batch of 3" in str(timed)
    assert timed.to_dict()["times"][0]["median"] == timed.times[0].median
    with pytest.raises(TypeError, match=r"takes Keras models. Received: Conv2D\."):
        report.timed(model.layers[-1], folded, x)


class Text(HTMLParser):
    """The tags of a page, and what is between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_notebook_shows_a_table_in_which_names_are_text():
    hostile = "<script>alert('a & b')</script>"
    report = Report((replace(STAYS, layer=hostile), MOVES), 0.0, used=(hostile,))
    page = Text(report._repr_html_())
    assert page.tags == {"table", "tr", "th", "td", "ul", "li"}
    assert page.texts[:6] == ["layer", "folded", "what happened", hostile, "no", STAYS.what]
    assert page.texts[9:] == str(report).splitlines()[2:]
    assert Text(Report((), 0.0)._repr_html_()).tags == {"ul", "li"}
