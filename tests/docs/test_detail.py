"""The share of fine detail that the documentation shows recovers a share that was planted."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "detail.py"


@pytest.fixture(scope="module")
def share():
    spec = importlib.util.spec_from_file_location("detail", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.share


@pytest.mark.parametrize("planted", [0, 0.01, 0.1, 0.5])
def test_a_planted_share_is_recovered_within_a_tenth_and_none_from_nothing(share, planted):
    """Patches of large random fields: coarse ones to 0.12 cycles per pixel, fine ones from 0.3."""
    rng = np.random.default_rng(0)
    frequency = np.abs(np.fft.fftfreq(512))
    across = np.maximum.outer(frequency, frequency)

    def patches(kept):
        field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((512, 512))) * kept).real
        cut = field.reshape(16, 32, 16, 32).swapaxes(1, 2).reshape(-1, 32, 32)
        cut -= cut.mean(axis=(1, 2), keepdims=True)
        return cut / cut.std()

    images = np.sqrt(1 - planted) * patches(across < 0.12) + np.sqrt(planted) * patches(
        across > 0.3
    )
    found = share(1e3 + images[..., None])
    assert found == pytest.approx(planted, rel=0.1, abs=0.003)
