"""The tables and the figure of the study of generators: pairs of decoders, and what predicts."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm, spearmanr

from polyphase.report.performance import table
from polyphase.report.style import DPI, INK, PAGE, plotted
from polyphase.report.table import imitated
from polyphase.workbench.results import Comparison, Trial
from polyphase.workbench.statistics import half_widths

GREYS = 255
Generators = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Measure:
    """What two decoders are compared by.

    Attributes:
        heading: of its column.
        of: of one trained model.
        decimals: that are shown.
        ratio: whether it is compared by its logarithm, and shown as a ratio.
    """

    heading: str
    of: Callable[[Trial], float]
    decimals: int
    ratio: bool = False

    def interval(self, middle: float, half: float) -> str:
        """Return a difference with its interval, in bold where that excludes none."""
        ends = (middle, middle - half, middle + half)
        shown = [math.exp(one) if self.ratio else one for one in ends]
        mean, low, high = (f"{one:.{self.decimals}f}" for one in shown)
        text = f"{mean} ({low} to {high})"
        return f"**{text}**" if abs(middle) > half else text


BIAS = Measure("periodic bias, ratio", lambda one: one.checkerboard.bias, 2, ratio=True)
LEVELS = Measure(
    "periodic bias, difference in grey levels", lambda one: GREYS * one.checkerboard.bias, 2
)
KID = Measure("KID, difference", lambda one: one.validation_loss, 4)
SPECTRAL = Measure(
    "spectral distance, difference in decades", lambda one: imitated(one, "spectral_distance"), 3
)
LOSS = Measure("squared error, difference", lambda one: one.validation_loss, 1)


def pairs(comparison: Comparison, *measures: Measure) -> str:
    """Return by how much every pair of decoders differs, with intervals that hold for all pairs.

    The seeds with which every training succeeded are compared. Bold: the interval excludes none.
    """
    seeds = whole(comparison)
    names = comparison.decoders
    columns = [
        _pairs([_values(comparison, name, one, seeds) for name in names], one) for one in measures
    ]
    rows = [
        [f"{first} against {second}", *texts]
        for (first, second), *texts in zip(itertools.combinations(names, 2), *columns, strict=True)
    ]
    return table(["pair", *(one.heading for one in measures)], rows)


def whole(comparison: Comparison) -> list[int]:
    """Return the seeds with which no training failed."""
    failed = {one.seed for one in comparison.trials if not math.isfinite(one.validation_loss)}
    return [seed for seed in comparison.config["seeds"] if seed not in failed]


def _values(comparison: Comparison, name: str, one: Measure, seeds: Sequence[int]) -> list[float]:
    by_seed = {trial.seed: one.of(trial) for trial in comparison.of(name)}
    return [math.log(by_seed[seed]) if one.ratio else by_seed[seed] for seed in seeds]


def _pairs(values: Sequence[Sequence[float]], one: Measure) -> list[str]:
    means, halves = np.mean(values, axis=1), half_widths(np.array(values))
    return [
        one.interval(float(means[first] - means[second]), float(halves[first, second]))
        for first, second in itertools.combinations(range(len(values)), 2)
    ]


def biases(comparison: Comparison) -> str:
    """Return what every decoder leaves at period 2: median, least and greatest."""
    rows = []
    for name in comparison.decoders:
        found = [one for one in comparison.of(name) if math.isfinite(one.validation_loss)]
        levels = [LEVELS.of(one) for one in found]
        last = [one.checkerboard.stages[-1] for one in found]
        seen = f"{sum(one.seen for one in last)} of {len(last)}"
        rows.append(
            [
                name,
                _spread(levels, 2),
                _spread([GREYS * one.errors.amplitude for one in last], 1),
                seen,
                _spread([one.chi for one in last], 2),
            ]
        )
    head = ["decoder", "periodic bias, levels", "pattern, levels", "seen", "chi, last layer"]
    return table(head, rows)


def _spread(values: Sequence[float], decimals: int) -> str:
    """Return the median, the least and the greatest."""
    three = (np.median(values), min(values), max(values))
    middle, low, high = (f"{one:.{decimals}f}" for one in three)
    return f"{middle} ({low} to {high})"


@dataclass(frozen=True)
class Correlation:
    """A rank correlation and its 95% interval.

    Attributes:
        value: Spearman's, -1 to 1.
        low: lower end.
        high: upper end.
        count: of how many.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def text(self) -> str:
        """It and its interval; bold where that excludes 0."""
        said = f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"
        return f"**{said}**" if self.low > 0 or self.high < 0 else said


def correlation(first: Sequence[float], second: Sequence[float]) -> Correlation:
    """Return the rank correlation of two lists of at least four numbers.

    The interval takes the pairs for independent: Fisher's transformation with the variance
    `(1 + r^2 / 2) / (n - 3)`.

    Reference: Bonett, Wright, "Sample size requirements for estimating Pearson, Kendall and
    Spearman correlations", 2000.

    Example:
        >>> correlation([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5]).text
        '**0.89 (0.07 to 0.99)**'
    """
    value, count = float(spearmanr(first, second).statistic), len(first)
    half = norm.ppf(0.975) * math.sqrt((1 + value**2 / 2) / (count - 3))
    middle = math.atanh(min(max(value, -1 + 1e-9), 1 - 1e-9))
    return Correlation(value, math.tanh(middle - half), math.tanh(middle + half), count)


PREDICTORS = {
    "chi of the last layer": lambda one: one["layers"][-1]["chi"],
    "chi of the last layer x the share that reaches the output": lambda one: _way(one, -1),
    "chi of the earlier layer": lambda one: one["layers"][0]["chi"],
    "chi of the earlier layer x the share that reaches the output": lambda one: _way(one, 0),
}


def _way(one: Mapping[str, Any], index: int) -> float:
    layer = one["layers"][index]
    return float(layer["chi"] * layer["reaches"])


def correlations(generators: Generators) -> str:
    """Return how what is known of trained generators goes with the periodic bias of their images.

    A column for all of them, and one for those whose last layer is a transposed convolution.
    """
    groups = [generators, transposed(generators)]
    heads = [
        f"{name} ({len(one)})" for name, one in zip(("all", "transposed last"), groups, strict=True)
    ]
    rows = [[name, *(_predicted(group, of) for group in groups)] for name, of in PREDICTORS.items()]
    return table(["rank correlation of the periodic bias with", *heads], rows)


def _predicted(group: Generators, of: Callable[[Mapping[str, Any]], float]) -> str:
    values = [of(one) for one in group]
    if len(set(values)) == 1:
        return "no spread"
    return correlation(values, [one["bias"] for one in group]).text


def transposed(generators: Generators) -> Generators:
    """Return the generators that were repaired: those whose last layer is transposed."""
    return [one for one in generators if "repaired" in one]


def repairs(generators: Generators) -> str:
    """Return what `repair` did to the trained generators, by run and decoder."""
    rows = []
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in transposed(generators):
        groups.setdefault((one["run"], one["decoder"]), []).append(one)
    for (run, decoder), found in groups.items():
        lower = [
            f"{sum(one['repaired'][name] < one[name] for one in found)} of {len(found)}"
            for name in ("bias", "kid")
        ]
        levels = [[GREYS * one["bias"] for one in part] for part in (found, _repaired(found))]
        kids = [[one["kid"] for one in part] for part in (found, _repaired(found))]
        shown = [*(_spread(one, 2) for one in levels), lower[0], *(_spread(one, 3) for one in kids)]
        rows.append([run, decoder, *shown, lower[1]])
    head = ["periodic bias, levels", "repaired", "lower in", "KID", "repaired", "lower in"]
    return table(["discriminator", "decoder", *head], rows, text=2)


def _repaired(found: Generators) -> Generators:
    return [one["repaired"] for one in found]


def planted(content: Mapping[str, Any]) -> str:
    """Return what the periodic bias reads of checkerboards of known strength."""
    rows = [[f"{one['levels']:g}", f"{GREYS * one['bias']:.2f}"] for one in content["planted"]]
    return table(["planted, levels", "read, levels"], rows, text=0)


MARKS = {"strided": "o", "blurred": "^"}


def scatter(generators: Generators) -> Figure:
    """Draw the periodic bias of the images over chi of the last and of the earlier layer."""
    figure = Figure(figsize=(8.0, 3.6), dpi=DPI, facecolor="none", layout="constrained")
    for axes, index, name in zip(
        figure.subplots(1, 2, sharey=True), (-1, 0), ("last", "earlier"), strict=True
    ):
        for one in generators:
            axes.plot(one["layers"][index]["chi"], GREYS * one["bias"], **_mark(one))
        _dress(axes, f"chi of the {name} layer")
    first = figure.axes[0]
    first.set_ylabel("periodic bias, grey levels", fontsize=PAGE.small, color=INK)
    _legend(figure.axes[1], generators)
    return figure


def _mark(one: Mapping[str, Any]) -> dict[str, Any]:
    colour = "#D55E00" if "repaired" in one else "#0072B2"
    return {"marker": MARKS[one["run"]], "color": colour, "linestyle": "", "alpha": 0.75}


def _legend(axes: Axes, generators: Generators) -> None:
    kinds = {(one["run"], "repaired" in one): one for one in generators}
    for (run, last), one in kinds.items():
        name = f"{'transposed' if last else 'nearest'} last, {run}"
        axes.plot([], [], label=name, **_mark(one))
    axes.legend(fontsize=PAGE.small, frameon=False, labelcolor=INK)


def _dress(axes: Axes, label: str) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(label, fontsize=PAGE.small, color=INK)
    plotted(axes, PAGE)
