"""By how much a process grows."""

import subprocess
import sys

import pytest

# In a process of its own: what other tests left behind may grow meanwhile.
_GROWTHS = """
import numpy as np
from polyphase.memory import growth
print(growth(lambda: np.ones(2**26, "uint8").sum()), growth(lambda: None))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_process_grows_by_what_it_takes_even_if_it_gives_it_back():
    done = subprocess.run(
        [sys.executable, "-c", _GROWTHS], capture_output=True, text=True, check=True
    )
    taken, nothing = map(float, done.stdout.split())
    assert 60 < taken < 100
    assert nothing < 30
