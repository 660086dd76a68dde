"""One colour per decoder, the same in every figure and on the page."""

from collections.abc import Sequence

# Okabe and Ito's colours, which people with any of the common colour blindnesses tell apart; their
# yellow is left out because it vanishes on white.
_KNOWN = {
    "nearest": "#0072B2",
    "bilinear": "#56B4E9",
    "transposed-3": "#D55E00",
    "transposed-4": "#E69F00",
    "subpixel": "#009E73",
    "upsampling": "#0072B2",
    "transposed": "#D55E00",
}
_SPARE = ("#CC79A7", "#808080", "#8C6D31", "#7B7DC9", "#C4635F")


def colours(decoders: Sequence[str]) -> dict[str, str]:
    """Return the colour of each decoder as `#RRGGBB`.

    A decoder known by name has the same colour in every comparison; the others take spare colours
    in their order.
    """
    unknown = [name for name in decoders if name not in _KNOWN]
    spare = {name: _SPARE[index % len(_SPARE)] for index, name in enumerate(unknown)}
    return {name: _KNOWN.get(name) or spare[name] for name in decoders}
