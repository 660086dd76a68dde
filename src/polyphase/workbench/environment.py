"""What is recorded with every measurement: the machine and the versions of packages."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from polyphase._version import __version__
from polyphase.ops import device


def versions() -> dict[str, str]:
    """Return the versions of Python, Polyphase, Keras, NumPy and the backend in use."""
    packages = ("keras", "numpy", keras.backend.backend())
    found = {"python": platform.python_version(), "polyphase": __version__}
    return found | {name: metadata.version(_distribution(name)) for name in packages}


def machine() -> dict[str, Any]:
    """Return the number of processors, their name, the operating system's, and the GPU in use."""
    found = {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "platform": platform.platform(),
    }
    backend = keras.backend.backend()
    return found | ({} if device.in_use(backend) == "cpu" else {"accelerator": _GPU[backend]()})


def _distribution(package: str) -> str:
    """Return the distribution that provides a package (tensorflow has several)."""
    return metadata.packages_distributions()[package][0]


def _jax_gpu() -> str:
    import jax

    return str(jax.devices()[0].device_kind)


def _tensorflow_gpu() -> str:
    import tensorflow as tf

    first = tf.config.list_physical_devices("GPU")[0]
    return str(tf.config.experimental.get_device_details(first).get("device_name", first.name))


def _torch_gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "mps"


_GPU = {"jax": _jax_gpu, "tensorflow": _tensorflow_gpu, "torch": _torch_gpu}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
