"""Tables on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], note: str, text: int = 1
) -> None:
    """Print a table to stdout; the first `text` columns are text, the others are numbers."""
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False)
    for index, header in enumerate(headers):
        is_text = index < text
        table.add_column(
            header,
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=not is_text,
        )
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    print_note(f"\n{note}")


def print_note(note: str) -> None:
    """Print paragraphs to stdout, as wide as the terminal."""
    Console().print(note, highlight=False, markup=False)
