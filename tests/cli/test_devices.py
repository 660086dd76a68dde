"""`polyphase compare --devices`: simulated CPU devices train as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = "from polyphase_command import main; main()"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 10), dtype="uint8"))


def compare(*arguments, count):
    flags = f"--xla_force_host_platform_device_count={count}"
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "compare", "--data", "images.npy", "--seeds", "1",
         "--search", "none", "--decoder", "nearest", "--decoder", "transposed-3", "--epochs", "3",
         *arguments],
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def losses(run):
    lines = [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]
    return [line["validation_loss"] for line in lines if line["kind"] == "epoch"]


@pytest.mark.exhaustive
def test_two_devices_train_as_one(backend):
    if backend != "jax":
        pytest.skip("data parallelism is Keras' on JAX")
    one = compare("--batch-size", "8", "--out", "one", count=1)
    two = compare("--batch-size", "8", "--devices", "2", "--out", "two", count=2)
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    np.testing.assert_allclose(losses("two"), losses("one"), rtol=1e-5)


ON_TWO = """
from polyphase.datasets import load
from polyphase.workbench import contender
from polyphase.workbench.devices import devices
dataset = load("images.npy")
one = contender("nearest", 1, 8)
with devices(2, [one], [dataset]):
    model = one.build(dataset.shape)
after = one.build(dataset.shape)
for made in (model, after):
    print(len(made.trainable_variables[0].value.sharding.device_set))
"""


GENERATORS = """
from polyphase.datasets import load
from polyphase.workbench import contender
from polyphase.workbench.adversarial import steps
from polyphase.workbench.adversarial.training import train
from polyphase.workbench.devices import devices
from polyphase.workbench.tasks import task
dataset = load("images.npy", 8)
one = contender("nearest", 1, 16, width=4, task=task("gan"))
found = [train(one, dataset, 0, lambda *_: None)[1][0]]
with devices(2, [one], []):
    print(steps._divided(dataset.train.pixels[:16]).addressable_shards[0].data.shape[0])
    found.append(train(one, dataset, 0, lambda *_: None)[1][0])
for epoch in found:
    print(epoch.loss, epoch.discriminator, epoch.penalty)
"""


def test_a_generator_trains_on_two_devices_as_on_one(backend):
    if backend != "jax":
        pytest.skip("data parallelism is Keras' on JAX")
    done = subprocess.run(
        [sys.executable, "-c", GENERATORS],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
        check=True,
    )
    half, one, two = done.stdout.strip().splitlines()
    assert half == "8"
    np.testing.assert_allclose(*([float(x) for x in line.split()] for line in (two, one)), 1e-4)


def test_variables_are_on_both_devices_within_the_context_only(backend):
    if backend != "jax":
        pytest.skip("data parallelism is Keras' on JAX")
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2", "1"]


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(1, "8", "needs the backend JAX and 2 devices"), (2, "7", "must be divisible by --devices 2")],
)
def test_what_cannot_be_divided_is_said(backend, count, size, message):
    done = compare("--batch-size", size, "--devices", "2", "--out", "run", count=count)
    assert done.returncode == 2
    if backend == "jax" or count == 1:
        assert message in " ".join(done.stderr.split())
    assert not Path("run").exists()
