"""The table of a comparison: its numbers, and their text with units and sensible digits."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from polyphase.workbench import fields
from polyphase.workbench.results import Baseline, Comparison, Imitation, Trial

DASH = "\N{EN DASH}"
MICRO = "\N{MICRO SIGN}"
LOSS_DECIMALS = 4
COSTS = ("cost as built", "this machine")  # what columns say that no measure of images is in


@dataclass(frozen=True)
class Spread:
    """One measured quantity over the seeds of a decoder.

    Attributes:
        mean: mean over the seeds.
        low: the least value of any seed.
        high: the greatest value of any seed.
        count: how many seeds; with one there is no spread.
    """

    mean: float
    low: float
    high: float
    count: int

    @classmethod
    def over(cls, values: Sequence[float]) -> "Spread":
        """Summarise one value per seed; one value that is not finite makes all results NaN."""
        finite = all(math.isfinite(value) for value in values)
        mean = sum(values) / len(values) if finite else math.nan
        low, high = (min(values), max(values)) if finite else (math.nan, math.nan)
        return cls(mean, low, high, len(values))

    @property
    def width(self) -> float:
        """Greatest minus least value."""
        return self.high - self.low


@dataclass(frozen=True)
class Row:
    """One decoder of the comparison.

    Attributes:
        decoder: its name.
        parameters: trainable parameters of the whole model.
        multiply_adds: multiply-adds of one image through the whole model, as written.
        multiply_adds_computed: as the backend's lowerings compute it; None: not known.
        offset: pixels `(rows, columns)` by which the output is shifted; None: not known.
        loss: validation loss after the last epoch.
        above_floor: `loss` minus the floor of the data; None if the loss has no floor.
        unit: unit of both.
        measure: what `loss` is called.
        psnr: dB.
        ssim: at most 1.
        seconds_per_epoch: seconds.
        inference: seconds per image, through the whole model.
        decoding: seconds per image, from the code to the output; None: not measured.
        chi: largest checkerboard gain of its layers.
        bias: periodic bias of its reconstructions, in units of the images.
        variance: periodic variance of its reconstructions, in those units squared.
        imitation: for generators, the numbers of `Imitation`, by their names; otherwise empty.
    """

    decoder: str
    parameters: int
    multiply_adds: int
    multiply_adds_computed: int | None
    offset: tuple[float, ...] | None
    loss: Spread
    above_floor: Spread | None
    unit: str
    measure: str
    psnr: Spread
    ssim: Spread
    seconds_per_epoch: Spread
    inference: Spread
    decoding: Spread | None
    chi: Spread
    bias: Spread
    variance: Spread
    imitation: Mapping[str, Spread]


@dataclass(frozen=True)
class Cell:
    """The text of one number: its mean, and least and greatest if there are several seeds."""

    value: str
    spread: str = ""

    @property
    def text(self) -> str:
        """Both on one line."""
        return f"{self.value} ({self.spread})" if self.spread else self.value


@dataclass(frozen=True)
class Column:
    """One column of text.

    Attributes:
        name: what is measured.
        unit: its unit; empty for counts and ratios.
        cells: one per decoder; those of `columns` also one per baseline.
        short: whether the column belongs to the short table of the terminal.
        says: in a few words, what it says about a decoder; empty if explained elsewhere.
    """

    name: str
    unit: str
    cells: tuple[Cell, ...]
    short: bool = True
    says: str = ""

    @property
    def heading(self) -> str:
        """Name and unit on one line."""
        return f"{self.name}, {self.unit}" if self.unit else self.name


def rows(comparison: Comparison) -> list[Row]:
    """Return one row per decoder, in the order in which they were asked for.

    Raises:
        ValueError: the comparison holds no trial.
    """
    if not comparison.trials:
        raise ValueError(
            "A comparison needs at least one trial. Received: none. Train a decoder first."
        )
    return [_row(name, comparison.of(name), comparison) for name in comparison.decoders]


def names(comparison: Comparison) -> tuple[str, ...]:
    """Return the names of the rows: decoders, then baselines."""
    return (*comparison.decoders, *(one.name for one in comparison.baselines))


def _row(decoder: str, trials: Sequence[Trial], comparison: Comparison) -> Row:
    floor = comparison.floor

    def over(measure: Callable[[Trial], float]) -> Spread:
        return Spread.over([measure(trial) for trial in trials])

    return Row(
        decoder=decoder,
        parameters=trials[0].parameters,
        multiply_adds=trials[0].multiply_adds,
        multiply_adds_computed=trials[0].multiply_adds_computed,
        offset=trials[0].offset,
        loss=over(lambda trial: trial.validation_loss),
        above_floor=None if floor is None else over(lambda trial: trial.validation_loss - floor),
        unit=comparison.unit,
        measure=comparison.task.measure,
        psnr=over(lambda trial: trial.psnr),
        ssim=over(lambda trial: trial.ssim),
        seconds_per_epoch=over(lambda trial: trial.seconds_per_epoch),
        inference=over(lambda trial: trial.inference_seconds),
        decoding=_decoding(trials),
        chi=over(lambda trial: trial.checkerboard.chi),
        bias=over(lambda trial: trial.checkerboard.bias),
        variance=over(lambda trial: trial.checkerboard.variance),
        imitation={} if comparison.task.paired else _imitation(trials),
    )


def _imitation(trials: Sequence[Trial]) -> dict[str, Spread]:
    return {
        name: Spread.over([imitated(trial, name) for trial in trials]) for name in Imitation.names()
    }


def imitated(one: Trial | Baseline, name: str) -> float:
    """Return a number of an `Imitation`; NaN of what was not judged."""
    return float(getattr(one.imitation, name)) if was_judged(one) else math.nan


def was_judged(one: Trial | Baseline) -> bool:
    """Whether images were judged; those of a failed training were not."""
    return one.imitation is not None and math.isfinite(one.imitation.nearness)


def _decoding(trials: Sequence[Trial]) -> Spread | None:
    seconds = [one.decoder_seconds for one in trials if one.decoder_seconds is not None]
    return Spread.over(seconds) if len(seconds) == len(trials) else None


def columns(comparison: Comparison) -> list[Column]:
    """Return the table as text, column by column, without the decoders' names."""
    table = rows(comparison)
    parameters = tuple(Cell(f"{row.parameters:,}") for row in table)
    products = tuple(Cell(f"{row.multiply_adds:,}", _computed(row)) for row in table)
    said = "as written, and computed" if any(cell.spread for cell in products) else ""
    found = [
        *(_of_errors if comparison.task.paired else _of_samples)(comparison, table),
        Column("parameters", "", parameters, says="cost as built"),
        Column("multiply-adds", said, products, False, "cost as built"),
        *(_alignment(table) if comparison.task.paired else []),
        *_times(comparison, table),
    ]
    count = len(names(comparison))
    return [filled(column, count) for column in found]


def filled(column: Column, count: int) -> Column:
    """Return a column with empty cells below, where baselines have none."""
    return replace(column, cells=(*column.cells, *[Cell("")] * (count - len(column.cells))))


def _of_errors(comparison: Comparison, table: Sequence[Row]) -> list[Column]:
    """Return how far reconstructions are from the originals."""
    psnr, ssim = [row.psnr for row in table], [row.ssim for row in table]
    above = [row.above_floor for row in table if row.above_floor is not None]
    found = [
        _loss(comparison, table),
        _column(comparison, ("PSNR", "dB"), psnr, _decimals(psnr, 1, 2), lambda one: one.psnr),
        _column(comparison, ("SSIM", ""), ssim, _decimals(ssim, 3, 4), lambda one: one.ssim),
    ]
    if above:
        cells = _cells(above, LOSS_DECIMALS)
        found.insert(1, Column("above the floor", comparison.unit, cells, False, "same loss"))
    return found


def _of_samples(comparison: Comparison, table: Sequence[Row]) -> list[Column]:
    """Return how near generated images are to real ones."""
    return [_loss(comparison, table)] + [
        replace(
            _column(
                comparison,
                (heading, fields.IMITATION[name].unit),
                [row.imitation[name] for row in table],
                _decimals([row.imitation[name] for row in table], *digits),
                functools.partial(imitated, name=name),
            ),
            short=name in _SHORT,
            says="0: copies" if name == "nearness" else "describes",
        )
        for name, (heading, digits) in IMITATION.items()
    ]


# Of each number of `Imitation`: its name in tables, and its least and most decimals.
IMITATION = {
    "fid": ("FID", (1, 2)),
    "precision": ("precision", (2, 2)),
    "recall": ("recall", (2, 2)),
    "modes": ("modes", (0, 0)),
    "reverse_kl": ("reverse KL", (2, 3)),
    "spectral_distance": ("spectral distance", (2, 3)),
    "nearness": ("nearness", (2, 2)),
}
_SHORT = ("fid", "precision", "recall")


def _loss(comparison: Comparison, table: Sequence[Row]) -> Column:
    heading = (comparison.task.measure, comparison.unit)
    losses = [row.loss for row in table]
    column = _column(comparison, heading, losses, LOSS_DECIMALS, lambda one: one.validation_loss)
    return replace(column, says="decides")


def _column(
    comparison: Comparison,
    heading: tuple[str, str],
    values: Sequence[Spread],
    decimals: int,
    of_baseline: Callable[[Baseline], float],
) -> Column:
    """Return a column that describes, with a cell for every baseline."""
    more = [Cell(number(of_baseline(one), decimals)) for one in comparison.baselines]
    return Column(*heading, (*_cells(values, decimals), *more), says="describes")


def _alignment(table: Sequence[Row]) -> list[Column]:
    """Return by how much images are shifted, unless that is not known, as in old runs."""
    cells = tuple(Cell(_offset(row)) for row in table)
    known = any(cell.value for cell in cells)
    return [Column("alignment", "pixels", cells, False, "0: in place")] if known else []


def _computed(row: Row) -> str:
    return "" if row.multiply_adds_computed is None else f"{row.multiply_adds_computed:,}"


def _offset(row: Row) -> str:
    """Write by how much an image is shifted: one number where rows and columns agree."""
    if row.offset is None:
        return ""
    return " and ".join(dict.fromkeys(f"{pixels:+g}" if pixels else "0" for pixels in row.offset))


def _times(comparison: Comparison, table: Sequence[Row]) -> list[Column]:
    """Return the columns of times; trainings on workers have none of their own."""
    times = []
    if not comparison.on_workers:
        epochs = [row.seconds_per_epoch for row in table]
        cells = _cells(epochs, _time_decimals(epochs))
        times.append(Column("training", "s/epoch", cells, False, "this machine"))
    decoding = [row.decoding for row in table if row.decoding is not None]
    alone = comparison.task.paired and len(decoding) == len(table)
    seconds = decoding if alone else [row.inference for row in table]
    scale, unit = _time_unit(seconds)
    images = [_scaled(one, scale) for one in seconds]
    cells = _cells(images, _time_decimals(images))
    name = "decoding" if alone else "inference"
    short = comparison.task.paired  # the terminal has no room beside the measures of made images
    return [*times, Column(name, f"{unit}/image", cells, short, "this machine")]


def checkerboard_columns(comparison: Comparison) -> list[Column]:
    """Return the table of the patterns that upsampling leaves, column by column."""
    table = rows(comparison)
    found = [
        Column("chi", "largest of its layers", _cells([row.chi for row in table], 2)),
        Column("periodic bias", "10⁻³", _thousandths([row.bias for row in table])),
    ]
    if comparison.task.paired:
        variance = _thousandths([row.variance for row in table])
        found.append(Column("periodic variance", "10⁻³", variance))
    return found


def _thousandths(values: Sequence[Spread]) -> tuple[Cell, ...]:
    return _cells([_scaled(value, 1e3) for value in values], 2)


def number(value: float, decimals: int) -> str:
    """Write a measured number; if it is not finite, say so."""
    return f"{value:,.{decimals}f}" if math.isfinite(value) else "not finite"


def _cells(values: Sequence[Spread], decimals: int) -> tuple[Cell, ...]:
    return tuple(cell(value, decimals) for value in values)


def cell(value: Spread, decimals: int) -> Cell:
    """Write a mean, and the range of the seeds if there are several."""
    if value.count == 1 or not math.isfinite(value.mean):
        return Cell(number(value.mean, decimals))
    low, high = number(value.low, decimals), number(value.high, decimals)
    return Cell(number(value.mean, decimals), f"{low}{DASH}{high}")


def _decimals(values: Sequence[Spread], least: int, most: int) -> int:
    """Return as many decimals as the narrowest spread needs, between two limits."""
    widths = [value.width for value in values if value.width > 0]
    wanted = math.ceil(-math.log10(min(widths))) if widths else most
    return max(least, min(most, wanted))


def _time_decimals(values: Sequence[Spread]) -> int:
    """Return decimals that give the smallest time two or three digits; its spread says which."""
    means = [value.mean for value in values if value.mean > 0]
    if not means:
        return 2
    three = 2 - math.floor(math.log10(min(means)))
    return _decimals(values, max(0, three - 1), max(0, three))


def _time_unit(values: Sequence[Spread]) -> tuple[float, str]:
    """Return units per second and the unit's name, fit for the smallest time."""
    means = [value.mean for value in values if math.isfinite(value.mean)]
    return (1e3, "ms") if means and min(means) >= 1e-4 else (1e6, f"{MICRO}s")


def _scaled(value: Spread, scale: float) -> Spread:
    return Spread(value.mean * scale, value.low * scale, value.high * scale, value.count)


def seeds(comparison: Comparison) -> tuple[int, ...]:
    """Return the seeds that were trained, in their order."""
    return tuple(dict.fromkeys(trial.seed for trial in comparison.trials))


def spread_sentence(comparison: Comparison) -> str:
    """Say in one sentence what the numbers are over the seeds."""
    counts = sorted({len(comparison.of(decoder)) for decoder in comparison.decoders})
    if counts == [1]:
        return "One seed per decoder: single measurements, without a spread."
    many = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    return f"Mean over {many} seeds, with the least and the greatest value of any seed."


def markdown(comparison: Comparison) -> str:
    """Return the table in Markdown, for the documentation, with a sentence on the spread."""
    text = markdown_columns(comparison, columns(comparison))
    return f"{text}\n{circumstances(comparison)}\n"


def circumstances(comparison: Comparison) -> str:
    """Say what the numbers are over the seeds, and which loss is the floor, if there is one."""
    said = spread_sentence(comparison)
    if comparison.floor is None:
        return said
    floor = number(comparison.floor, LOSS_DECIMALS)
    return f"{said} Floor of the data: {floor} {comparison.unit}."


def with_unit(text: str, unit: str) -> str:
    """Return a number and its unit, which may be empty."""
    return f"{text} {unit}".rstrip()


def markdown_columns(comparison: Comparison, table: Sequence[Column]) -> str:
    """Return columns in Markdown, a line per decoder, and per baseline if they have those."""
    lines = [
        ["decoder", *(column.heading for column in table)],
        ["---", *("---:" for _ in table)],
    ]
    for index, decoder in enumerate(names(comparison)[: len(table[0].cells)]):
        name = decoder.replace("\\", "\\\\").replace("|", "\\|")
        lines.append([name, *(column.cells[index].text for column in table)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def text_columns(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return headings and lines of a short table for the terminal; the first column is text.

    Units are on a line of their own below the names, and spreads below the means. So with five
    decoders and several seeds the table is 80 characters wide.
    """
    table = [column for column in columns(comparison) if column.short]
    lines = [
        [decoder, *(f"{cell.value}\n{cell.spread}".rstrip() for cell in cells)]
        for decoder, *cells in zip(
            names(comparison), *(column.cells for column in table), strict=True
        )
    ]
    return ["decoder", *(f"{column.name}\n{column.unit}".rstrip() for column in table)], lines
