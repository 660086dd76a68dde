"""Where the backend computes: what is fast on a CPU need not be on a GPU."""

import functools


@functools.lru_cache
def in_use(backend: str) -> str:
    """Return what a Keras backend computes on: "cpu", "gpu", or another, such as "tpu" or "mps"."""
    if backend == "jax":
        import jax

        return jax.default_backend()
    if backend == "tensorflow":
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu"
    import torch

    if torch.cuda.is_available():
        return "gpu"
    return "mps" if torch.backends.mps.is_available() else "cpu"
