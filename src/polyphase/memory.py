"""By how much a process grows at most while it computes."""

import ctypes
import gc
from pathlib import Path

from polyphase.timing import Run

_PROCESS = Path("/proc/self")


def growth(run: Run) -> float | None:
    """Return by how many MiB this process grows at most while it runs something twice.

    What it needs at the first call only, such as a compiler, counts: call it once before.

    Returns:
        MiB of the memory that is resident; None where the system does not tell, which Linux does.
    """
    try:
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # give back what was freed
        (_PROCESS / "clear_refs").write_text("5")  # set Linux' high-water mark back
        before = _resident("VmRSS")
    except OSError:
        return None
    run()
    run()
    return _resident("VmHWM") - before


def _resident(what: str) -> float:
    """Return a line of the process' status in MiB."""
    lines = (_PROCESS / "status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(what))) / 1024
