"""The page says which decoder can do what another does, and in what two differ."""

import dataclasses

from polyphase.report.operators import OWN, factors, operators
from tests.report.synthetic import comparison

NAMES = ("nearest", "transposed-4", "subpixel")


def with_own(found, name="mine:own"):
    """Add a user's decoder."""
    own = dataclasses.replace(found.trials[0], decoder=name)
    return dataclasses.replace(found, trials=(*found.trials, own))


def test_what_contains_what_is_said_of_those_that_are_compared():
    said = operators(with_own(comparison(seeds=(0,), decoders=NAMES)))
    assert said["subpixel"].endswith(
        "can do everything that nearest and transposed-4 can at the same width"
    )
    assert said["transposed-4"].endswith("can do everything that nearest can at the same width")
    assert "can do" not in said["nearest"]
    assert "sees up to 2 by 2 pixels of its input; 9 weights" in said["nearest"]
    assert said["mine:own"] == OWN


def test_factors_are_named_in_joined_runs_too():
    found = with_own(comparison(seeds=(0,), decoders=NAMES))
    assert factors(found, "nearest", "transposed-4") == "tied weights"
    assert factors(found, "subpixel", "subpixel") == "first weights"
    assert factors(found, "nearest", "mine:own") == ""
    names = {"run: nearest": "nearest", "transposed-4": "transposed-4"}
    joined = dataclasses.replace(found, config=found.config | {"names": names})
    assert factors(joined, "run: nearest", "transposed-4") == "tied weights"


def test_a_last_stage_of_its_own_is_said():
    found = with_own(comparison(seeds=(0,), decoders=NAMES), "nearest/transposed-4")
    said = operators(with_own(found, "mine:own/nearest"))
    assert said["nearest/transposed-4"] == (
        "the earlier stages: nearest upsampling, then a 3x3 convolution; the last: transposed "
        "convolution of 4x4"
    )
    assert said["mine:own/nearest"].startswith(f"the earlier stages: {OWN}; the last: nearest")
    assert factors(found, "nearest", "nearest/transposed-4") == "last stage: tied weights"
    assert factors(found, "subpixel/nearest", "nearest") == ("earlier stages: window, tied weights")
    assert factors(found, "mine:own/nearest", "nearest") == ""
