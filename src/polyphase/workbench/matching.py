"""Widths with which decoders cost the same."""

import functools
import math
from collections.abc import Callable, Sequence

import keras

from polyphase.inspection import multiply_adds
from polyphase.models import comparison_autoencoder
from polyphase.workbench.config import ConfigError

Widths = tuple[int, int]
Shape = tuple[int, int, int]

TOLERANCE = 0.03  # between any two
STANDARD = (8, 8)
MOST = 64  # channels of a stage that are tried
MATCHES: dict[str, Callable[[keras.Model], int]] = {
    "parameters": lambda model: int(model.count_params()),
    "multiply-adds": multiply_adds,
}


def matched_widths(decoders: Sequence[str], shape: Shape, match: str) -> dict[str, Widths]:
    """Return widths of the two inner stages with which all decoders cost the same, within 3%.

    The dearest decoder keeps the standard widths (8, 8); the others become wider. What is matched
    is the decoder's cost, without the encoder, which is the same for all.

    Args:
        decoders: names, as `comparison_autoencoder` takes them.
        shape: `(height, width, channels)` of the images.
        match: "parameters" or "multiply-adds".

    Raises:
        ConfigError: if no widths up to 64 channels match.
    """
    count = MATCHES[match]
    first = comparison_autoencoder(decoders[0], shape)
    encoder = count(keras.Model(first.inputs, first.layers[5].output))

    def built(name: str, widths: Widths) -> int:
        return count(comparison_autoencoder(name, shape, widths)) - encoder

    costs = {name: _Cost(functools.partial(built, name)) for name in decoders}
    target = max(cost(STANDARD) for cost in costs.values())
    return {name: _widths(name, cost, target, match) for name, cost in costs.items()}


class _Cost:
    """A decoder's cost by its widths `v` and `w`: `a + b v + c w + d v w`, from four models."""

    def __init__(self, built: Callable[[Widths], int]) -> None:
        self.built = built
        corners = [built(widths) for widths in ((1, 1), (2, 1), (1, 2), (2, 2))]
        self.v, self.w = corners[1] - corners[0], corners[2] - corners[0]
        self.vw = corners[3] - corners[2] - self.v
        self.one = corners[0]

    def __call__(self, widths: Widths) -> int:
        v, w = widths[0] - 1, widths[1] - 1
        return self.one + self.v * v + self.w * w + self.vw * v * w


def _widths(decoder: str, cost: _Cost, target: int, match: str) -> Widths:
    """Return the widths nearest to a target, of those near enough the most equal ones."""

    def off(widths: Widths) -> float:
        return abs(math.log(cost(widths) / target))

    tried: list[Widths] = [(v, w) for v in range(1, MOST + 1) for w in range(1, MOST + 1)]
    near = [one for one in tried if off(one) <= math.log(1 + TOLERANCE) / 2] or [
        min(tried, key=off)
    ]
    best = min(near, key=lambda one: (abs(math.log(one[0] / one[1])), off(one)))
    if abs(cost.built(best) / target - 1) > TOLERANCE / 2:
        raise ConfigError(
            f"No widths up to {MOST} channels give {decoder!r} {target:,} {match} in its decoder, "
            f"as the dearest one has. The nearest: {cost.built(best):,} with widths {best}. Leave "
            "it out, or compare without --match."
        )
    return best
