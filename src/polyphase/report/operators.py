"""What each decoder of a comparison does, what it can imitate, and how two decoders differ."""

from polyphase.models import TRAITS
from polyphase.report.findings import listed
from polyphase.workbench.results import Comparison

OWN = "a decoder of your own"


def operators(comparison: Comparison) -> dict[str, str]:
    """Return what every decoder does, and which others of the comparison it can imitate."""
    return {name: _said(comparison, name) for name in comparison.decoders}


def factors(comparison: Comparison, one: str, other: str) -> str:
    """Return the factors in which two decoders differ; empty where one is a user's own."""
    names = [_known(comparison, name) for name in (one, other)]
    if not any("/" in name for name in names):
        return _factors(*names)
    earlier, last = zip(*((name.split("/") * 2)[:2] for name in names), strict=True)
    found = {"earlier stages": earlier, "last stage": last}
    parts = {place: _factors(*pair) for place, pair in found.items() if pair[0] != pair[1]}
    return "; ".join(f"{place}: {part}" for place, part in parts.items() if part)


def _factors(one: str, other: str) -> str:
    if one not in TRAITS or other not in TRAITS:
        return ""
    return ", ".join(TRAITS[one].differs(TRAITS[other])) or "first weights"


def _said(comparison: Comparison, name: str) -> str:
    known = _known(comparison, name)
    traits = TRAITS.get(known)
    if traits is None:
        return _mixed(*known.split("/")) if "/" in known else OWN
    side = traits.pixels
    weights = f"{traits.weights} weights for each pair of channels"
    window = f"an output pixel sees up to {side} by {side} pixels of its input; {weights}"
    if traits.predicted:
        window = f"{weights}, plus those that predict"
    return "; ".join(filter(None, [traits.operator, window, _imitated(comparison, name)]))


def _mixed(earlier: str, last: str) -> str:
    first, second = (TRAITS[one].operator if one in TRAITS else OWN for one in (earlier, last))
    return f"the earlier stages: {first}; the last: {second}"


def _imitated(comparison: Comparison, name: str) -> str:
    """Name the decoders that a decoder contains: with some weights it does the same."""
    traits = TRAITS[_known(comparison, name)]
    found = [
        other
        for other in comparison.decoders
        if other != name
        and _known(comparison, other) in TRAITS
        and traits.contains(TRAITS[_known(comparison, other)])
    ]
    return f"can do everything that {listed(found)} can at the same width" if found else ""


def _known(comparison: Comparison, name: str) -> str:
    """Return a decoder's name before runs were joined."""
    return str(comparison.config.get("names", {}).get(name, name))
