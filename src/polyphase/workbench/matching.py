"""Find widths with which all decoders cost the same."""

import functools
import math
from collections.abc import Callable, Sequence

import keras

from polyphase.rewrite.cost import Cost
from polyphase.rewrite.zeros import random_weights_are_zeros
from polyphase.workbench.config import ConfigError, Contender

Widths = tuple[int, int]
Shape = tuple[int, int, int]

TOLERANCE = 0.03  # between any two
MOST = 64  # channels of a stage that are tried
NEAR = 4  # channels to either side of equal widths that are tried


def _computed(model: keras.Model) -> int:
    cost = Cost.of(model)
    if cost is None:
        raise ConfigError(
            f"The multiply-adds of {model.name} are not known. Use --match parameters instead."
        )
    return cost.multiply_adds


MATCHES: dict[str, Callable[[keras.Model], int]] = {
    "parameters": lambda model: int(model.count_params()),
    "multiply-adds": _computed,
}


def matched_widths(contenders: Sequence[Contender], shape: Shape, match: str) -> dict[str, Widths]:
    """Return widths of the two inner stages with which all decoders cost the same, within 3%.

    The decoder that costs most keeps the encoder's width; the others become wider. The cost of the
    decoder is matched, without that of the encoder, which is the same for all.

    Args:
        contenders: models with one width and encoder.
        shape: `(height, width, channels)` of the images.
        match: "parameters", or "multiply-adds" as this backend's lowerings compute them.

    Raises:
        ConfigError: if no widths up to 64 channels match, or a decoder's multiply-adds are not
            known.
    """
    costs = {one.name: _cost(one, shape, MATCHES[match]) for one in contenders}
    standard = (contenders[0].width or 1,) * 2
    target = max(cost(standard) for cost in costs.values())
    return {name: _widths(name, cost, target, match) for name, cost in costs.items()}


def _cost(
    one: Contender, shape: Shape, count: Callable[[keras.Model], int]
) -> Callable[[Widths], int]:
    """Return a decoder's cost by its widths; every model is made once."""

    @functools.cache
    def cost(widths: Widths) -> int:
        with random_weights_are_zeros():
            model = one.build(shape, widths=widths)
        return count(model) - count(keras.Model(model.inputs, model.get_layer("up_1").input))

    return cost


def _widths(decoder: str, cost: Callable[[Widths], int], target: int, match: str) -> Widths:
    """Return widths near enough to a target, the most equal ones."""

    def off(widths: Widths) -> float:
        return abs(math.log(cost(widths) / target))

    middle = _equal(cost, target)
    near = [
        (v, w)
        for v in range(max(1, middle - NEAR), min(MOST, middle + NEAR) + 1)
        for w in range(max(1, middle - NEAR), min(MOST, middle + NEAR) + 1)
    ]
    near.sort(key=lambda one: (abs(math.log(one[0] / one[1])), abs(one[0] - middle)))
    for one in near:
        if off(one) <= math.log(1 + TOLERANCE) / 2:
            return one
    best = min(near, key=off)
    raise ConfigError(
        f"No widths up to {MOST} channels give the decoder {decoder!r} {target:,} {match}, as many "
        f"as the decoder that costs most has. The nearest: {cost(best):,} with widths {best}. "
        f"Leave {decoder!r} out, or compare without --match."
    )


def _equal(cost: Callable[[Widths], int], target: int) -> int:
    """Return the least width of both stages that costs the target, by bisection."""
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if cost((middle, middle)) >= target else (middle + 1, high)
    return low
