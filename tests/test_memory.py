"""By how much a process grows."""

import sys

import numpy as np
import pytest

from polyphase.memory import growth


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_process_grows_by_what_it_takes_even_if_it_gives_it_back():
    assert 60 < growth(lambda: np.ones(2**26, "uint8").sum()) < 100
    assert growth(lambda: None) < 30
