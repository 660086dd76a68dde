"""One backend per process: KERAS_BACKEND, else JAX, whatever a Keras configuration file says."""

import atexit
import os
import shutil
import sys
import tempfile
from importlib.metadata import version

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Tests compile thousands of small programs and run each once or twice: on JAX compiling is most of
# their time. XLA's optimisations stay off (`JAX_DISABLE_MOST_OPTIMIZATIONS=0 make test` has them),
# and the workers and the commands that tests start share what one of them has compiled.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="polyphase-compiled-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
if version("jaxlib").startswith(
    "0.10."
):  # half of what compiling takes there; unknown to later ones
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

# Workers whose threads share the processors wait for each other.
if hasattr(os, "sched_setaffinity") and "PYTEST_XDIST_WORKER" in os.environ:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(os.environ["PYTEST_XDIST_WORKER"][2:]) % len(cores)]})

import keras
import numpy as np
import pytest

import polyphase as pp

sys.modules["openvino_telemetry"] = None  # OpenVINO would fork to send usage statistics


def pytest_report_header():
    return f"keras {keras.__version__} on {keras.backend.backend()}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark all but `n` cases of a test marked `grid(n)` as exhaustive, evenly spread."""
    grids = {}
    for item in items:
        if item.get_closest_marker("grid"):
            grids.setdefault(item.nodeid.split("[")[0], []).append(item)
    for cases in grids.values():
        (kept,) = cases[0].get_closest_marker("grid").args
        stays = {round(i * len(cases) / kept) for i in range(kept)}
        for index, item in enumerate(cases):
            if index not in stays:
                item.add_marker(pytest.mark.exhaustive)


def tensor_type(backend):
    """Return the class of a framework's own tensors."""
    if backend == "jax":
        import jax

        return jax.Array
    if backend == "tensorflow":
        import tensorflow

        return tensorflow.Tensor
    import torch

    return torch.Tensor


@pytest.fixture(scope="session", autouse=True)
def backend():
    """The backend's name, after a proof that it is the one that computes."""
    name = os.environ["KERAS_BACKEND"]
    if name == "torch":
        import torch

        torch.set_num_threads(1)  # tiny images: on a busy machine threads wait for each other
    assert keras.backend.backend() == name
    y = pp.layers.UpSampling2D()(np.ones((1, 2, 2, 1), "float32"))
    assert isinstance(y, tensor_type(name)), f"{name} asked for, {type(y)} computed"
    return name
