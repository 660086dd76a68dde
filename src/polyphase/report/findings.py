"""What a comparison allows to be said: sentences that follow from its numbers.

No decoder is called better than another unless every seed of the one ended below every seed of the
other, compared with the digits that the table shows, so that a reader can check each sentence.
"""

import math
from collections.abc import Sequence

from polyphase.report.table import LOSS_DECIMALS, Row, Spread, number, rows
from polyphase.workbench.results import Comparison

FEW_SEEDS = 5
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def answer(comparison: Comparison) -> list[str]:
    """Return the summary: the answer first, then how sure it is."""
    table = sorted(rows(comparison), key=_order)
    trained = [row for row in table if math.isfinite(row.loss.mean)]
    failed = [row.decoder for row in table if row not in trained]
    said = _ranking(comparison, trained)
    if failed:
        said.append(f"{listed(failed)} did not train: a loss of {_it(failed)} is not finite.")
    return said


def published(comparison: Comparison) -> bool:
    """Whether two tutorial models were compared, instead of operators in one model."""
    return comparison.config.get("experiment") == "published"


def _ranking(comparison: Comparison, trained: Sequence[Row]) -> list[str]:
    if not trained:
        return ["No decoder trained."]
    best, others = trained[0], trained[1:]
    if not others:
        return [
            f"{best.decoder} reached a validation loss of {_loss(best)}.",
            "There is no other decoder to compare it with.",
        ]
    if published(comparison):
        return _published(best, others[0])
    if any(row.loss.count == 1 for row in trained):
        return _one_seed(best, others[0])
    close = [row for row in others if overlap(best.loss, row.loss)]
    said = _undecided(best, others, close) if close else _decided(best, others)
    return [*said, *_few(min(row.loss.count for row in trained))]


def _published(best: Row, other: Row) -> list[str]:
    return [
        "This comparison is confounded: it shows nothing about upsampling against transposed "
        "convolution, because the two models differ in much more.",
        f"{best.decoder} had the lower validation loss, {_loss(best)}; {other.decoder} ended at "
        f"{_rounded(other.loss.mean)}.",
    ]


def _one_seed(best: Row, second: Row) -> list[str]:
    return [
        f"{best.decoder} ended lowest, but one seed per decoder names no winner.",
        f"Its validation loss is {_loss(best)}; {second.decoder} is next, "
        f"{_behind(best, second)}. Another seed might turn the order "
        "round: repeat with several seeds.",
    ]


def _decided(best: Row, others: Sequence[Row]) -> list[str]:
    who = others[0].decoder if len(others) == 1 else "every other decoder"
    return [
        f"{best.decoder} had the lowest validation loss: {_loss(best)}.",
        f"All its seeds ended below every seed of {who}: the ranges do not overlap. "
        f"{others[0].decoder} is next, {_behind(best, others[0])} on average.",
    ]


def _undecided(best: Row, others: Sequence[Row], close: Sequence[Row]) -> list[str]:
    names = listed([best.decoder, *(row.decoder for row in close)])
    range_ = "its range overlaps" if len(close) == 1 else "their ranges overlap"
    said = [
        f"No clear winner: this run does not tell {names} apart.",
        f"{best.decoder} has the lowest validation loss, {_loss(best)}. "
        f"{listed([f'{row.decoder} ({_rounded(row.loss.mean)})' for row in close])} "
        f"{'is' if len(close) == 1 else 'are'} not separate from it: over the seeds, "
        f"{range_} with that of {best.decoder}.",
    ]
    clear = [row.decoder for row in others if row not in close]
    if clear:
        verb = "is" if len(clear) == 1 else "are"
        said.append(
            f"{listed(clear)} {verb} behind: every seed ended above the range of {best.decoder}."
        )
    return said


def _few(count: int) -> list[str]:
    if count >= FEW_SEEDS:
        return []
    return [f"{_count(count).capitalize()} seeds are few: take this as a hint, not as proof."]


def overlap(one: Spread, other: Spread) -> bool:
    """Whether two ranges share a value, in the digits of the table."""
    return _round(one.low) <= _round(other.high) and _round(other.low) <= _round(one.high)


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence: `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "each"


def _order(row: Row) -> float:
    return row.loss.mean if math.isfinite(row.loss.mean) else math.inf


def _loss(row: Row) -> str:
    over = f" on average over {_count(row.loss.count)} seeds" if row.loss.count > 1 else ""
    return (
        f"{_rounded(row.loss.mean)} nats/pixel{over}, "
        f"{_rounded(row.above_floor.mean)} above the floor of the data"
    )


def _behind(best: Row, second: Row) -> str:
    """Say how far apart two losses are, in the digits of the table."""
    gap = _rounded(_round(second.loss.mean) - _round(best.loss.mean))
    return f"{gap} behind" if float(gap) else f"level to {LOSS_DECIMALS} decimals"


def _count(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _round(value: float) -> float:
    return round(value, LOSS_DECIMALS)


def _rounded(value: float) -> str:
    return number(value, LOSS_DECIMALS)
