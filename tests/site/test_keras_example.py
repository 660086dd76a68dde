"""The example for keras.io has that site's form, and runs by itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "keras" / "choosing_how_to_upsample.py"
FIELDS = ("Title", "Author", "Date created", "Last modified", "Description", "Accelerator")


def test_it_has_the_form_of_the_site():
    text = EXAMPLE.read_text()
    head = text.split('"""')[1].strip().splitlines()
    assert [line.split(":")[0] for line in head] == list(FIELDS)
    lines = text.splitlines()
    assert len(lines) <= 300
    assert max(map(len, lines)) < 90


@pytest.mark.exhaustive
def test_it_runs_by_itself(tmp_path):
    """With fewer epochs and seeds, which take minutes."""
    code, epochs = re.subn(r"(?m)^EPOCHS = \d+$", "EPOCHS = 1", EXAMPLE.read_text())
    code, seeds = re.subn(r"(?m)^SEEDS = range\(5\)$", "SEEDS = range(2)", code)
    assert (epochs, seeds) == (1, 1)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "behind by" in ran.stdout
