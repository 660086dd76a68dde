"""One backend per process: KERAS_BACKEND, else JAX, whatever a Keras configuration file says."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

import polyphase as pp

sys.modules["openvino_telemetry"] = None  # OpenVINO would fork to send usage statistics


def pytest_report_header():
    return f"keras {keras.__version__} on {keras.backend.backend()}"


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
