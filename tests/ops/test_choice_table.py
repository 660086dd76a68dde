"""Every row of the table behind `auto` rests on the measurement that it names."""

import json
import math
from pathlib import Path

import pytest

from polyphase.ops.choice import OTHERWISE, TABLE, choose

ROOT = Path(__file__).parents[2]


def _cases(row):
    """Yield the measured cases that `auto` would decide by this row."""
    content = json.loads((ROOT / row.measurement).read_text())
    assert content["backend"] == row.backend
    for times in content["cases"].values():
        if row.decides(times["ask"]):
            yield times


@pytest.mark.parametrize(
    "row", TABLE, ids=lambda row: f"{row.operation}-{row.backend}-{row.lowering}"
)
def test_a_row_beats_what_is_taken_without_it_in_the_file_it_names(row):
    cases = list(_cases(row))
    assert cases, "no measured case is decided by this row"
    otherwise = OTHERWISE.get(row.operation, "direct")
    ratios = [
        times[mode][otherwise] / times[mode][row.lowering]
        for times in cases
        for mode in ("forward", "training")
    ]
    assert math.prod(ratios) ** (1 / len(ratios)) > 1


def test_a_single_tap_is_convolved_before_upsampling():
    for backend, onednn in (("jax", False), ("tensorflow", True), ("tensorflow", False)):
        ask = {"backend": backend, "device": "cpu", "onednn": onednn, "filters": 64}
        for taps, folded in ((1, False), (3, True)):
            row = choose("upsample_conv", interpolation="nearest", taps=taps, **ask)
            assert (row.lowering != "direct") == folded


def test_few_pixels_are_not_taken_apart_on_pytorch():
    """1x1 by 24 is .4 ms as a table, 6.3 in phases: what PSPNet's pyramid asks for."""
    ask = {"interpolation": "bilinear", "dyadic": False, "backend": "torch", "device": "cpu"}
    chosen = [choose("upsample", **ask, pixels=pixels).lowering for pixels in (9, 16, None)]
    assert chosen == ["direct", "phases", "phases"]


def test_what_no_row_names_is_computed_directly():
    for operation in ("upsample", "upsample_conv", "conv_transpose"):
        assert choose(operation, backend="torch", device="gpu").lowering == "direct"
    row = choose("upsample_conv", interpolation="nearest", plain=False)
    assert row.lowering == "direct"


def test_tensorflow_without_onednn_takes_other_ways():
    ask = {"interpolation": "nearest", "filters": 64, "pixels": 8192, "backend": "tensorflow"}
    ways = [
        choose("upsample_conv", **ask, device="cpu", onednn=known).lowering
        for known in (True, False)
    ]
    assert ways == ["transpose", "phases"]


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_differences_round_no_more_than_direct_in_half_precision(backend):
    """They are computed in float32: it is why `auto` may take them there."""
    content = json.loads((ROOT / f"benchmarks/results/precision-{backend}.json").read_text())
    halves = [
        record["errors"]
        for record in content["rows"]
        if record["operation"] == "upsample_conv" and record["dtype"] in ("float16", "bfloat16")
    ]
    assert halves
    for errors in halves:
        assert errors["difference"] <= 1.1 * errors["direct"]


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_auto_takes_only_what_rounds_within_4_times_direct_in_float32(backend):
    content = json.loads((ROOT / f"benchmarks/results/precision-{backend}.json").read_text())
    interpolations = {"upsample_conv": "nearest", "conv_transpose": None, "upsample": "linear"}
    names = {2: {"linear": "bilinear", "cubic": "bicubic"}, 3: {"linear": "trilinear"}}
    assert {record["rank"] for record in content["rows"]} == {1, 2, 3}
    for record in content["rows"]:
        if record["dtype"] != "float32":
            continue
        operation, _, interpolation = record["operation"].partition(", ")
        interpolation = interpolation or interpolations[operation]
        chosen = choose(
            operation,
            interpolation=names.get(record["rank"], {}).get(interpolation, interpolation),
            rank=record["rank"],
            channels=256,
            filters=64,
            side=64,
            taps=3,
            dtype=record["dtype"],
            backend=backend,
            device="cpu",
        )
        assert record["errors"][chosen.lowering] <= 4 * record["errors"]["direct"], record
