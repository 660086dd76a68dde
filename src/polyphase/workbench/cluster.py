"""Training in several processes or machines with Dask; results are the same as in one process."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from polyphase.datasets import Dataset, load
from polyphase.workbench.config import ConfigError, Contender
from polyphase.workbench.results import Epoch
from polyphase.workbench.trainers import trainer_of

SECONDS = 10  # to wait for a scheduler
# Workers keep freed memory: Dask has the C library give it back after every step, and getting it
# anew takes as long as training does. Variables that are set already count instead.
KEPT = {
    "MALLOC_MMAP_THRESHOLD_": 2**32,
    "MALLOC_TRIM_THRESHOLD_": 2**32,
    "MALLOC_TOP_PAD_": 2**28,
}
Training = tuple[Contender, int]
Data = tuple[str, str | None, bool, str, str]  # what `_load` is called with
Result = tuple[list[np.ndarray], tuple[Epoch, ...]]
Part = Callable[[Dataset], Dataset]


def whole(dataset: Dataset) -> Dataset:
    """Return all of a dataset."""
    return dataset


class Cluster:
    """Workers that train: a number of processes here, or the workers of a scheduler.

    Args:
        workers: processes on this machine.
        scheduler: address of a running scheduler, `tcp://host:port`; used without `workers`.

    Attributes:
        name: the number of processes, or the scheduler's address.
        client: of `distributed`, while it trains.

    Raises:
        ConfigError: if the scheduler does not answer within ten seconds.
        ImportError: if Dask is not installed.
    """

    def __init__(self, workers: int | None, scheduler: str | None) -> None:
        try:
            import dask
            import distributed
        except ImportError as error:
            raise ImportError(
                "--workers and --scheduler need Dask. Run: pip install 'polyphase[cluster]'"
            ) from error
        self.name = str(workers or scheduler)
        self._config = dask.config
        self._dask = distributed
        self._workers = workers
        self._scheduler = scheduler
        self._starts: dict[tuple[str, int], list[np.ndarray]] = {}
        self.client: Any = None
        if scheduler is not None:
            self._answering(scheduler).close()

    def train(
        self, trainings: Sequence[Training], dataset: Dataset, part: Part = whole
    ) -> Iterator[Result]:
        """Yield weights and history of every training, in the order of the trainings.

        Each training gets a part of the dataset, such as `search.held_out`. All are submitted at
        once. If a worker dies, another worker trains its model again.
        """
        self.draw(trainings, dataset)
        backend = keras.backend.backend()
        with self._connected() as self.client:
            data = (dataset.source, dataset.size, dataset.grey, dataset.sha256, backend)
            futures = [
                self.client.submit(_train, one, seed, data, part, self._starts[one.name, seed])
                for one, seed in trainings
            ]
            for future in futures:
                yield future.result()

    def draw(self, trainings: Sequence[Training], dataset: Dataset) -> None:
        """Draw the first weights of all trainings to come, unless they are drawn already.

        Dask's threads draw from Python's `random`, as Keras does => before the first `train`.
        """
        for one, seed in trainings:
            if (one.name, seed) not in self._starts:
                drawn = trainer_of(one.task).drawn(one, dataset, seed)
                self._starts[one.name, seed] = drawn

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        if self._scheduler is not None:
            with self._answering(self._scheduler) as client:
                yield client
            return
        prefix = "distributed.nanny.pre-spawn-environ"
        with (
            self._config.set({f"{prefix}.{name}": value for name, value in KEPT.items()}),
            self._config.set({"distributed.comm.timeouts.connect": "2 minutes"}),
            self._dask.LocalCluster(
                n_workers=self._workers, threads_per_worker=1, dashboard_address=None
            ) as local,
            self._dask.Client(local) as client,
        ):
            yield client

    def _answering(self, scheduler: str) -> Any:
        try:
            return self._dask.Client(scheduler, timeout=SECONDS)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The scheduler {scheduler} does not answer within {SECONDS} s. Start one with "
                "`dask scheduler` and workers with `dask worker ADDRESS`, and give its address as "
                "tcp://host:port."
            ) from error


@functools.lru_cache(maxsize=1)
def _load(source: str, size: str | None, grey: bool, sha256: str, backend: str) -> Dataset:
    """Load the data, once in each worker, and say if they are not as they should be there."""
    if keras.backend.backend() != backend:
        raise ConfigError(
            f"A worker has the backend {keras.backend.backend()}, but this run has {backend}. "
            f"Start workers with KERAS_BACKEND={backend}."
        )
    dataset = load(source, size, grey)
    if dataset.sha256 != sha256:
        raise ConfigError(
            f"A worker finds other data at {source}: the SHA-256 differs. Give it the same."
        )
    return dataset


def _train(
    contender: Contender, seed: int, data: Data, part: Part, start: list[np.ndarray]
) -> Result:
    images = part(contender.task.part(_load(*data)))
    train = trainer_of(contender.task).train
    model, history = train(contender, images, seed, lambda *_: None, start=start)
    return model.get_weights(), history
