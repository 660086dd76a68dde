"""Widths at which decoders cost the same."""

import pytest

from polyphase.models import comparison_autoencoder
from polyphase.workbench import ConfigError
from polyphase.workbench.matching import MATCHES, matched_widths

DECODERS = ("nearest", "transposed-4", "subpixel")


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.grid(1)
def test_any_two_decoders_agree_within_three_percent(match):
    shape = (12, 16, 3)
    widths = matched_widths(DECODERS, shape, match)
    costs = []
    for name in DECODERS:
        model = comparison_autoencoder(name, shape, widths[name])
        assert [layer.output.shape[-1] for layer in model.layers if "up_" in layer.name] == [
            *widths[name],
            3,
        ]
        costs.append(MATCHES[match](model))
    assert max(costs) / min(costs) <= 1.03
    assert (8, 8) in widths.values()


def test_what_cannot_be_matched_is_said(monkeypatch):
    monkeypatch.setattr("polyphase.workbench.matching.MOST", 2)
    with pytest.raises(ConfigError, match="No widths up to 2 channels give 'nearest'"):
        matched_widths(("nearest", "subpixel"), (8, 8, 1), "parameters")
