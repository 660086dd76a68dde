"""Contenders, their defaults, and what is refused before anything is trained."""

import dataclasses

import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.models import DECODERS
from polyphase.workbench import ConfigError, check, contender, record


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.parametrize(("name", "batch"), [("upsampling", 25), ("transposed", 1000)])
def test_published_contenders_train_as_published(name, batch):
    one = contender(name)
    assert (one.epochs, one.batch_size) == (25, batch)


def test_all_decoders_have_the_same_training():
    assert len({(one.epochs, one.batch_size) for one in map(contender, DECODERS)}) == 1


def test_an_unknown_contender_is_refused_with_the_choices():
    with pytest.raises(ConfigError, match="Unknown decoder 'x'. Choose from: nearest"):
        contender("x")


def test_nothing_to_train_and_names_that_come_twice_are_refused(digits):
    with pytest.raises(ConfigError, match="Received: none"):
        check([], digits)
    with pytest.raises(ConfigError, match="Received: nearest, nearest"):
        check([contender("nearest")] * 2, digits)


def test_a_batch_larger_than_the_training_set_is_refused(digits):
    with pytest.raises(ConfigError, match="batch of 2000 images .* training set of 1150"):
        check([contender("nearest", batch_size=2000)], digits)


def test_images_that_do_not_fit_are_refused(digits, tmp_path):
    np.save(tmp_path / "small.npy", np.zeros((40, 7, 9), "uint8"))
    small = load(tmp_path / "small.npy")
    with pytest.raises(ConfigError, match="at least 8 pixels. Received: 7 x 9"):
        check([contender("nearest", batch_size=8)], small)
    with pytest.raises(ConfigError, match="takes 28x28 grey images. Received: 7x9 with 1 channels"):
        check([contender("upsampling", batch_size=8)], small)
    with pytest.raises(ConfigError, match=r"32x32 with 3 channels\. Give --size 28 --grey, or a"):
        check([contender("upsampling", batch_size=8)], load("photographs"))
    check([contender("upsampling", batch_size=8)], load("photographs", 28, grey=True))


def test_the_record_holds_all_that_is_needed_to_repeat(digits, backend):
    one = contender("nearest", 3, 16)
    config = record(["polyphase", "compare", "--out", "a b"], "fair", digits, [one], range(2))
    assert config["command"] == "polyphase compare --out 'a b'"
    assert config["seeds"] == [0, 1]
    assert (config["epochs"], config["batch_size"]) == ({"nearest": 3}, {"nearest": 16})
    assert config["data"]["sha256"] == digits.sha256
    assert (config["data"]["size"], config["data"]["grey"]) == (None, False)
    assert config["data"]["floor"] == pytest.approx(0.2736, abs=1e-4)
    assert config["backend"] == backend
    assert {"python", "polyphase", "keras", "numpy"} < set(config["versions"])
    assert dataclasses.asdict(one)["name"] in config["decoders"]
