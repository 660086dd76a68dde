"""What an inspection found: as data, as text, as HTML."""

import math
import textwrap
from dataclasses import asdict, dataclass, fields
from html import escape
from typing import Any

import numpy as np

from polyphase.inspection.alignment import Shift
from polyphase.inspection.evidence import Evidence
from polyphase.inspection.unread import Unread
from polyphase.inspection.verdicts import ROUNDING, cancelled
from polyphase.rewrite.cost import Cost

WIDTH = 88
LARGEST = 4  # sides of a pattern that is written out


@dataclass(frozen=True, eq=False)
class Stage:
    """One layer that upsamples, or whose gradient does.

    Attributes:
        layer: its name; within a nested model or class, `outer/layer`.
        what: the kind of layer, in words.
        gradient: whether only its gradient upsamples.
        overlap: how many taps each phase has, an array of the shape of its factor; None: it does
            not depend on taps.
        chi: checkerboard gain; 0: constants stay constant; infinite: nothing but a pattern.
        pattern: what the layer makes of a constant, divided by its mean, of the same shape; None:
            flat.
        reaches_output: the share of the pattern that reaches the output, by kind of input
            ("constant", "smooth" or "images"): the median over the inputs. None: there is no
            pattern, or it was not measured.
        reaches_range: the range of the middle half of the inputs, by kind of input.
        in_images: how strong the pattern is in your images; None: none were given, or its period is
            not known.
        multiply_adds: multiply-adds of one example; None if sizes are not known.
        fold: what `fold` would do; None if nothing is known.
        verdict: what these numbers mean.
        remedy: what to do; empty: nothing.
    """

    layer: str
    what: str
    gradient: bool
    overlap: np.ndarray | None
    chi: float
    pattern: np.ndarray | None
    reaches_output: dict[str, float] | None
    reaches_range: dict[str, tuple[float, float]] | None
    in_images: Evidence | None
    multiply_adds: int | None
    fold: str | None
    verdict: str
    remedy: str

    @property
    def reaches(self) -> float | None:
        """The largest share of the pattern that reaches the output; None: not measured."""
        return max(self.reaches_output.values()) if self.reaches_output else None

    @property
    def reaches_at_least(self) -> float | None:
        """The largest lower end of `reaches_range`; None: not measured."""
        return max(low for low, _ in self.reaches_range.values()) if self.reaches_range else None

    @property
    def severity(self) -> tuple[bool, float]:
        """What the worst is found by: images before gradients, then what reaches the output."""
        share = 1.0 if self.reaches is None else self.reaches
        return not self.gradient, self.chi * share if share and self.chi > ROUNDING else 0.0

    def exceeds(self, limit: float) -> bool:
        """Whether chi is over a limit and even the lower end of its share reaches the output."""
        return not self.gradient and self.chi > limit and not cancelled(self.reaches_at_least)


@dataclass(frozen=True, eq=False)
class Inspection:
    """What `inspect` found.

    Attributes:
        model: the model's name.
        stages: the layers that upsample, worst first.
        cost: what one example costs; None if sizes are not known.
        folded_cost: what one example costs after `fold`.
        unread: layers and operations that might upsample and that `inspect` does not read; nothing
            else is reported about them.
        shifts: where images are shifted; empty: nowhere, or it is not known.
    """

    model: str
    stages: tuple[Stage, ...]
    cost: Cost | None = None
    folded_cost: Cost | None = None
    unread: tuple[Unread, ...] = ()
    shifts: tuple[Shift, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for JSON; an infinite chi is None."""
        return {
            "model": self.model,
            "stages": [
                {field.name: _plain(getattr(stage, field.name)) for field in fields(Stage)}
                for stage in self.stages
            ],
            "multiply_adds": self.cost.multiply_adds if self.cost else None,
            "multiply_adds_folded": self.folded_cost.multiply_adds if self.folded_cost else None,
            "unread": [asdict(one) for one in self.unread],
            "shifts": [asdict(one) for one in self.shifts],
        }

    def __str__(self) -> str:
        if not self.stages:
            return "\n".join(map(_wrapped, self.sentences()))
        head, rows = self.rows()
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if index > 1 else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (head, *rows)
        ]
        return "\n".join([*lines, "", *(_wrapped(one) for one in self.sentences())])

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the table's head and rows as text."""
        head = ["layer", "what", "chi", "reaches output", "multiply-adds"]
        return head, [
            [
                stage.layer,
                stage.what,
                _chi(stage),
                _reaches(stage),
                "" if stage.multiply_adds is None else f"{stage.multiply_adds:,}",
            ]
            for stage in self.stages
        ]

    def sentences(self) -> list[str]:
        """Return one paragraph per layer, then what folding saves, is not read or is shifted."""
        said = [
            " ".join(
                part
                for part in (
                    f"{stage.layer}: {stage.verdict}",
                    _pattern(stage),
                    stage.remedy,
                    f"`polyphase.fold(model)`: {stage.fold}." if stage.fold else "",
                )
                if part
            )
            for stage in self.stages
        ]
        before, after = (one.multiply_adds if one else 0 for one in (self.cost, self.folded_cost))
        if before and after and before != after:
            said.append(
                f"Multiply-adds of the model: {before:,}; after `polyphase.fold(model)`: {after:,}."
            )
        if self.unread:
            said.append(f"Not read: {', '.join(map(str, self.unread))}. {UNREAD}")
        if not said:
            said.append(NOTHING)
        if self.shifts:
            said.append(f"Alignment: {'; '.join(map(str, self.shifts))}. {SHIFTED}")
        return said

    def _repr_html_(self) -> str:
        if not self.stages:
            return "".join(f"<p>{escape(one)}</p>" for one in self.sentences())
        head, rows = self.rows()
        cells = "".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in head)
        body = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            + f"<td>{_squares(stage.pattern)}</td></tr>"
            for row, stage in zip(rows, self.stages, strict=True)
        )
        said = "".join(f"<li>{escape(one)}</li>" for one in self.sentences())
        return (
            f"<table><thead><tr>{cells}<th>a constant becomes</th></tr></thead>"
            f"<tbody>{body}</tbody></table><ul>{said}</ul>"
        )


NOTHING = "There is no upsampling in this model: none of its layers can make a checkerboard."

UNREAD = (
    "It is not known whether this upsamples and makes checkerboards: `inspect` reads the layers "
    "of Keras and Polyphase."
)

SHIFTED = (
    "Kernels of even size, strides and crops at one end shift an image: use odd kernels, or shift "
    "it back by as much."
)


def _chi(stage: Stage) -> str:
    text = "infinite" if math.isinf(stage.chi) else f"{stage.chi:.4f}"
    return f"{text} (gradient)" if stage.gradient else text


def _reaches(stage: Stage) -> str:
    """Write the share; where half of the draws are not within a tenth of it, their range too."""
    if not stage.reaches_output or not stage.reaches_range:
        return ""
    kind = max(stage.reaches_output, key=lambda one: stage.reaches_output[one])  # type: ignore[index]
    (low, high), share = stage.reaches_range[kind], stage.reaches_output[kind]
    spread = f" ({100 * low:.0f}-{100 * high:.0f}%)" if high - low > 0.2 * share > 0.01 else ""
    return f"{100 * share:.0f}%{spread}"


def _pattern(stage: Stage) -> str:
    if stage.pattern is None or stage.gradient or max(stage.pattern.shape) > LARGEST:
        return ""
    return f"A constant becomes {_rows(stage.pattern)}."


def _rows(pattern: np.ndarray) -> str:
    """Write rows of numbers, `1 2 / 3 4`; of volumes the planes, `1 2 / 3 4 // 5 6 / 7 8`."""
    if pattern.ndim == 0:
        return f"{pattern:.2f}"
    between = " " if pattern.ndim == 1 else f" {'/' * (pattern.ndim - 1)} "
    return between.join(map(_rows, pattern))


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False)


def _squares(pattern: np.ndarray | None) -> str:
    """Draw two periods of a pattern as grey squares."""
    if pattern is None:
        return "flat"
    planes = pattern.reshape(-1, *np.atleast_2d(pattern).shape[-2:])  # of a volume, side by side
    tiled = np.hstack([np.tile(plane, (2, 2)) for plane in planes])
    low, high = min(0.0, tiled.min()), max(2.0, tiled.max())
    side = max(3, 48 // max(tiled.shape))
    squares = "".join(
        f"<rect x='{column * side}' y='{row * side}' width='{side}' height='{side}' "
        f"fill='hsl(0 0% {100 * (value - low) / (high - low):.0f}%)'/>"
        for (row, column), value in np.ndenumerate(tiled)
    )
    height, width = (side * n for n in tiled.shape)
    return f"<svg width='{width}' height='{height}' role='img'>{squares}</svg>"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Evidence):
        return {name: _plain(one) for name, one in asdict(value).items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
