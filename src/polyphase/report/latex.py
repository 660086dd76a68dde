r"""Columns as a LaTeX table, and any text as LaTeX that shows it."""

import re
import textwrap
from collections.abc import Sequence

from polyphase.report.style import plain
from polyphase.report.table import Cell, Column

_LINE = 115  # signs of 8 points in a line of 7 inches, two for the space between columns
_HEADING = 13  # signs in a line of a heading
_NAME = 40  # signs of a decoder's name

_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "''",
    "[": "{[}",  # after \\ it would begin an argument, and * would be a part of it
    "]": "{]}",
    "*": "{*}",
    "-": "-{}",  # two would become a dash
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MICRO SIGN}": r"$\mu$",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
} | {sign: f"\\{sign}" for sign in "{}$&#_%"}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SPECIAL = re.compile(
    r"(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(?P<minus>(?<![^\s(])-(?=\d))|-(?=-)|"
    f"[{re.escape(''.join(sign for sign in _SIGNS if sign != '-'))}]"
)


def escaped(text: str) -> str:
    r"""Return LaTeX that shows a text on one line, whatever it is; it runs nothing.

    Letters that LaTeX does not know by itself stay: XeLaTeX and LuaLaTeX have them.

    Example:
        >>> print(escaped("50% of a_b -- at 10⁻³"))
        50\% of a\_b -{}- at 10$^{-3}$
        >>> print(escaped("-0.5 to 2"))
        $-$0.5 to 2
    """
    return _SPECIAL.sub(_sign, plain(text, len(text)))


def _sign(found: re.Match[str]) -> str:
    if found["raised"]:
        return f"$^{{{found['raised'].translate(_RAISED)}}}$"
    return "$-$" if found["minus"] else _SIGNS[found[0]]


def table(names: Sequence[str], columns: Sequence[Column], caption: str, label: str) -> str:
    r"""Return a `table*` of the package booktabs, as wide as two columns of print at most.

    Numbers of a column have the same decimals and end at its right edge, so that their points
    stand below each other. Columns that do not fit beside each other follow below.

    Args:
        names: of the rows.
        columns: with a cell for each row.
        caption: plain text.
        label: what `\ref` takes.
    """
    parts = [_tabular(names, part) for part in _that_fit(names, columns)]
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            f"\\caption{{{escaped(caption)}}}",
            f"\\label{{{label}}}",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            "\n\n\\medskip\n\n".join(parts),
            r"\end{table*}",
            "",
        ]
    )


def _that_fit(names: Sequence[str], columns: Sequence[Column]) -> list[list[Column]]:
    """Divide columns, in their order, into tables that are not wider than a line."""
    first = max(len(plain(name, _NAME)) for name in names)
    parts: list[list[Column]] = [[]]
    used = first
    for column in columns:
        wide = 2 + max(map(len, [*_heading(column), *_texts(column.cells)]))
        if parts[-1] and used + wide > _LINE:
            parts.append([])
            used = first
        parts[-1].append(column)
        used += wide
    return parts


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [text for cell in cells for text in (cell.value, cell.spread)]


def _heading(column: Column) -> list[str]:
    """Return the lines of a heading: the name, then the unit."""
    return [*textwrap.wrap(column.name, _HEADING), *textwrap.wrap(column.unit, _HEADING)]


def _tabular(names: Sequence[str], columns: Sequence[Column]) -> str:
    headings = [_heading(column) for column in columns]
    tall = max(map(len, headings))
    raised = [[""] * (tall - len(lines)) + lines for lines in headings]
    lines = [
        _row("decoder" * (index == tall - 1), [one[index] for one in raised])
        for index in range(tall)
    ]
    body = []
    for index, name in enumerate(names):
        cells = [column.cells[index] for column in columns]
        body.append(_row(plain(name, _NAME), [cell.value for cell in cells]))
        if any(cell.spread for cell in cells):
            body.append(_row("", [cell.spread for cell in cells], r"\scriptsize "))
    return "\n".join(
        [
            f"\\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"\toprule",
            *lines,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _row(name: str, texts: Sequence[str], style: str = "") -> str:
    cells = [f"{style}{escaped(text)}" if text else "" for text in texts]
    return f"{' & '.join([escaped(name), *cells])} \\\\"
