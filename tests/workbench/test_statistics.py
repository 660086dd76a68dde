"""Paired differences: their intervals against theory, and who is left out."""

import math

import numpy as np
import pytest

from polyphase.workbench.statistics import differences
from tests.report.test_findings import with_losses


def test_differences_are_to_the_best_the_nearest_first():
    found = differences(
        with_losses({"nearest": [0.5] * 3, "bilinear": [0.2] * 3, "subpixel": [0.3] * 3})
    )
    assert [(one.decoder, one.best) for one in found] == [
        ("subpixel", "bilinear"),
        ("nearest", "bilinear"),
    ]
    assert found[0].mean == pytest.approx(0.1)
    assert found[0].low == pytest.approx(0.1)
    assert all(one.decided for one in found)


def test_the_interval_of_many_seeds_is_that_of_the_normal_distribution():
    noise = np.random.default_rng(3).standard_normal(60)
    base = 0.5 + np.random.default_rng(4).standard_normal(60)
    (one,) = differences(with_losses({"nearest": list(base + 1 + noise), "bilinear": list(base)}))
    half = 1.96 * noise.std(ddof=1) / math.sqrt(60)
    assert one.low == pytest.approx(1 + noise.mean() - half, abs=0.03)
    assert one.high == pytest.approx(1 + noise.mean() + half, abs=0.03)


def test_more_decoders_make_every_interval_wider():
    generator = np.random.default_rng(5)
    losses = {name: list(generator.random(10)) for name in ("nearest", "bilinear")}
    (alone,) = differences(with_losses(losses))
    losses |= {name: [9 + x for x in generator.random(10)] for name in ("subpixel", "transposed-3")}
    first = differences(with_losses(losses))[0]
    assert first.decoder == alone.decoder
    assert first.high - first.low > alone.high - alone.low


def test_two_seeds_have_no_interval_and_a_diverged_decoder_is_left_out():
    (one,) = differences(with_losses({"nearest": [1.0, 1.0], "bilinear": [2.0, 2.0]}))
    assert (one.low, one.high) == (-math.inf, math.inf)
    assert not one.decided
    left = with_losses({"nearest": [1.0] * 3, "bilinear": [math.nan, 2.0, 2.0]})
    assert differences(left) == []
