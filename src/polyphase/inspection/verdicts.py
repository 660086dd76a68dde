"""What a layer's numbers mean, in words, and what to do about them."""

import math
from typing import Any

import numpy as np

from polyphase.inspection.evidence import Evidence
from polyphase.inspection.readings import Reading
from polyphase.inspection.words import WORDS, Words

ROUNDING = 1e-5  # a float32 kernel's chi after repair is below this
CANCELLED = 0.05  # a share of a pattern so small is said to be cancelled
_STRENGTHS = ((0.01, "Faint"), (0.1, "Clear"), (math.inf, "Strong"))


def verdict(
    reading: Reading, chi: float, reaches: float | None, shown: Evidence | None
) -> tuple[str, str]:
    """Return what is the matter, and the remedy; the remedy is empty where none is needed.

    A repair is advised where images show the pattern.

    Args:
        reading: of the layer's weights.
        chi: its checkerboard gain.
        reaches: the share of its pattern that reaches the output; None: not measured.
        shown: what images show of it; None: no images were given, or its period is not known.
    """
    if reading.gains is None:
        return "It makes no checkerboard, whatever its weights.", ""
    if reading.overlap is not None and reading.overlap.min() == 0:
        return _empty(reading, reading.overlap)
    if reading.gradient:
        return _gradient(reading, chi)
    if chi <= ROUNDING:
        return _even(reading)
    size = "infinite" if math.isinf(chi) else f"{_percent(chi)} of its mean"
    flat = f"it turns a constant into a pattern whose strength is {size}.{_overlap(reading)}"
    parts = [
        f"{_strength(chi)} checkerboard in flat {_words(reading).areas}:",
        flat,
        _arrival(reaches),
    ]
    said = " ".join(filter(None, [*parts, _in_images(_words(reading), shown)]))
    return said, _remedy(reading, reaches, shown)


def cancelled(reaches: float | None) -> bool:
    """Return whether a pattern was measured not to reach the output."""
    return reaches is not None and reaches < CANCELLED


def _empty(reading: Reading, overlap: np.ndarray) -> tuple[str, str]:
    share = float((overlap == 0).mean())
    what = (
        f"gradient's {_words(reading).pixels} get nothing"
        if reading.gradient
        else f"{_words(reading).pixels} get nothing but the bias"
    )
    said = f"{_percent(share)} of the {what}: the kernel is smaller than the stride."
    if reading.gradient:
        return said, "Use a kernel at least as large as the stride."
    return said, (
        f"It cannot be repaired. Use {_instead(reading)}, or a kernel at least as large as the "
        "stride."
    )


def _gradient(reading: Reading, chi: float) -> tuple[str, str]:
    if chi <= ROUNDING:
        return f"Neither its {_words(reading).image} nor its gradient has a checkerboard.", ""
    return (
        f"Its {_words(reading).image} has no checkerboard, but its gradient has one whose "
        f"strength is {_percent(chi)} of its mean.{_overlap(reading)}",
        f"This matters where {_words(reading).image}s are optimised through the layer "
        "(discriminators, adversarial examples, visualisation): use stride 1 and pooling there.",
    )


def _even(reading: Reading) -> tuple[str, str]:
    if reading.biases is not None and _spread(reading.biases) > ROUNDING:
        return (
            "Its kernel makes no checkerboard, but its biases do: they differ by "
            f"{_spread(reading.biases):.2g} between phases.",
            "`polyphase.repair(model)` makes them equal.",
        )
    return "No checkerboard now: a constant stays constant. Training can change that.", (
        "Repair it again after training."
        if reading.overlap is None
        else f"To keep it so: {_constraint(reading)}."
    )


def _overlap(reading: Reading) -> str:
    if reading.overlap is None or not _uneven(reading):
        return ""
    taps = f"{reading.overlap.min()} to {reading.overlap.max()}"
    return (
        f" Its {_words(reading).pixels} get {taps} taps, because the kernel's size is not "
        "divisible by the stride."
    )


def _arrival(reaches: float | None) -> str:
    if reaches is None:
        return ""
    if cancelled(reaches):
        return f"Later layers cancel it: {_percent(reaches)} of the pattern reaches the output."
    return f"{_percent(reaches)} of the pattern reaches the output."


def _in_images(words: Words, shown: Evidence | None) -> str:
    """Say what images, signals or volumes show."""
    if shown is None:
        return ""
    period = " by ".join(dict.fromkeys(map(str, shown.period)))
    if math.isnan(shown.levels):
        return f"The {words.image}s are too small to show its period of {period} {words.pixels}."
    ends = f"{shown.low:.1f} to {shown.high:.1f}"
    seen = f"{shown.levels:.1f} {words.levels} of 255 at its period of {period} {words.pixels}"
    if shown.seen:
        return f"The {words.image}s show it: {seen} ({ends})."
    before = f"; {shown.before:.1f} in its input" if shown.before else ""
    return f"The {words.image}s do not show it: {seen} ({ends}{before})."


def _remedy(reading: Reading, reaches: float | None, shown: Evidence | None) -> str:
    if cancelled(reaches):
        return "Nothing needs to be done while those layers stay as they are."
    anew = (
        f" To train from scratch, start with {_icnr(reading)}." if reading.overlap is None else ""
    )
    if shown is None or math.isnan(shown.levels):
        image = _words(reading).image
        return f"To see whether your {image}s show it: `polyphase.inspect(model, images=x)`.{anew}"
    if not shown.seen:
        return f"Nothing needs to be done for such {_words(reading).image}s."
    repair = (
        "`polyphase.repair(model)` makes its kernel even with the least change; train on afterwards"
    )
    if reading.overlap is None:
        return f"{repair}.{anew}"
    instead = f" Or train from scratch with {_instead(reading)}."
    return f"{repair}, with {_constraint(reading)}.{instead if _uneven(reading) else ''}"


def _words(reading: Reading) -> Words:
    return WORDS[len(reading.factor)]


def _instead(reading: Reading) -> str:
    return f"upsampling and a convolution (UpSampleConv{len(reading.factor)}D)"


def _constraint(reading: Reading) -> str:
    return f"`kernel_constraint=polyphase.constraints.EvenPhases({_code(reading.factor)})`"


def _icnr(reading: Reading) -> str:
    order = "" if reading.order == "dcr" else f', order="{reading.order}"'
    return f"`polyphase.initializers.ICNR({_code(reading.factor)}{order})`"


def _code(factor: tuple[Any, ...]) -> str:
    return str(factor[0]) if len(set(factor)) == 1 else str(factor)


def _uneven(reading: Reading) -> bool:
    return reading.overlap is not None and reading.overlap.min() != reading.overlap.max()


def _spread(biases: Any) -> float:
    phases = biases.reshape(-1, biases.shape[-1])
    return float((phases - phases.mean(axis=0)).std(axis=0).max())


def _strength(chi: float) -> str:
    return next(word for limit, word in _STRENGTHS if chi < limit or limit == math.inf)


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.095 else f"{100 * share:.0f}%"
