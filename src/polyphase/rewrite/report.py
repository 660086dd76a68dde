"""What `fold` did with each upsampling."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from html import escape
from typing import Any

import keras
from keras import tree

from polyphase.rewrite.cost import Cost
from polyphase.timing import Times, alternate


class Why(StrEnum):
    """Why an upsampling stays; each value is the section of docs/folding.md that explains it."""

    OUTPUT = "an-output"
    UNREAD = "a-layer-that-nothing-moves-past"
    IMAGE = "another-image"
    CONCATENATION = "a-concatenation"
    CONVOLUTION = "a-convolution-that-absorbs-nothing"
    INTERPOLATION = "between-pixels"
    PIXELS = "not-alike-everywhere"
    TRAINING = "only-in-training"
    ZEROS = "zeros-and-cuts"
    LOSS = "a-loss-of-the-large-image"
    SHARED = "shared-layers"
    NESTED = "nested-models"
    STEPS = "steps-of-a-sequence"
    NUMBERS = "other-numbers"
    SIZES = "sizes-of-a-resize"
    KERAS = "only-layers-of-keras"
    CLASS = "code-of-a-class"

    @property
    def link(self) -> str:
        """The place where it is explained."""
        return f"docs/folding.md#{self}"


@dataclass(frozen=True)
class Finding:
    """One upsampling layer or transposed convolution.

    Attributes:
        layer: its name in the model; in a nested model, `model/layer`.
        folded: whether anything was gained.
        what: what happened, or the reason why nothing did.
        why: for each reason, the section of docs/folding.md that explains it.
    """

    layer: str
    folded: bool
    what: str
    why: tuple[Why, ...] = ()


@dataclass(frozen=True)
class Report:
    """What `fold` did.

    Attributes:
        findings: one per upsampling layer and transposed convolution.
        difference: the measured largest difference of the outputs on random input, relative to the
            largest output; None if no input was found on which the model runs.
        before: the cost of one example in the given model; None if sizes are not known.
        after: its cost in the folded model.
        used: names of layers that cannot be copied. They themselves are part of the new model, so
            both models share their weights.
        imports: classes, with their modules, that must be imported before the new model is loaded
            from a file, and given in `custom_objects` unless they are registered.
        unloadable: names of layers, neither Keras' nor ours, whose configuration does not say how
            to make them. Because of them, no file of the model can be loaded as it is.
        merged: names of normalisations that became part of the convolution before them.
        times: times of a prediction before and after, once `timed` has measured them.
        batch: the number of examples in that prediction.
    """

    findings: tuple[Finding, ...]
    difference: float | None
    before: Cost | None = None
    after: Cost | None = None
    used: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    unloadable: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    times: tuple[Times, Times] | None = None
    batch: int | None = None

    def timed(
        self, model: keras.Model, folded: keras.Model, inputs: Any, seconds: float = 1.0
    ) -> "Report":
        """Return this report with the times of a prediction, measured on this machine.

        Both models run `predict_on_batch` in turns, after a warm-up. They do not change.

        Args:
            model: the model as it was.
            folded: what `fold` made of it, tuned or not.
            inputs: inputs of the models, with the size and the batch that matter to you.
            seconds: time to spend after the warm-up.

        Raises:
            TypeError: if one of the two is not a model.

        Example:
            >>> import numpy as np
            >>> from polyphase import fold
            >>> model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.UpSampling2D(),
            ...                           keras.layers.Conv2D(2, 3)])
            >>> folded, report = fold(model, return_report=True)
            >>> report = report.timed(model, folded, np.ones((1, 8, 8, 4)), seconds=0.05)
            >>> "ms before" in str(report)
            True
        """
        for one in (model, folded):
            if not isinstance(one, keras.Model):
                raise TypeError(f"`timed` takes Keras models. Received: {type(one).__name__}.")
        compiled = [one.predict_function for one in (model, folded)]
        try:
            times = alternate(
                {
                    "before": lambda: model.predict_on_batch(inputs),
                    "after": lambda: folded.predict_on_batch(inputs),
                },
                seconds,
            )
        finally:
            model.predict_function, folded.predict_function = compiled
        batch = len(tree.flatten(inputs)[0])
        return replace(self, times=(times["before"], times["after"]), batch=batch)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold."""
        return asdict(self)

    def summary(self) -> str:
        """Return links to explanations, times, costs and the measured difference, a line each."""
        lines = []
        reasons = dict.fromkeys(why.link for one in self.findings for why in one.why)
        if reasons:
            lines.append(f"Why: {', '.join(reasons)}")
        if self.times:
            before, after = (f"{one.median:.3g} ms" for one in self.times)
            lines.append(
                f"Prediction on this machine: {before} before, {after} after; medians in turns, "
                f"batch of {self.batch}"
            )
        if self.merged:
            lines.append(f"Now part of the convolution before them: {', '.join(self.merged)}")
        if self.before and self.after:
            lines += [
                f"Multiply-adds: {self.before.multiply_adds:,} before, "
                f"{self.after.multiply_adds:,} after",
                f"Activations of one example: {_size(self.before)} before, "
                f"{_size(self.after)} after",
            ]
        if self.used:
            lines.append(
                "Part of both models, with shared weights, because they cannot be copied: "
                f"{', '.join(self.used)}"
            )
        if self.unloadable:
            lines.append(
                "A file of the new model cannot be loaded as it is: `get_config` does not say how "
                f"to make {', '.join(self.unloadable)}"
            )
        elif self.imports:
            lines.append(f"Before loading it from a file, import: {', '.join(self.imports)}")
        lines.append(
            "Not compared: no input was found on which the model runs"
            if self.difference is None
            else f"Largest difference on random input: {self.difference:.1e} of the largest output"
        )
        return "\n".join(lines)

    @property
    def nothing_gained(self) -> str:
        """A sentence that says that nothing was gained, and why; "" if something was.

        If times were measured, they count as different where their quartiles are apart.
        """
        if self.times and self.times[1].high < self.times[0].low:
            return ""
        if not self.findings and not self.merged:
            return "Nothing gained: there is no upsampling in this model that `fold` reads."
        if not self.merged and not any(one.folded for one in self.findings):
            return "Nothing gained by folding: every upsampling stays."
        if self.times:
            slower = self.times[1].low > self.times[0].high
            return f"No time gained here: prediction takes {'longer' if slower else 'as long'}."
        return ""

    def _lines(self) -> list[str]:
        """Return the lines about the whole model."""
        return [*self.summary().splitlines(), *filter(None, [self.nothing_gained])]

    def __str__(self) -> str:
        return "\n".join([*(f"{one.layer}: {one.what}" for one in self.findings), *self._lines()])

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of a table, as text."""
        rows = [[one.layer, "yes" if one.folded else "no", one.what] for one in self.findings]
        return ["layer", "folded", "what happened"], rows

    def _repr_html_(self) -> str:
        head, rows = self.rows()
        left = " style='text-align:left'"
        table = "".join(
            "<tr>" + "".join(f"<{tag}{left}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for tag, row in (("th", head), *(("td", row) for row in rows))
        )
        said = "".join(f"<li>{escape(line)}</li>" for line in self._lines())
        return (f"<table>{table}</table>" if rows else "") + f"<ul>{said}</ul>"


def _size(cost: Cost) -> str:
    large = cost.activation_bytes >= 2**20
    return f"{cost.activation_bytes / 2 ** (20 if large else 10):.1f} {'MiB' if large else 'KiB'}"
