"""When a training is over."""

import numpy as np
import pytest

from polyphase.workbench import Epoch, contender
from polyphase.workbench.plateau import done, flat


def first_flat(losses):
    """Return after how many epochs it would have stopped."""
    return next((n for n in range(1, len(losses) + 1) if flat(losses[:n])), None)


def test_a_curve_that_falls_is_not_flat_and_one_that_has_fallen_is():
    epochs = np.arange(1, 1001)
    assert first_flat(0.1 + 1 / epochs**0.5) is None  # falls by more than 0.2% a fifth
    settled = 0.1 + 0.3 * np.exp(-epochs / 20)
    stop = first_flat(settled)
    assert 100 < stop < 250
    assert settled[stop - 1] < 0.1 * 1.002


def test_noise_does_not_stop_a_curve_that_falls():
    epochs = np.arange(1, 601)
    for seed in range(20):
        noise = 1 + 0.003 * np.random.default_rng(seed).standard_normal(600)
        stop = first_flat((0.1 + 0.3 * np.exp(-epochs / 40)) * noise)
        assert 120 < stop < 600


def test_what_never_trained_or_exploded_is_over_after_ten_epochs():
    assert first_flat([0.5] * 30) == 11
    assert first_flat([0.5] + [float("nan")] * 30) == 11
    assert first_flat([float("nan")] * 30) == 11


def test_epochs_minutes_and_a_plateau_end_a_training():
    history = [Epoch(1.0, 0.9**i, 30.0) for i in range(9)]
    assert done(contender("nearest", epochs=9), history)
    assert not done(contender("nearest", epochs=10), history)
    assert not done(contender("nearest", minutes=5), history)
    assert done(contender("nearest", minutes=4.5), history)
    assert done(contender("nearest", epochs=9, minutes=99), history)
    constant = [Epoch(1.0, 1.0, 0.0)] * 11
    assert done(contender("nearest", minutes=5), constant)
    assert not done(contender("nearest", minutes=5), constant[:10])
    assert not done(contender("nearest", epochs=12), constant)


@pytest.mark.parametrize("name", ["nearest", "upsampling"])
def test_without_a_number_of_epochs_there_is_a_bound(name):
    assert contender(name, minutes=5).epochs == 2000
