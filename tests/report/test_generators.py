"""Reports of generators: KID decides, nothing speaks of reconstructions, failures are said."""

import csv
import dataclasses
import io
import math
import re

import numpy as np
import pytest

from polyphase.report import answer, learning_curves, render, text_columns, write, write_paper
from polyphase.report.figures import neighbours, samples
from polyphase.report.paper import texts
from polyphase.report.spectra import spectra
from polyphase.report.table import DASH, columns
from tests.report.synthetic import TROUBLE, comparison, film, generators
from tests.report.test_page import PNG, Page

FIGURES = dict.fromkeys(
    ("learning-curves", "samples", "neighbours", "spectra", "checkerboards"), PNG
)
UNFIT = re.compile(
    "PSNR|SSIM|reconstruct|validation loss|nats/pixel|original|error map|encoder", re.I
)


def page(found, **more):
    return Page(render(found, FIGURES, **more))


def words(found):
    return " ".join(page(found).text.split())


def headings(found):
    return [column.heading for column in columns(found)]


def test_the_table_has_the_measures_of_made_images_and_the_training_images_have_theirs():
    found = generators(seeds=(0,))
    assert headings(found) == [
        "KID", "FID", "precision", "recall", "modes", "reverse KL, nats",
        "spectral distance, decades", "nearness", "parameters",
        "multiply-adds, as written, and computed", "training, s/epoch",
        "inference, \N{MICRO SIGN}s/image",
    ]  # fmt: skip
    said = {column.name: column.says for column in columns(found)}
    assert (said["KID"], said["FID"], said["nearness"]) == ("decides", "describes", "0: copies")
    trial, last = found.trials[0], [column.cells[-1].text for column in columns(found)]
    first = [column.cells[0].text for column in columns(found)]
    assert last == ["0.0004", "0.42", "0.93", "0.91", "10", "0.004", "0.020", "0.00", *[""] * 4]
    assert first[0] == f"{trial.validation_loss:.4f}"
    assert first[2:5] == [
        f"{trial.imitation.precision:.2f}",
        f"{trial.imitation.recall:.2f}",
        str(trial.imitation.modes),
    ]


def test_the_terminal_has_a_table_of_eighty_columns():
    found = generators()
    names, lines = text_columns(found)
    assert names == ["decoder", "KID", "FID", "precision", "recall", "parameters"]
    widths = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(names, *lines, strict=True)
    ]
    assert sum(widths) + 2 * len(widths) <= 80


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_page_speaks_of_made_images_only(seeds, channels):
    found = page(generators(seeds, channels=channels))
    assert found.open == []
    shown = found.text + " ".join(image["alt"] for image in found.all("img"))
    assert UNFIT.findall(shown) == []
    assert "Which decoder imitates MNIST best?" in shown
    assert len(found.all("img")) == len(FIGURES)
    assert all(len(image["alt"]) > 60 for image in found.all("img"))
    assert not [one for one in found.all("div") if one.get("id") == "wipe"]


def test_every_measure_has_its_note():
    found = page(generators())
    described = words(generators())
    for note in (
        "those of a small classifier, not of Inception, so it is not comparable with published",
        "polyphase digits classifier. It classifies 97.8% of the validation images",
        "SHA-256 of its weights: 5f5f5f5f5f5f.", "Precision", "Recall", "Modes", "Reverse KL",
        "Spectral distance", "Nearness", "0: copies",
        "is blurred: it blurs images before it halves them", "with the relativistic loss",
        "penalties R1 and R2 on the discriminator\N{RIGHT SINGLE QUOTATION MARK}s gradients "
        "(weight 0.05)",
        "Penalties R1 and R2weight 0.05", "Discriminatorblurred",
    ):  # fmt: skip
        assert note in described, note
    assert {"aria-label": "Table of costs", "class": "scroll"}.items() <= next(
        one for one in found.all("div") if one.get("aria-label") == "Table of costs"
    ).items()


def test_a_classifier_whose_accuracy_differs_between_runs_is_said():
    config = {"classifier": {"name": "x", "accuracy": "0.9 in a, 0.8 in b", "sha256": "ab" * 32}}
    assert "is not one number" in words(generators(seeds=(0,), **config))
    assert "is not one number" not in words(generators(seeds=(0,)))
    few = ("task", "loss", "penalty", "discriminator")
    found = generators(seeds=(0,))
    bare = dataclasses.replace(found, config={name: found.config[name] for name in few})
    assert "Not named" in words(bare)


def test_no_sentence_has_a_gap_where_the_unit_would_be():
    for found in (
        generators((0,)),
        generators((0, 1)),
        generators((0, 1, 2)),
        generators((0, 1, 2), epochs=1),
        generators((0, 1, 2), margin=0.5),
        generators((0, 1, 2), differences=["epochs (1 in a, 2 in b)"]),
        generators((0,), decoders=("nearest",)),
    ):
        said = " ".join(answer(found))
        assert UNFIT.findall(said) == []
        assert not re.search(r" [,.;:]|  ", said), said
        assert not re.search(r" [,.;:]", words(found)), re.findall(r".{20} [,.;:]", words(found))


def test_the_answer_names_kid():
    found = generators((0,))
    best = found.of("nearest")[0].validation_loss
    assert answer(found)[1].startswith(f"Its KID is {best:.4f}; transposed-4 is next, ")
    assert answer(found)[-1] == "For comparison, the KID of training images: 0.0004."
    moving = answer(generators((0, 1, 2), epochs=1))
    assert moving[1] == "No winner is named: one epoch does not show how far KID still falls."
    assert moving[2].startswith("nearest ended lowest: KID 0.")


def test_a_failed_training_is_said_with_its_trouble_and_left_out():
    found = generators(failed=(("transposed-4", 0), ("transposed-4", 2), ("subpixel", 1)))
    said = answer(found)
    assert f"transposed-4 did not train with two of three seeds: {TROUBLE}." in said
    assert f"subpixel did not train with one of three seeds: {TROUBLE}." in said
    assert said[0].startswith("nearest reached a KID of 0.02")
    lost = dataclasses.replace(found.trials[1].history[-1], loss=math.nan)
    trial = dataclasses.replace(found.trials[1], history=(lost,))
    both = dataclasses.replace(found, trials=(found.trials[0], trial, *found.trials[2:]))
    assert (
        "transposed-4 did not train with two of three seeds: a loss is not finite (1) and "
        f"{TROUBLE} (1)." in answer(both)
    )
    table = page(found).cells
    (line,) = [line for line in table if line[0] == "transposed-4" and "not finite" in line]
    assert line[1:] == ["not finite"] * 8
    assert [line.get_label() for line in spectra(found).axes[0].lines] == [
        "nearest", "transposed-4", "subpixel", "training images",
    ]  # fmt: skip
    assert len(neighbours(found).axes) == 5 * 8  # none below those of transposed-4


def test_nothing_is_concluded_and_everything_is_drawn_if_every_training_failed(tmp_path):
    found = generators((0,), decoders=("nearest",), failed=(("nearest", 0),))
    assert answer(found) == [
        "No decoder trained.", f"nearest did not train: {TROUBLE}.",
    ]  # fmt: skip
    (trial,) = found.trials
    nothing = np.full_like(trial.reconstructions, np.nan)
    board = dataclasses.replace(
        trial.checkerboard,
        mean_error=np.full((2, 2), np.nan),
        bias=math.nan,
        spectrum=np.full(15, np.nan),
        stages=(),
        harmonics=np.full((4, 4), np.nan),
    )
    trial = dataclasses.replace(trial, reconstructions=nothing, checkerboard=board)
    text = write(dataclasses.replace(found, trials=(trial,)), tmp_path).read_text(encoding="utf-8")
    assert "nearest did not train" in text


def test_kid_may_be_negative():
    found = generators(lower=0.03)
    assert found.of("nearest")[0].validation_loss < 0
    figure = learning_curves(found)
    whole = figure.axes[0]
    assert whole.get_yscale() == "linear"
    assert whole.get_ylabel() == "KID"
    assert whole.get_ylim()[0] < min(trial.validation_loss for trial in found.trials)
    line = next(line for line in whole.lines if line.get_label() == "nearest")
    mean = np.mean([trial.validation_losses for trial in found.of("nearest")], axis=0)
    np.testing.assert_allclose(line.get_ydata(), mean)
    assert answer(found)[0].startswith("nearest had the lowest KID: -0.00")
    places = re.findall(r'<s style="left:([-\d.]+)%', render(found, FIGURES))
    assert len(places) == 9
    assert all(0 <= float(place) <= 100 for place in places)


def test_samples_stand_below_the_test_images_and_above_their_neighbours():
    found = generators((4, 5))
    axes = samples(found).axes
    assert [axes[8 * row].texts[0].get_text() for row in range(4)] == [
        "test images", *found.decoders,
    ]  # fmt: skip
    assert len(axes) == 4 * 8
    assert not any(cell.get_title() for cell in axes)  # classes are not those of the samples
    first = found.of("subpixel")[0]
    np.testing.assert_array_equal(axes[24].images[0].get_array(), first.reconstructions[0, ..., 0])
    axes = neighbours(found).axes
    assert len(axes) == 6 * 8
    np.testing.assert_array_equal(axes[35].images[0].get_array(), first.reconstructions[3, ..., 0])
    np.testing.assert_array_equal(
        axes[43].images[0].get_array(), first.imitation.neighbours[3, ..., 0]
    )


def test_spectra_are_means_over_the_seeds_with_their_range_and_the_training_images_dashed():
    found = generators()
    (axes,) = spectra(found).axes
    lines = {line.get_label(): line for line in axes.lines}
    powers = [trial.imitation.spectrum for trial in found.of("nearest")]
    np.testing.assert_allclose(lines["nearest"].get_ydata(), np.mean(powers, axis=0))
    np.testing.assert_allclose(lines["nearest"].get_xdata(), np.arange(1, 15) / 28)
    assert lines["training images"].get_linestyle() == "--"
    assert axes.get_yscale() == "log"
    assert len(axes.collections) == 3
    assert len(spectra(generators((0,))).axes[0].collections) == 0


def test_films_are_shown_moving_and_as_their_last_frame_where_no_motion_is_wanted():
    found = page(generators((0,)), films={"subpixel": film(), "of nobody": film()})
    (source,) = found.all("source")
    assert source["media"] == "(prefers-reduced-motion: reduce), print"
    assert source["srcset"].startswith("data:image/png;base64,")
    (moving,) = [one for one in found.all("img") if "webp" in one["src"]]
    assert moving["src"].startswith("data:image/webp;base64,")
    assert "subpixel" in moving["alt"]
    assert "details" not in {tag for tag, _ in page(generators((0,))).tags}


def test_films_of_the_first_seed_are_read_from_the_folder_of_the_run(tmp_path):
    found = generators((3, 4), decoders=("nearest", "subpixel"))
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "subpixel-seed3.webp").write_bytes(film())
    (tmp_path / "samples" / "nearest-seed4.webp").write_bytes(film())
    text = write(found, tmp_path).read_text(encoding="utf-8")
    assert text.count("data:image/webp;base64,") == 1
    assert "The images that subpixel makes" in text
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)


def test_names_from_outside_are_escaped():
    found = generators((0,), classifier={"name": "<q>judge", "accuracy": 0.5, "sha256": "<tt>" * 9})
    hostile = '"><u onload=x>'
    trials = tuple(dataclasses.replace(t, decoder=f"{hostile}{t.decoder}") for t in found.trials)
    named = dataclasses.replace(found, trials=trials)
    found = page(named, films={named.decoders[0]: film()})
    assert {tag for tag, _ in found.tags}.isdisjoint({"u", "q", "tt"})
    assert found.text.count(hostile) > 3
    assert "<q>judge" in found.text


def test_a_paper_has_the_measures_of_generators_and_their_works(tmp_path):
    found = generators(failed=(("subpixel", 1),))
    write_paper(found, tmp_path / "paper")
    assert {path.name for path in (tmp_path / "paper").iterdir()} == {
        "curves.pdf", "samples.pdf", "neighbours.pdf", "spectra.pdf", "checkerboards.pdf",
        "table.tex", "table.csv", "trials.csv", "caption.txt", "references.bib",
    }  # fmt: skip
    written = texts(found)
    for name in ("table.tex", "table.csv", "trials.csv", "caption.txt"):
        assert UNFIT.findall(written[name]) == [], name
        assert "[]" not in written[name]
    assert "discriminator blurred; penalties R1 and R2 weight 0.05" in written["caption.txt"]
    trials = list(csv.DictReader(io.StringIO(written["trials.csv"], newline="")))
    assert float(trials[0]["reverse_kl [nats]"]) == found.trials[0].imitation.reverse_kl
    *decoders, baseline = csv.DictReader(io.StringIO(written["table.csv"], newline=""))
    modes = [trial.imitation.modes for trial in found.of("nearest")]
    assert float(decoders[0]["modes mean"]) == pytest.approx(sum(modes) / 3)
    assert (decoders[2]["fid mean"], float(baseline["fid mean"])) == ("nan", 0.42)
    for work in ("1801.01401", "1904.06991", "2501.05441"):
        assert work in written["references.bib"]
        assert work not in texts(comparison((0,)))["references.bib"]
    assert "structural" not in written["references.bib"]
    assert written["references.bib"].count("{") == written["references.bib"].count("}")


def test_one_seed_has_no_spread():
    found = page(generators((2,)))
    assert not any(DASH in cell for line in found.cells for cell in line)
    assert "band" not in words(generators((2,)))
    assert "band from the least to the greatest" in words(generators((2, 3)))
