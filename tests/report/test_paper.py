"""What a paper takes: figures that can be read in print, tables that say what the run says."""

import csv
import dataclasses
import io
import re
import zlib

import matplotlib
import numpy as np
import pytest
from scipy.stats import t as student

from polyphase.report import write_paper
from polyphase.report.latex import escaped
from polyphase.report.paper import texts
from polyphase.report.table import DASH, checkerboard_columns, columns
from tests.report.synthetic import FLOOR, comparison

FIGURES = {"curves.pdf": 3.3, "reconstructions.pdf": 7, "errors.pdf": 7, "checkerboards.pdf": 7}
TEXTS = ("table.tex", "table.csv", "trials.csv", "caption.txt", "references.bib")
HOSTILE = (
    "a_b & c % d", "[x] $y$ #1", "*~^\\input{/etc/passwd}", 'say "hi", `who`', "line\nbreak\x00",
    "}{ | <>", "a--b",
)  # fmt: skip


def renamed(found, names):
    """Return a comparison whose decoders have these names."""
    called = dict(zip(found.decoders, names, strict=True))
    trials = [dataclasses.replace(one, decoder=called[one.decoder]) for one in found.trials]
    config = found.config | {"names": {new: old for old, new in called.items()}}
    return dataclasses.replace(found, trials=tuple(trials), config=config)


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def streams(pdf):
    """Return the contents of a PDF that are compressed, as far as they are text."""
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            yield zlib.decompress(found[1])
        except zlib.error:
            continue


def balanced(text):
    """Whether braces are balanced as TeX counts them: those after a backslash do not count."""
    depth = 0
    for sign in re.sub(r"\\.", "", text):
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    return depth == 0


def test_the_files_are_the_same_twice_and_nothing_global_changes(tmp_path):
    before = dict(matplotlib.rcParams)
    for name in ("one", "two"):
        write_paper(comparison(seeds=(0, 1), decoders=("nearest",)), tmp_path / name)
    assert dict(matplotlib.rcParams) == before
    assert {path.name for path in (tmp_path / "one").iterdir()} == {*FIGURES, *TEXTS}
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("epochs", "names"),
    [(2, ("nearest", "subpixel")), (8, ("one: nearest", "mypackage.decoders:a_very_long_name"))],
)
def test_figures_have_the_width_of_print_and_text_of_seven_points(tmp_path, epochs, names):
    found = comparison(seeds=(0, 1), epochs=epochs, decoders=("nearest", "subpixel"))
    write_paper(renamed(found, names), tmp_path / "paper")
    for name, inches in FIGURES.items():
        pdf = (tmp_path / "paper" / name).read_bytes()
        left, low, right, high = map(float, re.search(rb"/MediaBox \[([^]]*)\]", pdf)[1].split())
        assert (left, low) == (0, 0)
        assert right == pytest.approx(72 * inches, abs=0.01)
        assert high < 72 * 9
        assert set(re.findall(rb"/Subtype /(\w*Type\w+)", pdf)) == {b"Type0", b"CIDFontType2"}
        assert b"/FontFile2" in pdf
        assert b"CreationDate" not in pdf
        sizes = [float(size) for part in streams(pdf) for size in re.findall(rb"([\d.]+) Tf", part)]
        assert min(sizes) >= 7, name


def test_the_table_has_the_cells_of_the_page():
    found = comparison(seeds=(0, 1, 2))
    text = texts(found)["table.tex"]
    for column in [*columns(found), *checkerboard_columns(found)]:
        for cell in column.cells:
            assert f"& {cell.value.replace(DASH, '--')} " in text
            if cell.spread:
                assert f"& \\scriptsize {cell.spread.replace(DASH, '--')} " in text
    assert r"\label{tab:polyphase}" in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") >= 1


def test_two_decoders_have_the_interval_of_the_paired_t_test():
    found = comparison(seeds=(0, 1, 2, 3), decoders=("nearest", "bilinear"), apart=3.0)
    losses = np.array([[t.validation_loss for t in found.of(name)] for name in found.decoders])
    better, worse = sorted(range(2), key=lambda index: losses[index].mean())
    behind = losses[worse] - losses[better]
    half = student.ppf(0.975, 3) * behind.std(ddof=1) / 2
    best = found.decoders[better]
    text = texts(found)["table.tex"]
    low, high = (f"{behind.mean() + s * half:.4f}".replace("-", "$-$") for s in (-1, 1))
    assert f"& {behind.mean():.4f} " in text
    assert f"\\scriptsize {low} to {high} " in text
    assert f" & {best} " in text
    lines = {line["decoder"]: line for line in read(texts(found)["table.csv"])}
    line = lines[found.decoders[worse]]
    numbers = [float(line[f"behind {key} [nats/pixel]"]) for key in ("mean", "low", "high")]
    mean = behind.mean()
    np.testing.assert_allclose(numbers, [mean, mean - half, mean + half], rtol=1e-3)
    assert lines[best]["behind mean [nats/pixel]"] == ""


def test_tables_of_numbers_have_every_digit_and_their_units():
    found = comparison(seeds=(0, 1, 2))
    trials = read(texts(found)["trials.csv"])
    assert [(one["decoder"], int(one["seed"])) for one in trials] == [
        (one.decoder, one.seed) for one in found.trials
    ]
    for line, trial in zip(trials, found.trials, strict=True):
        assert float(line["validation_loss [nats/pixel]"]) == trial.history[-1].validation_loss
        assert float(line["inference_seconds [s]"]) == trial.inference_seconds
        assert float(line["psnr [dB]"]) == trial.psnr
        assert int(line["parameters"]) == trial.parameters
        assert float(line["periodic_bias [image range]"]) == trial.checkerboard.bias
    for line in read(texts(found)["table.csv"]):
        values = [trial.psnr for trial in found.of(line["decoder"])]
        mean, least, most = (float(line[f"psnr {k} [dB]"]) for k in ("mean", "least", "greatest"))
        assert mean == pytest.approx(sum(values) / 3, rel=1e-14)
        assert (least, most) == (min(values), max(values))
        assert int(line["parameters"]) == found.of(line["decoder"])[0].parameters
        assert int(line["seeds"]) == 3
        assert float(line["floor [nats/pixel]"]) == FLOOR


def test_names_come_back_from_the_tables_as_they_are():
    names = ("a,b", 'say "hi"', "two\nlines", " ü ", "=1+1")
    written = texts(renamed(comparison(seeds=(0,)), names))
    for name in ("table.csv", "trials.csv"):
        assert [line["decoder"] for line in read(written[name])] == list(names)
        assert written[name].count("\r\n") == 6


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_names_run_nothing_in_latex(seeds):
    found = renamed(comparison(seeds=seeds), HOSTILE[:5])
    found.config["data"]["name"] = "\\end{table*} 100% \n\\input{x}"
    text = texts(found)["table.tex"]
    _, body = text.split("\n", 1)  # the first line is a comment
    assert balanced(body)
    assert body.count("\\begin") == body.count("\\end") == 1 + body.count(r"\begin{tabular}")
    assert not re.search(r"(?<!\\)[%#]|\\input", body)
    for tabular in re.findall(r"\\begin\{tabular\}\{(l r*|lr*)\}(.*?)\\end", body, re.DOTALL):
        lines = [line for line in tabular[1].splitlines() if line.endswith(r" \\")]
        assert len(lines) > 5
        assert not [line for line in lines if re.match(r"\s*[*\[]", line)]
        for line in lines:
            assert len(re.findall(r"(?<!\\)&", line)) == tabular[0].count("r"), line


@pytest.mark.parametrize("name", HOSTILE)
def test_every_sign_is_shown(name):
    """Undo the escapes one by one, by a list of our own."""
    shown = escaped(name)
    assert balanced(shown)
    for command, sign in {
        "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<",
        "textgreater": ">", "textbar": "|", "textasciigrave": "`",
    }.items():  # fmt: skip
        shown = shown.replace(f"\\{command}{{}}", f"\x01{ord(sign)}\x02")
    shown = re.sub(r"\\([{}$&#_%])", lambda found: f"\x01{ord(found[1])}\x02", shown)
    shown = re.sub(r"\{([\[\]*]?)\}", r"\1", shown).replace("''", '"')
    assert "\\" not in shown
    shown = re.sub("\x01(\\d+)\x02", lambda found: chr(int(found[1])), shown)
    assert shown == name.replace("\n", " ").replace("\x00", "")


def test_captions_say_what_the_run_supports():
    several = texts(comparison(seeds=(0, 1, 2)))["caption.txt"]
    assert "95% confidence interval" in several
    assert "Mean over 3 seeds" in several
    assert "The same for every decoder: data; seeds; epochs 8; batch size 1,280" in several
    for word in ("keras 3.15.1", "0, 1, 2", "48,000 train", "731c5ac6", "polyphase compare"):
        assert word in several
    single = texts(comparison(seeds=(4,)))["caption.txt"]
    assert "confidence" not in single
    assert "band" not in single
    assert "one seed per decoder names no winner" in single
    assert "seed 4" in single


def test_captions_of_what_differs():
    searched = comparison(
        decoders=("nearest", "bilinear"),
        learning_rate={"nearest": 0.001, "bilinear": 0.01},
        search="lr",
        match="parameters",
    )
    text = texts(searched)["caption.txt"]
    assert "The same for every decoder: data; seeds; epochs 8; batch size 1,280. Not" in text
    assert "Not the same: learning rate nearest 0.001, bilinear 0.01." in text
    assert "Widths were chosen so that parameters agree." in text
    joined = comparison(seeds=(0, 1, 2), differences=["epochs (1 in a, 2 in b)"])
    text = texts(joined)["caption.txt"]
    assert "The same for every decoder" not in text
    assert "epochs (1 in a, 2 in b)" in text
    assert "95%" not in text
    assert "behind" not in texts(joined)["table.tex"]


@pytest.mark.parametrize(
    ("decoders", "config", "used", "unused"),
    [
        (("nearest",), {}, ("Keras", "JAX", "artifacts", "SSIM|structural"),
         ("PyTorch", "TensorFlow", "sub-pixel", "digits", "document", "1412.6980")),
        (("subpixel",), {"optimizer": "adam"}, ("1609.05158", "1707.02937", "1412.6980"),
         ("1905.02188", "2308.15085")),
        (("nearest",), {"names": {"nearest": "carafe"}}, ("1905.02188",), ("2308.15085",)),
        (("nearest",), {"names": {"nearest": "dysample"}}, ("2308.15085",), ("1905.02188",)),
        (("nearest",), {"data": {"source": "digits"}}, ("Alpaydin",), ("LeCun",)),
        (("nearest",), {"data": {"source": "mnist"}}, ("LeCun",), ("Alpaydin",)),
        (("nearest",), {"data": {"source": "/x/mnist.npz", "sha256": "0"}}, (), ("LeCun",)),
        (("nearest",), {"versions": {"keras": "4}{\\x", "torch": "2.13"}},
         ("PyTorch", "Version 4x", "Version 2.13"), ("JAX",)),
    ],
)  # fmt: skip
def test_references_are_what_the_run_uses(decoders, config, used, unused):
    text = texts(comparison(seeds=(0,), decoders=decoders, **config))["references.bib"]
    assert text.count("{") == text.count("}")  # BibTeX counts every brace
    keys = re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)
    assert len(keys) == len(set(keys)) == text.count("@")
    for word in used:
        assert re.search(word, text), word
    for word in unused:
        assert not re.search(word, text), word


def test_many_decoders_and_none_that_trained():
    found = comparison(seeds=(0, 1, 2), decoders=("nearest", "bilinear"), epochs=2)
    trials = [
        dataclasses.replace(one, decoder=f"{one.decoder}-{index}")
        for index in range(6)
        for one in found.trials
    ]
    lost = dataclasses.replace(trials[0].history[-1], validation_loss=float("nan"))
    trials[0] = dataclasses.replace(trials[0], history=(lost, lost))
    found = dataclasses.replace(found, trials=tuple(trials))
    written = texts(found)
    assert "the 10 decoders with the lowest loss" in written["caption.txt"]
    assert "nearest-0 did not train" in written["caption.txt"]
    assert "not finite" in written["table.tex"]
    assert len(read(written["table.csv"])) == 12


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "paper").mkdir()
    with pytest.raises(FileExistsError):
        write_paper(comparison(seeds=(0,)), tmp_path / "paper")
    assert list((tmp_path / "paper").iterdir()) == []
