"""Train on several devices: every batch is divided among them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras

from polyphase.datasets import Dataset
from polyphase.workbench.config import ConfigError, Contender


@contextmanager
def devices(
    count: int | None, contenders: Sequence[Contender], datasets: Sequence[Dataset]
) -> Iterator[None]:
    """Train on the first `count` devices within this context, by Keras' data parallelism.

    Args:
        count: number of devices; None: Keras' default.
        contenders: their batches are divided.
        datasets: their validation images are divided.

    Raises:
        ConfigError: on another backend than JAX, with fewer devices, or if the number of images is
            not divisible.
    """
    if count is None:
        yield
        return
    found = keras.distribution.list_devices() if keras.backend.backend() == "jax" else []
    if len(found) < count:
        raise ConfigError(
            f"--devices {count} needs the backend JAX and {count} devices. Received: "
            f"{keras.backend.backend()} with {len(found) or 'one'}. A CPU can act as several: "
            f"XLA_FLAGS=--xla_force_host_platform_device_count={count}."
        )
    sizes = {one.batch_size for one in contenders} | {len(one.validation) for one in datasets}
    if any(size % count for size in sizes):
        raise ConfigError(
            f"Batches and validation images must be divisible by --devices {count}. Received: "
            f"{', '.join(map(str, sorted(sizes)))}."
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found[:count]))
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)
