"""Tables and sentences on the terminal."""

import textwrap
from collections.abc import Sequence

import typer
from rich.table import Table

from polyphase.cli.terminal import console


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], note: str, text: int = 1
) -> None:
    """Print a table to stdout; the first `text` columns are text, the others are numbers.

    If the numbers do not fit, every row is written as a sentence instead, so nothing is cut off.
    """
    out = console()
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(len(line) for cell in one for line in cell.split("\n")) for one in columns]
    least = [len(header) for header in headers[:text]] + widths[text:]
    if sum(least) + 2 * len(least) <= out.width:
        out.print(table(headers, rows, text))
    else:
        for name, *cells in rows:
            typer.echo(name)
            named = [pair for pair in zip(headers[1:], cells, strict=True) if pair[1]]
            print_sentences("; ".join(map(_named, named)), indent="  ")
    out.print()
    print_sentences(note)


def _named(pair: tuple[str, str]) -> str:
    """Return `heading, unit: value (spread)` of a heading and a cell of up to two lines."""
    heading, (value, *spread) = pair[0].replace("\n", ", "), pair[1].split("\n")
    return f"{heading}: {value}" + "".join(f" ({one})" for one in spread)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> Table:
    """Return a table whose first `text` columns are text that may be broken."""
    made = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False)
    for index, header in enumerate(headers):
        is_text = index < text
        made.add_column(
            header,
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=not is_text,
        )
    for row in rows:
        made.add_row(*row)
    return made


def print_sentences(text: str, indent: str = "") -> None:
    """Print paragraphs to stdout in lines of the terminal's width; names and words stay whole."""
    wrapper = textwrap.TextWrapper(
        console().width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for paragraph in text.split("\n"):
        typer.echo(wrapper.fill(paragraph))
