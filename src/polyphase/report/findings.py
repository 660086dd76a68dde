"""What can be said of a comparison: sentences that follow from its numbers.

No decoder is called better than another unless the confidence interval of their difference over the
seeds excludes zero, in one run or in runs that differ in nothing but their decoders, and training
no longer moves losses by more than such a difference.
"""

import math
from collections.abc import Sequence

from polyphase.report.table import LOSS_DECIMALS, Row, number, rows, with_unit
from polyphase.workbench.learning import Unsettled, more_epochs, unsettled
from polyphase.workbench.results import Comparison, Trial
from polyphase.workbench.statistics import LEAST_SEEDS, Difference, differences, same_seeds

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def answer(comparison: Comparison) -> list[str]:
    """Return the summary: the answer first, then how sure it is."""
    table = sorted(rows(comparison), key=order)
    trained = [row for row in table if math.isfinite(row.loss.mean)]
    failed = [row.decoder for row in table if row not in trained]
    said = _ranking(comparison, trained)
    if failed:
        said = [*said, *_failed(comparison, failed)]
    return [*said, *_untrained(comparison, trained)]


def _failed(comparison: Comparison, decoders: Sequence[str]) -> list[str]:
    """Say which decoders did not train, and of generators also why and with how many seeds."""
    if comparison.task.paired:
        return [f"{listed(decoders)} did not train: a loss of {_it(decoders)} is not finite."]
    return [f"{name} did not train{_troubles(comparison.of(name))}." for name in decoders]


def _troubles(trials: Sequence[Trial]) -> str:
    failed = [one for one in trials if not math.isfinite(one.validation_loss)]
    why = [one.history[-1].trouble or "its images were not judged" for one in failed]
    counts = {text: why.count(text) for text in dict.fromkeys(why)}
    said = [f"{text} ({count})" if len(counts) > 1 else text for text, count in counts.items()]
    which = f" with {_count(len(failed))} of {_count(len(trials))} seeds" if trials[1:] else ""
    return f"{which}: {listed(said)}"


def _untrained(comparison: Comparison, trained: Sequence[Row]) -> list[str]:
    """Say what is reached without training, and whether the lowest decoder is lower."""
    if not comparison.baselines or not trained:
        return []
    if not comparison.task.paired:
        kids = [f"{one.name}: {_rounded(one.validation_loss)}" for one in comparison.baselines]
        return [f"For comparison, the {trained[0].measure} of {listed(kids)}."]
    losses = {one.name: _rounded(one.validation_loss) for one in comparison.baselines}
    reached = listed([f"{loss} ({name})" for name, loss in losses.items()])
    best = trained[0]
    ahead = [
        one.name
        for one in comparison.baselines
        if not _round(best.loss.mean) < _round(one.validation_loss)
    ]
    beside = (
        f"{best.decoder} is not lower than {listed(ahead)}" if ahead else f"{best.decoder} is lower"
    )
    return [f"Without training: {reached}; {beside}."]


def published(comparison: Comparison) -> bool:
    """Whether two tutorial models were compared, instead of operators in one model."""
    return comparison.config.get("experiment") == "published"


def _ranking(comparison: Comparison, trained: Sequence[Row]) -> list[str]:
    if not trained:
        return ["No decoder trained."]
    best, others = trained[0], trained[1:]
    if not others:
        return [
            f"{best.decoder} reached a {best.measure} of {_loss(best)}.",
            "There is no other decoder to compare it with.",
        ]
    if apart(comparison):
        return _apart(best, apart(comparison))
    if published(comparison):
        return _published(best, others[0])
    if not same_seeds(comparison):
        return _unequal_seeds(best, trained)
    if moving := learning(comparison):
        return _learning(comparison, best, moving)
    if best.loss.count == 1:
        return _one_seed(best, others[0])
    if best.loss.count < LEAST_SEEDS:
        return _few_seeds(best, others[0])
    return _judged(best, differences(comparison), comparison.margin)


def learning(comparison: Comparison) -> list[Unsettled]:
    """Return the pairs whose order longer training may change, where only training is amiss."""
    return [] if apart(comparison) or published(comparison) else unsettled(comparison)


def _judged(best: Row, found: Sequence[Difference], margin: float | None) -> list[str]:
    equal = [one for one in found if one.within(margin)]
    open_ = [one for one in found if not one.decided and one not in equal]
    clear = [one.decoder for one in found if one.decided and one not in equal]
    if open_:
        said = [*_undecided(best, open_), *([f"{_equal(best, equal, margin)}."] if equal else [])]
    elif equal:
        said = [
            f"No winner: {_equal(best, equal, margin)}.",
            f"{best.decoder} has the lowest {best.measure}, {_loss(best)}; "
            f"{listed([f'{one.decoder} is {interval(one)} behind' for one in equal])}.",
        ]
    else:
        said, clear = _decided(best, found), []
    return [*said, *_clear(best, clear), _visible(found, best), *_needed(open_)]


def _equal(best: Row, equal: Sequence[Difference], margin: float | None) -> str:
    names = listed([one.decoder for one in equal])
    verb = "is" if len(equal) == 1 else "are"
    return (
        f"{names} {verb} equal to {best.decoder} within {with_unit(str(margin), best.unit)}, the "
        "margin stated before the run"
    )


def _clear(best: Row, clear: Sequence[str]) -> list[str]:
    if not clear:
        return []
    verb = "is" if len(clear) == 1 else "are"
    ends = "its interval excludes" if len(clear) == 1 else "their intervals exclude"
    return [f"{listed(clear)} {verb} behind {best.decoder}: {ends} zero."]


def _learning(comparison: Comparison, best: Row, moving: Sequence[Unsettled]) -> list[str]:
    first, others = moving[0], len(moving) - 1
    if any(len(one.history) == 1 for one in comparison.trials):
        still = "losses still fall" if comparison.task.paired else f"{best.measure} still falls"
        why = f"one epoch does not show how far {still}"
    elif math.isnan(first.moved):
        loss = "loss" if comparison.task.paired else best.measure
        why = f"{first.ahead} or {first.behind} had a {loss} near the end that is not finite"
    else:
        losses = "losses" if comparison.task.paired else best.measure
        moved = with_unit(_rounded(first.moved), best.unit)
        why = (
            f"the last tenth of training still moved the {losses} of {first.ahead} and "
            f"{first.behind} by up to {moved}; their order would be settled if that were less "
            f"than {_rounded(first.apart)}"
        )
        if others:
            why += (
                f"; the same holds for {_count(others)} other {'pairs' if others > 1 else 'pair'}"
            )
    return [
        f"Still learning: the order may change; try --epochs {more_epochs(comparison)}.",
        f"No winner is named: {why}.",
        f"{best.decoder} ended lowest: {_ended(best)}.",
    ]


def apart(comparison: Comparison) -> list[str]:
    """Return how joined runs differ, besides their decoders."""
    return list(comparison.config.get("differences", []))


def _apart(best: Row, differing: Sequence[str]) -> list[str]:
    return [
        "No winner is named, because the runs differ in more than their decoders: "
        f"{'; '.join(differing)}.",
        f"{best.decoder} ended lowest: {_ended(best)}. This comparison does not show why.",
    ]


def _unequal_seeds(best: Row, trained: Sequence[Row]) -> list[str]:
    counts = listed([f"{row.decoder} with {row.loss.count}" for row in trained])
    return [
        f"No winner is named, because the decoders were not trained with the same seeds: {counts}.",
        f"{best.decoder} ended lowest: {_ended(best)}.",
    ]


def _published(best: Row, other: Row) -> list[str]:
    return [
        "This comparison is confounded: it shows nothing about upsampling against transposed "
        "convolution, because the two models differ in much more.",
        f"{best.decoder} had the lower {best.measure}, {_loss(best)}; {other.decoder} ended at "
        f"{_rounded(other.loss.mean)}.",
    ]


def _one_seed(best: Row, second: Row) -> list[str]:
    return [
        f"{best.decoder} ended lowest, but one seed per decoder names no winner.",
        f"Its {best.measure} is {_loss(best)}; {second.decoder} is next, "
        f"{_behind(best, second)}. Another seed might reverse the order: repeat with several "
        "seeds.",
    ]


def _few_seeds(best: Row, second: Row) -> list[str]:
    return [
        f"{best.decoder} ended lowest, but {_count(best.loss.count)} seeds per decoder name no "
        "winner.",
        f"Its {best.measure} is {_loss(best)}; {second.decoder} is next, "
        f"{_behind(best, second)}. A confidence interval needs at least "
        f"{_count(LEAST_SEEDS)} seeds; five are better, ten better still.",
    ]


def _decided(best: Row, others: Sequence[Difference]) -> list[str]:
    who = others[0].decoder if len(others) == 1 else "every other decoder"
    intervals = "interval" if len(others) == 1 else "intervals"
    return [
        f"{best.decoder} had the lowest {best.measure}: {_loss(best)}.",
        f"It differs from {who} by more than the seeds vary: the 95% confidence {intervals} of the "
        f"paired differences exclude{'s' if len(others) == 1 else ''} zero. {others[0].decoder} is "
        f"next, {interval(others[0])} behind.",
    ]


def _undecided(best: Row, open_: Sequence[Difference]) -> list[str]:
    names = listed([best.decoder, *(one.decoder for one in open_)])
    intervals = "interval includes" if len(open_) == 1 else "intervals include"
    return [
        f"No clear winner: this run does not tell {names} apart.",
        f"{best.decoder} has the lowest {best.measure}, {_loss(best)}. "
        f"{listed([f'{one.decoder} ({interval(one)} behind)' for one in open_])} "
        f"{'is' if len(open_) == 1 else 'are'} not clearly different: the 95% confidence "
        f"{intervals} zero.",
    ]


def _visible(found: Sequence[Difference], best: Row) -> str:
    """Say how large a difference must be to be seen."""
    halves = [_rounded(one.half_width) for one in found]
    low, high = min(halves, key=float), max(halves, key=float)
    limit = low if low == high else f"{low} to {high}"
    by = "" if low == high else ", depending on the decoder"
    return (
        f"With {_count(best.loss.count)} seeds that vary as these do, a difference from the lowest "
        f"decoder can be seen if it exceeds {with_unit(limit, best.unit)}{by}."
    )


def _needed(open_: Sequence[Difference]) -> list[str]:
    """Say how many seeds would be needed, where these do not suffice."""
    if not open_:
        return []
    seeds = listed([f"{needed(one)} seeds for {one.decoder}" for one in open_])
    return [f"If the differences are as large as they look, showing them takes {seeds}."]


def needed(one: Difference) -> str:
    """Write how many seeds would decide a difference of this size; empty where it is decided."""
    if one.decided:
        return ""
    return f"about {one.needed}" if one.needed else "more than 100"


def decisions(comparison: Comparison) -> dict[str, str]:
    """Say of every decoder but the best whether the two are told apart."""
    moving = {frozenset((one.ahead, one.behind)) for one in learning(comparison)}
    said = {}
    for one in differences(comparison):
        if frozenset((one.best, one.decoder)) in moving:
            said[one.decoder] = "still learning"
        elif one.within(comparison.margin):
            said[one.decoder] = f"equal within {comparison.margin}"
        else:
            said[one.decoder] = "yes" if one.decided else "no"
    return said


def limits(comparison: Comparison) -> list[str]:
    """Return what a comparison does not show."""
    config, paired = comparison.config, comparison.task.paired
    data = config.get("data", {}).get("name", "these")
    other = "encoder" if paired else "discriminator, another loss"
    said = [
        f"Whether the order is the same for other data than {data}, other sizes, "
        f"another {other}, or longer training.",
        "Whether images look better: the loss, PSNR and SSIM are averages over pixels and windows."
        if paired
        else "Whether images look better to people: KID, FID, precision, recall and modes are what "
        "one small classifier sees.",
    ]
    if apart(comparison):
        return said
    match = config.get("match")
    if match is None:
        said.append(
            "How the operators compare at equal cost: parameters and multiply-adds differ, as the "
            "table shows. --match parameters or --match multiply-adds makes them agree."
        )
    else:
        other = "multiply-adds" if match == "parameters" else "parameters"
        said.append(f"How the operators compare at equal {other}: only {match} were matched.")
    if config.get("search") is None:
        searching = " --search lr searches the same grid for each." if paired else ""
        said.append(
            f"Whether each decoder had its best learning rate: all had the same.{searching}"
        )
    return said


def interval(one: Difference) -> str:
    """Write a difference with its interval, in the digits of the table."""
    return f"{_rounded(one.mean)} ({_rounded(one.low)} to {_rounded(one.high)})"


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence: `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "each"


def order(row: Row) -> float:
    """Return by what rows are ranked: their loss; those that did not train are last."""
    return row.loss.mean if math.isfinite(row.loss.mean) else math.inf


def _ended(row: Row) -> str:
    """Write a loss; one without a unit is named."""
    return _loss(row) if row.unit else f"{row.measure} {_loss(row)}"


def _loss(row: Row) -> str:
    over = f" on average over {_count(row.loss.count)} seeds" if row.loss.count > 1 else ""
    said = f"{with_unit(_rounded(row.loss.mean), row.unit)}{over}"
    if row.above_floor is None:
        return said
    return f"{said}, {_rounded(row.above_floor.mean)} above the floor of the data"


def _behind(best: Row, second: Row) -> str:
    """Say how far apart two losses are, in the digits of the table."""
    gap = _rounded(_round(second.loss.mean) - _round(best.loss.mean))
    return f"{gap} behind" if float(gap) else f"the same to {LOSS_DECIMALS} decimals"


def _count(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _round(value: float) -> float:
    return round(value, LOSS_DECIMALS)


def _rounded(value: float) -> str:
    return number(value, LOSS_DECIMALS)
