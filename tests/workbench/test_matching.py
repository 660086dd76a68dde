"""Widths at which decoders cost the same."""

import numpy as np
import pytest

from polyphase.models import comparison_autoencoder
from polyphase.rewrite import Cost
from polyphase.workbench import ConfigError, contender
from polyphase.workbench.matching import MATCHES, matched_widths

COUNTS = {
    "parameters": lambda model: sum(int(np.prod(one.shape)) for one in model.weights),
    "multiply-adds": lambda model: Cost.of(model).multiply_adds,
}
DECODERS = ("nearest", "transposed-4", "subpixel", "bilinear+conv")


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.grid(1)
def test_any_two_decoders_agree_within_three_percent(match):
    shape = (12, 16, 3)
    widths = matched_widths([contender(name, width=6) for name in DECODERS], shape, match)
    costs = []
    for name in DECODERS:
        model = comparison_autoencoder(name, shape, widths[name], width=6)
        assert [layer.output.shape[-1] for layer in model.layers if "up_" in layer.name] == [
            *widths[name],
            3,
        ]
        costs.append(COUNTS[match](model))
    assert max(costs) / min(costs) <= 1.03
    assert (6, 6) in widths.values()


def test_what_is_matched_is_what_is_computed(backend):
    """By differences nearest needs the products of a transposed 3x3: nothing is to be widened."""
    if backend != "jax":
        pytest.skip("other backends' tables choose other lowerings")
    both = [contender(name) for name in ("nearest", "transposed-3")]
    assert set(matched_widths(both, (28, 28, 1), "multiply-adds").values()) == {(8, 8)}


def test_what_cannot_be_matched_is_said(monkeypatch):
    monkeypatch.setattr("polyphase.workbench.matching.MOST", 2)
    both = [contender(name) for name in ("nearest", "subpixel")]
    with pytest.raises(ConfigError, match="No widths up to 2 channels give the decoder 'nearest'"):
        matched_widths(both, (8, 8, 1), "parameters")
