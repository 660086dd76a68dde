"""`polyphase runs` and `polyphase report`: list runs, and write their pages again."""

import math
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from polyphase.cli.errors import fail, one_line_errors
from polyphase.cli.tables import print_sentences, table
from polyphase.cli.terminal import console


@one_line_errors
def runs(
    folder: Annotated[Path, typer.Argument(help="Where the run folders are.")] = Path("runs"),
) -> None:
    """List runs: what was compared, on which data, and which decoder ended with the lowest loss.

    Example:

        polyphase runs
    """
    from polyphase.workbench.listing import run_folders

    if not folder.is_dir():
        raise fail(f"There is no folder {folder}. Give the folder that holds your runs.")
    found = run_folders(folder)
    if not found:
        typer.echo(f"There is no run in {folder}. Make one: polyphase compare")
        return
    _print([_row(one) for one in found])
    typer.echo()
    print_sentences(
        "To write a page again: polyphase report RUN. For one page of several runs: polyphase "
        "report RUN RUN."
    )


_HEADERS = ["run", "began", "data", "decoders", "seeds", "epochs", "lowest loss"]
_TEXT = 4  # columns of text


def _print(rows: list[list[str]]) -> None:
    """Print a table where it fits, and otherwise every name on a line of its own, to be copied."""
    out = console()
    columns = list(zip(_HEADERS, *rows, strict=True))
    least = [max(map(len, cells)) for cells in columns[:1] + columns[_TEXT:]]
    words = [
        max(len(word) for cell in cells for word in cell.split()) for cells in columns[1:_TEXT]
    ]
    if sum(least) + sum(words) + 2 * len(columns) <= out.width:
        whole = table(_HEADERS, rows, text=_TEXT)
        whole.columns[0].no_wrap = True
        out.print(whole)
        return
    for name, *facts in rows:
        typer.echo(name)
        named = zip(_HEADERS[1:], facts, strict=True)
        print_sentences("; ".join(f"{key} {fact}" for key, fact in named if fact), indent="  ")


def _row(folder: Path) -> list[str]:
    from polyphase.workbench import ConfigError
    from polyphase.workbench.listing import read_run

    try:
        config, finals, learning = read_run(folder)
    except ConfigError as error:
        typer.echo(f"Damaged: {error}", err=True)
        return [folder.name, *[""] * 5, "damaged"]
    trained = [line for line in finals if math.isfinite(line["validation_loss"])]
    best = min(trained, key=lambda line: line["validation_loss"], default=None)
    if best:
        lowest = f"{best['validation_loss']:.4f} {best['decoder']}{', still learning' * learning}"
    else:
        lowest = "unfinished" if folder.suffix == ".partial" else "no finite loss" * bool(finals)
    return [
        folder.name,
        f"{datetime.fromisoformat(config['started']):%Y-%m-%d %H:%M}",
        config["data"]["name"],
        ", ".join(config["decoders"]),
        str(len(config["seeds"])),
        " ".join(map(str, sorted(set(config["epochs"].values())))),
        lowest,
    ]


@one_line_errors
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of finished comparisons.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the page.", show_default="runs/report-DATE-TIME"),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper", help="Also write figures, tables, captions and references for a paper."
        ),
    ] = False,
) -> None:
    """Write the page of a finished comparison again, or one page of several comparisons.

    Several comparisons must have been made with the same data. If they differ in more than their
    decoders (epochs, seeds, versions, ...), the page lists the differences and names no winner.
    Nothing is trained, and the runs stay as they are. With --paper, the folder `paper` beside the
    page holds PDF figures, tables in LaTeX and CSV, captions and BibTeX.

    Examples:

        polyphase report runs/compare-20260101-120000

        polyphase report runs/compare-20260101-120000 --paper

        polyphase report runs/compare-20260101-120000 runs/compare-20260102-120000
    """
    from polyphase.report import answer, write, write_paper
    from polyphase.workbench import default_folder
    from polyphase.workbench.evidence import load
    from polyphase.workbench.joining import joined
    from polyphase.workbench.runs import run_folder

    target = out or default_folder("report")
    command = shlex.join(["polyphase", *sys.argv[1:]])
    found = [load(folder) for folder in folders]
    comparison = joined(folders, found, command) if len(found) > 1 else found[0]
    with run_folder(target) as folder:
        if len(folders) == 1 and (folders[0] / "samples").is_dir():
            shutil.copytree(folders[0] / "samples", folder / "samples")
        write(comparison, folder)
        if paper:
            write_paper(comparison, folder / "paper")
    print_sentences("\n".join(answer(comparison)))
    typer.echo(f"Page: {target / 'report.html'}")
    if paper:
        typer.echo(f"Paper: {target / 'paper'}")
