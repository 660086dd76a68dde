"""Figures and the page of a comparison: its results, drawn and explained."""

from polyphase.report.figures import (
    error_maps,
    learning_curves,
    pairs,
    reconstructions,
    side_by_side,
)
from polyphase.report.findings import answer
from polyphase.report.grids import grids
from polyphase.report.notebook import shown
from polyphase.report.page import render, write
from polyphase.report.paper import write_paper
from polyphase.report.patterns import kernel_sizes, patterns
from polyphase.report.style import png
from polyphase.report.table import (
    Row,
    Spread,
    circumstances,
    markdown,
    rows,
    spread_sentence,
    text_columns,
)

__all__ = [
    "Row",
    "Spread",
    "answer",
    "circumstances",
    "error_maps",
    "grids",
    "kernel_sizes",
    "learning_curves",
    "markdown",
    "pairs",
    "patterns",
    "png",
    "reconstructions",
    "render",
    "rows",
    "shown",
    "side_by_side",
    "spread_sentence",
    "text_columns",
    "write",
    "write_paper",
]
