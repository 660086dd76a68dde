"""Where the backend computes: what is fast on a CPU need not be on a GPU."""

import functools
import importlib.metadata
import warnings

import keras

# On a CPU, jaxlib 0.10.2 computes wrong float32 under jit (jax-ml/jax#39103), and both end the
# process in some reductions over seven or eight axes (jax-ml/jax#39257, #40412).
BROKEN_JAXLIB = ("0.10.2", "0.11.0")


@functools.lru_cache
def in_use(backend: str) -> str:
    """Return what a Keras backend computes on: "cpu", "gpu", or another, such as "tpu" or "mps"."""
    if backend == "jax":
        import jax

        device = jax.default_backend()
        if device == "cpu":
            _warn_of_a_broken_jaxlib()
        return device
    if backend == "tensorflow":
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu"
    import torch

    if torch.cuda.is_available():
        return "gpu"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def is_xla_cpu() -> bool:
    """Return whether the backend in use is JAX, on a CPU."""
    return keras.backend.backend() == "jax" and in_use("jax") == "cpu"


def is_torch_cpu() -> bool:
    """Return whether the backend in use is PyTorch on a CPU, and is not being traced."""
    return keras.backend.backend() == "torch" and in_use("torch") == "cpu" and not is_traced()


def is_traced() -> bool:
    """Return whether PyTorch's tracer is recording operations, as it does in an export."""
    if keras.backend.backend() != "torch":
        return False
    import torch

    return bool(torch.jit.is_tracing())


@functools.lru_cache
def has_onednn(backend: str) -> bool:
    """Return whether a backend is TensorFlow, computing by oneDNN's kernels and not by its own.

    TensorFlow decides when it starts: by `TF_ENABLE_ONEDNN_OPTS`, else by whether the processor has
    AVX-512 VNNI. Its own kernels have another order of what is fast.
    """
    if backend != "tensorflow":
        return False
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:  # no public function says it
        return True
    return bool(_pywrap_util_port.IsMklEnabled())


def _warn_of_a_broken_jaxlib() -> None:
    """Warn, once, as the caller remembers its result, where results may be wrong."""
    version = importlib.metadata.version("jaxlib")
    if version in BROKEN_JAXLIB:
        excluded = ",".join(f"!={one}" for one in BROKEN_JAXLIB)
        warnings.warn(
            f"jaxlib {version} is broken on CPUs: 0.10.2 computes wrong numbers without an error, "
            "0.10.2 and 0.11.0 can crash. Releases 0.10.1, 0.11.1 and newer are not affected. "
            f"Run: pip install 'jax>=0.10.1,{excluded}' 'jaxlib>=0.10.1,{excluded}'",
            RuntimeWarning,
            stacklevel=2,
        )
