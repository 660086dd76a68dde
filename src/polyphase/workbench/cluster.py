"""Trainings on several processes or machines, by Dask; the results are those of one process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset, load
from polyphase.workbench.config import ConfigError, Contender
from polyphase.workbench.results import Epoch
from polyphase.workbench.training import train

SECONDS = 10  # to wait for a scheduler
Task = tuple[Contender, int]
Result = tuple[list[np.ndarray], tuple[Epoch, ...]]


class Cluster:
    """Workers that train.

    Args:
        client: of `distributed`.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def train(self, tasks: Sequence[Task], dataset: Dataset) -> Iterator[Result]:
        """Yield weights and history of every training, in the order of the tasks.

        All are submitted at once. One whose worker dies is trained again by another worker.
        """
        backend = keras.backend.backend()
        # Loaded by the workers, as a task: what a dying worker takes with it is loaded again.
        data = self.client.submit(_load, dataset.source, dataset.sha256, backend)
        futures = [self.client.submit(_train, one, seed, data) for one, seed in tasks]
        for future in futures:
            yield future.result()


@contextmanager
def cluster(workers: int | None, scheduler: str | None) -> Iterator[Cluster | None]:
    """Yield workers: so many processes here, or those of a scheduler; None: neither was asked for.

    Args:
        workers: processes on this machine.
        scheduler: address of a running one, `tcp://host:port`.

    Raises:
        ConfigError: if the scheduler does not answer within ten seconds.
        ImportError: if Dask is not installed.
    """
    if workers is None and scheduler is None:
        yield None
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError(
            "--workers and --scheduler need Dask. Run: pip install 'polyphase[cluster]'"
        ) from error
    if scheduler is not None:
        with _answering(Client, scheduler) as client:
            yield Cluster(client)
        return
    local = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with local, Client(local) as client:
        yield Cluster(client)


def _answering(client: Any, scheduler: str) -> Any:
    try:
        return client(scheduler, timeout=SECONDS)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The scheduler {scheduler} does not answer within {SECONDS} s. Start one with "
            "`dask scheduler` and workers with `dask worker ADDRESS`, and give its address as "
            "tcp://host:port."
        ) from error


def _load(source: str, sha256: str, backend: str) -> Dataset:
    """Load the data on a worker, and say if it is not as it should be there."""
    if keras.backend.backend() != backend:
        raise ConfigError(
            f"A worker has the backend {keras.backend.backend()}, this run {backend}. Start "
            f"workers with KERAS_BACKEND={backend}."
        )
    dataset = load(source)
    if dataset.sha256 != sha256:
        raise ConfigError(f"A worker finds other data at {source}: its SHA-256 differs.")
    return dataset


def _train(contender: Contender, seed: int, dataset: Dataset) -> Result:
    model, history = train(contender, dataset, seed, lambda *_: None)
    return model.get_weights(), history
