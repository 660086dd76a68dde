"""`polyphase compare --workers`: the same results, also when a worker is killed."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.datasets import load
from polyphase.workbench import compare, contender, record, search
from polyphase.workbench.cluster import Cluster

pytest.importorskip("distributed", reason="needs the extra `cluster`")
RUN = CliRunner()
NAMES = ("nearest", "transposed-3")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 10), dtype="uint8"))


def run(name, pool, epochs):
    dataset = load("images.npy")
    contenders = [contender(one, epochs, 8) for one in NAMES]
    Path(name).mkdir()
    config = record(["test"], "fair", dataset, contenders, range(2))
    compare(contenders, dataset, range(2), config, Path(name), workers=pool)


def found(name):
    lines = [json.loads(line) for line in Path(name, "metrics.jsonl").read_text().splitlines()]
    weights = {
        path.name: keras.saving.load_model(path).get_weights()
        for path in Path(name, "models").iterdir()
    }
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines], weights


def assert_same(one, other):
    (metrics, weights), (others, theirs) = found(one), found(other)
    assert metrics == others
    assert weights.keys() == theirs.keys()
    for name in weights:
        for ours, their in zip(weights[name], theirs[name], strict=True):
            np.testing.assert_array_equal(ours, their)


@pytest.mark.filterwarnings("ignore")  # Dask's own, about processes that end
@pytest.mark.exhaustive
def test_workers_give_the_results_of_one_process_also_when_one_is_killed():
    run("alone", None, 150)
    pool = Cluster(2, None)
    killed = []

    def kill():
        while pool.client is None or "_train" not in str(pool.client.processing()):
            time.sleep(0.1)
        time.sleep(3)  # in the middle of it
        killed.extend(pool.client.run(os.getpid).values())
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    run("together", pool, 150)
    killer.join()
    assert len(killed) == 2
    assert_same("alone", "together")


@pytest.mark.filterwarnings("ignore")  # Dask's own, about processes that end
@pytest.mark.exhaustive
def test_workers_search_and_compare_as_one_process(monkeypatch):
    monkeypatch.setattr(search, "LEARNING_RATES", search.FIRST)
    options = [
        "--data",
        "images.npy",
        "--batch-size",
        "8",
        "--search",
        "none",
        "--epochs",
        "2",
        "--seeds",
        "2",
    ]
    options += ["--decoder", "nearest", "--decoder", "transposed-3", "--search", "lr"]
    options += ["--size", "9"]
    for out, more in (("alone", []), ("together", ["--workers", "2"])):
        result = RUN.invoke(app, ["compare", *options, *more, "--out", out])
        assert result.exit_code == 0, result.output
    assert_same("alone", "together")
    tried = [line for line in found("together")[0] if line["kind"] == "search"]
    assert [line["seed"] for line in tried].count(2) == 4  # the seeds 0 and 1 are compared
    rates = json.loads(Path("together/config.json").read_text())["learning_rate"]
    assert rates.items() <= {
        (one["decoder"], one["learning_rate"]) for one in tried if one["seed"] == 3
    }


def test_a_scheduler_that_does_not_answer_is_an_error_in_time():
    arguments = ["compare", "--data", "images.npy", "--batch-size", "8"]
    result = RUN.invoke(app, [*arguments, "--scheduler", "tcp://127.0.0.1:9"])
    assert result.exit_code == 2
    assert "does not answer" in " ".join(result.output.split())
    assert not list(Path().glob("runs/*"))
    both = RUN.invoke(app, [*arguments, "--scheduler", "tcp://x:1", "--workers", "2"])
    assert both.exit_code == 2


@pytest.mark.filterwarnings("ignore")  # Dask's own, about processes that end
def test_workers_keep_freed_memory_unless_they_are_told_otherwise(monkeypatch):
    monkeypatch.setenv("MALLOC_TOP_PAD_", "4096")
    with Cluster(1, None)._connected() as client:
        (found,) = client.run(lambda: dict(os.environ)).values()
    assert found["MALLOC_TRIM_THRESHOLD_"] == str(2**32)
    assert found["MALLOC_TOP_PAD_"] == "4096"
