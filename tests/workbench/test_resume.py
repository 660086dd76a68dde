"""What a run remembers of its data is what it goes on with."""

import numpy as np
import pytest

from polyphase.datasets import load
from polyphase.workbench import ConfigError, contender, record
from polyphase.workbench.resume import check_options, dataset_of


@pytest.fixture
def images(tmp_path):
    np.save(
        tmp_path / "images.npy",
        np.random.default_rng(0).integers(0, 256, (20, 9, 11, 3), dtype="uint8"),
    )
    return tmp_path / "images.npy"


@pytest.fixture
def config(images):
    """The configuration of a run on resized images."""
    return record(["polyphase"], "fair", load(images, "8x10", True), [contender("nearest")], [0])


def test_images_are_resized_and_made_grey_again(config):
    assert (config["data"]["size"], config["data"]["grey"]) == ("8x10", True)
    again = dataset_of(config)
    assert again.shape == (8, 10, 1)
    assert again.sha256 == config["data"]["sha256"]


@pytest.mark.parametrize("other", [{"size": "10x8"}, {"grey": False}, {"size": None}])
def test_other_pixels_are_refused(config, other):
    config["data"] |= other
    with pytest.raises(ConfigError, match="their SHA-256 differs"):
        dataset_of(config)


def test_a_run_from_before_there_were_sizes_has_its_images_as_they_are(images):
    old = load(images)
    config = {"data": {"source": old.source, "sha256": old.sha256}}
    assert dataset_of(config).shape == (9, 11, 3)


def test_the_same_size_may_be_given_again_in_any_form_and_another_is_refused(config, tmp_path):
    check_options({"size": "8x10", "grey": True}, config, tmp_path)
    for size in ("8", "10x8"):
        with pytest.raises(ConfigError, match=rf"with --size 8x10\. Received: --size {size}\."):
            check_options({"size": size}, config, tmp_path)
    config["data"]["size"] = "8x8"
    check_options({"size": "8"}, config, tmp_path)
    del config["data"]["size"], config["data"]["grey"]
    with pytest.raises(ConfigError, match=r"begun with no --grey\. Received: --grey\."):
        check_options({"grey": True}, config, tmp_path)
