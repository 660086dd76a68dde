import base64
import dataclasses
import math
import re
import statistics
from html.parser import HTMLParser

import pytest

from polyphase.inspection.harmonics import Pattern
from polyphase.report import render, write
from polyphase.report.checkerboards import checkerboards, stage_rows
from tests.report.synthetic import comparison

DASH = "\N{EN DASH}"
PNG = b"\x89PNG\r\n\x1a\n"
FIGURES = dict.fromkeys(("learning-curves", "reconstructions", "error-maps"), PNG)
VOID = {"meta", "img", "br", "link", "source"}


class Page(HTMLParser):
    """Collects tags, text and table cells, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open or "script" in self.open:
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.cells[-1][-1] += " " * ("small" in self.open) + data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
@pytest.mark.parametrize("experiment", ["fair", "published"])
def test_page_is_well_formed_and_needs_no_network(seeds, experiment):
    text = render(comparison(seeds, experiment=experiment), FIGURES)
    page = Page(text)
    assert page.open == []
    assert text.startswith("<!doctype html>")
    assert not any("src" in script for script in page.all("script"))
    assert not page.all("link")
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert "prefers-color-scheme: dark" in text


def test_table_holds_the_numbers_of_the_data():
    found = comparison(seeds=(0, 1))
    table = Page(render(found, FIGURES)).cells
    assert table[0][:3] == ["decoder", "validation loss nats/pixel", "above the floor nats/pixel"]
    results, says = table[:6], table[6]
    stages, left_behind = table[7:23], table[23:]
    assert says == [
        *("what it says", "decides", "same loss", "describes", "describes"),
        *("cost as built", "cost as built", "0: in place"),
        *("this machine", "this machine"),
    ]
    assert stages[0][:3] == ["decoder", "layer period", "chi trained"]
    assert [line[1] for line in stages[1:4]] == ["up_1 8", "up_2 4", "up_3 2"]
    (line,) = [line for line in stages if line[:2] == ["transposed-3", "up_2 4"]]
    assert line[2:] == [
        f"0.20 0.20{DASH}0.20", f"2.50 2.50{DASH}2.50", f"2.0 2.0{DASH}2.0", "1.0 to 3.1",
        f"5.0 5.0{DASH}5.0", f"0.3 0.3{DASH}0.3", "2 of 2",
    ]  # fmt: skip
    assert [line[-1] for line in stages[1:4]] == ["0 of 2"] * 3
    assert left_behind[0][:2] == ["decoder", "chi largest of its layers"]
    for decoder, line in zip(found.decoders, left_behind[1:], strict=True):
        one = found.of(decoder)[0].checkerboard  # the same for both seeds
        assert line[0] == decoder
        assert line[1].startswith(f"{one.chi:.2f}")
        assert line[2].startswith(f"{1000 * one.bias:.2f}")
    for decoder, line in zip(found.decoders, results[1:], strict=True):
        trials = [trial for trial in found.trials if trial.decoder == decoder]
        losses = [trial.history[-1].validation_loss for trial in trials]
        spread = f"{min(losses):.4f}\N{EN DASH}{max(losses):.4f}"
        assert line[0] == decoder
        assert line[1] == f"{statistics.fmean(losses):.4f} {spread}"
        assert line[2].startswith(f"{statistics.fmean(losses) - found.floor:.4f} ")
        assert float(line[3].split()[0]) == pytest.approx(
            statistics.fmean(trial.psnr for trial in trials), abs=0.051
        )
        first = trials[0]
        products = f"{first.multiply_adds:,} {first.multiply_adds_computed:,}"
        assert line[5:8] == [f"{first.parameters:,}", products, "0 and +3.5"]
        microseconds = 1e6 * statistics.fmean(trial.decoder_seconds for trial in trials)
        assert float(line[9].split()[0]) == pytest.approx(microseconds, abs=0.051)


def test_runs_that_did_not_measure_stages_have_no_table_of_them():
    found = comparison(seeds=(0,))
    before = tuple(
        dataclasses.replace(
            trial,
            checkerboard=dataclasses.replace(trial.checkerboard, stages=(), harmonics=None),
        )
        for trial in found.trials
    )
    page = Page(render(dataclasses.replace(found, trials=before), FIGURES))
    assert len(page.cells) == 13
    assert "levels of 255" not in " ".join(page.cells[7])
    assert len(checkerboards(dataclasses.replace(found, trials=before)).axes) == 11


def test_a_period_that_is_too_long_for_the_images_is_a_dash():
    found = comparison(seeds=(0,), decoders=("nearest",))
    (trial,) = found.trials
    first, *others = trial.checkerboard.stages
    none = dataclasses.replace(first, errors=Pattern(*[math.nan] * 4), untrained=None)
    board = dataclasses.replace(trial.checkerboard, stages=(none, *others))
    (line, *_) = stage_rows(
        dataclasses.replace(found, trials=(dataclasses.replace(trial, checkerboard=board),))
    )
    assert [one.text for one in line.cells] == [
        "up_1 (8)", "0.00", DASH, DASH, DASH, DASH, "0.3", "0 of 1",
    ]  # fmt: skip


def test_one_seed_page_shows_no_spread_and_says_so():
    page = Page(render(comparison(seeds=(3,)), FIGURES))
    assert not any("\N{EN DASH}" in cell for line in page.cells for cell in line)
    assert "One seed per decoder: single measurements, without a spread." in page.text
    assert "Spread" not in page.text
    assert "seed 3." in page.text


def test_spread_is_explained_where_there_are_several_seeds():
    page = Page(render(comparison(seeds=(0, 1)), FIGURES))
    assert "the least and the greatest value of any of the 2 seeds" in page.text


def test_text_from_outside_is_escaped_everywhere():
    found = comparison(seeds=(0,), command="polyphase compare --data '<b>&\"x'")
    found.config["data"]["name"] = "<script>alert(1)</script>"
    found.config["versions"]["<i>"] = '"><img src=x>'
    trials = tuple(dataclasses.replace(t, decoder=f"<u>{t.decoder}") for t in found.trials)
    labels = ('"><script>', *found.labels[1:])
    text = render(dataclasses.replace(found, trials=trials, labels=labels), FIGURES)
    page = Page(text)
    plain = Page(render(comparison(seeds=(0,)), FIGURES))
    assert page.all("script") == plain.all("script")  # only the page's own
    assert text.count("</script") == len(plain.all("script"))
    assert not page.all("u")
    assert len(page.all("img")) == 3
    assert "<script>alert(1)</script>" in page.text
    assert "--data '<b>&\"x'" in page.text
    assert '"><script>' in page.all("img")[1]["alt"]


def test_every_image_has_an_alternative_text_that_says_what_it_shows():
    found = comparison(seeds=(0, 1))
    images = Page(render(found, FIGURES)).all("img")
    assert len(images) == 3
    for image in images:
        assert len(image["alt"]) > 60
        assert all(decoder in image["alt"] for decoder in found.decoders)


def test_a_figure_that_is_not_given_is_left_out():
    assert Page(render(comparison(seeds=(0,)), {})).all("img") == []


def test_fair_page_says_why_it_is_fair_and_published_page_why_it_is_not():
    fair = Page(render(comparison(), FIGURES)).text
    assert "differ only in the operator" in fair
    assert "confounded" not in fair
    published = Page(render(comparison(experiment="published"), FIGURES)).text
    assert "why it is fair" not in published
    assert "Why this comparison is confounded" in published
    assert "784 values through 128" in published
    assert "3,872, 4.9 times the image" in published
    assert "1,393 parameters against 12,785: 9.2 times" in published
    assert "Batches of 25 (upsampling) and 1,000 (transposed)" in published


def test_strip_places_every_seed_between_the_least_and_the_greatest_loss():
    found = comparison(seeds=(0, 1))
    text = render(found, FIGURES)
    places = [float(place) for place in re.findall(r'<s style="left:([\d.]+)%', text)]
    losses = [trial.history[-1].validation_loss for trial in found.trials]
    low, high = min(losses), max(losses)
    expected = sorted(100 * (loss - low) / (high - low) for loss in losses)
    assert sorted(places) == pytest.approx(expected, abs=0.006)


def test_settings_are_written_once_where_they_are_the_same_for_every_decoder():
    text = " ".join(Page(render(comparison(epochs=5), FIGURES)).text.split())
    assert "Epochs5 Batch size1,280 Learning rate0.001" in text
    published = comparison(experiment="published", epochs=5)
    text = " ".join(Page(render(published, FIGURES)).text.split())
    assert "Epochs5 Batch sizeupsampling 25, transposed 1,000 Learning" in text
    published.config["batch_size"] = {"upsampling": 32, "transposed": 32}
    text = " ".join(Page(render(published, FIGURES)).text.split())
    assert "Batches of" not in text
    assert "Batch size32 Learning" in text


def test_page_says_how_to_repeat_the_comparison():
    found = comparison(seeds=(0, 1), epochs=5)
    text = Page(render(found, FIGURES)).text
    data = found.config["data"]
    for wanted in (found.config["command"], data["sha256"], "0, 1", "keras 3.15.1", "48,000 train"):
        assert wanted in text
    assert "9 May 2026" in text


def test_an_incomplete_configuration_still_gives_a_page():
    found = dataclasses.replace(comparison(seeds=(0,)), config={"experiment": "fair"})
    assert "The numbers" in render(found, FIGURES)


def test_write_leaves_page_and_figures_in_the_folder(tmp_path):
    page = write(comparison(seeds=(0,), decoders=("nearest", "subpixel")), tmp_path / "run")
    assert page == tmp_path / "run" / "report.html"
    text = page.read_text(encoding="utf-8")
    for name in FIGURES:
        content = (tmp_path / "run" / "figures" / f"{name}.png").read_bytes()
        assert content.startswith(PNG)
        assert base64.b64encode(content).decode() in text


def test_the_page_says_what_was_matched_and_searched():
    plain = Page(render(comparison(), FIGURES)).text
    assert "batch size are the same. So are the widths." in plain
    matched = Page(render(comparison(match="multiply-adds", search="lr"), FIGURES)).text
    assert "so that their multiply-adds agree within 3%" in matched
    assert "searched for each on the same grid" in matched
    assert ", learning rate" not in matched


def test_a_page_of_a_run_that_still_learns_warns_and_says_between_whom():
    found = comparison(seeds=(0, 1, 2), epochs=1)
    page = Page(render(found, FIGURES))
    assert {"class": "answer warning"} in page.all("div")
    assert "Still learning: the order may change" in page.text
    rows = [line for line in page.cells if "still learning" in line]
    assert len(rows) == 4
    assert {line[-2] for line in rows} == {""}  # more seeds would not help
    rest = Page(render(comparison(seeds=(0, 1, 2), epochs=12), FIGURES))
    assert {"class": "answer"} in rest.all("div")
    assert "till learning" not in rest.text


def test_the_margin_is_shown_where_one_was_stated():
    stated = Page(render(comparison(seeds=(0, 1, 2), epochs=12, margin=0.25), FIGURES))
    assert "equal within 0.25 nats/pixel, the margin stated before the run" in stated.text
    assert sum("equal within 0.25" in line for line in stated.cells) == 4
    assert "margin" not in Page(render(comparison(seeds=(0, 1, 2), epochs=12), FIGURES)).text


def test_times_say_what_was_timed():
    plain = Page(render(comparison(), FIGURES)).text
    assert "from the code to the output" in plain
    assert "Training: wall time" in plain
    tutorials = Page(render(comparison(experiment="published", workers="2"), FIGURES)).text
    assert "through the whole network" in tutorials
    assert "none is shown" in tutorials
    assert "Training: wall time" not in tutorials
