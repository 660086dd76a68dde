"""What a measurement needs beside it: the machine and the versions of what ran."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from polyphase._version import __version__


def versions() -> dict[str, str]:
    """Return the versions of Python, Polyphase, Keras, NumPy and the backend in use."""
    packages = ("keras", "numpy", keras.backend.backend())
    found = {"python": platform.python_version(), "polyphase": __version__}
    return found | {name: metadata.version(_distribution(name)) for name in packages}


def machine() -> dict[str, Any]:
    """Return the number of processors, their name and the operating system's."""
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "platform": platform.platform(),
    }


def _distribution(package: str) -> str:
    """Return the distribution that provides a package (tensorflow has several)."""
    return metadata.packages_distributions()[package][0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
