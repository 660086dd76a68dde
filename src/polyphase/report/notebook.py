"""Show a finished comparison in a notebook: its answer and its table."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from polyphase.report.findings import answer
from polyphase.report.table import circumstances, markdown, text_columns
from polyphase.workbench.evidence import load
from polyphase.workbench.results import Comparison


@dataclass(frozen=True, eq=False)
class Shown:
    """A finished comparison that prints itself, and shows itself in a notebook.

    Attributes:
        comparison: everything that was measured.
    """

    comparison: Comparison

    def __str__(self) -> str:
        return "\n".join([*answer(self.comparison), "", markdown(self.comparison)])

    def _repr_html_(self) -> str:
        heads, rows = text_columns(self.comparison)
        lines = [_line("th", heads), *(_line("td", row) for row in rows)]
        said = "".join(f"<p>{escape(one)}</p>" for one in answer(self.comparison))
        note = f"<p><small>{escape(circumstances(self.comparison))}</small></p>"
        return f"{said}<table>{''.join(lines)}</table>{note}"


def _line(tag: str, cells: list[str]) -> str:
    """Return a line of the table; what stands below a number in the terminal does so here."""
    left = ["left"] + ["right"] * (len(cells) - 1)
    shown = (
        f"<{tag} style='text-align:{side}'>{escape(cell).replace(chr(10), '<br>')}</{tag}>"
        for side, cell in zip(left, cells, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def shown(run: str | Path) -> Shown:
    """Return a finished run of `polyphase compare` to look at in a notebook.

    Args:
        run: the folder of the run.

    Raises:
        ConfigError: if it is not a finished comparison, or if it is damaged.
    """
    return Shown(load(Path(run)))
