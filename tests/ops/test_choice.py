"""The lowering that is asked for is the one that runs, and `auto` follows the table."""

import itertools
import logging

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.ops import choice, device
from polyphase.ops.lowerings import LOWERINGS
from tests.gradients import to_numpy
from tests.ops import cases

WAYS = {
    "upsample": {"reference", "direct", "phases", "native"},
    "upsample_conv": {
        "reference",
        "direct",
        "phases",
        "transpose",
        "difference",
        "patches",
        "blur",
    },
    "upsample_depthwise_conv": {"reference", "direct", "phases", "transpose", "blur"},
    "conv_transpose": {"reference", "direct", "phases", "patches"},
    "reassemble": {"reference", "phases", "bands"},
}


@pytest.mark.parametrize("operation", WAYS)
def test_a_name_gives_the_function_of_that_file(operation):
    assert {n for n, module in LOWERINGS.items() if hasattr(module, operation)} == WAYS[operation]
    for name in WAYS[operation]:
        way = choice.function(operation, name)
        assert way is getattr(LOWERINGS[name], operation)
        assert way.__module__ == f"polyphase.ops.lowerings.{name}"


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.grid(3)
def test_an_operation_runs_what_it_was_asked_for(lowering, monkeypatch):
    x, w = np.ones((1, 2, 3, 2), "float32"), np.ones((3, 3, 2, 2), "float32")
    calls = {
        "upsample": lambda: pp.ops.upsample(x, 2, "bilinear", lowering=lowering),
        "upsample_conv": lambda: pp.ops.upsample_conv(x, w, 2, lowering=lowering),
        "upsample_depthwise_conv": lambda: pp.ops.upsample_depthwise_conv(
            x, w, 2, lowering=lowering
        ),
        "conv_transpose": lambda: pp.ops.conv_transpose(x, w, 2, lowering=lowering),
    }
    for operation, call in calls.items():
        if lowering not in WAYS[operation]:
            continue
        if lowering == "native" and keras.backend.backend() == "jax":
            continue
        depthwise = operation == "upsample_depthwise_conv"
        if lowering == "transpose" and depthwise and keras.backend.backend() != "torch":
            continue
        ran = []
        for name in WAYS[operation]:
            way = getattr(LOWERINGS[name], operation)

            def spy(*args, way=way, name=name, ran=ran):
                ran.append(name)
                return way(*args)

            monkeypatch.setattr(LOWERINGS[name], operation, spy)
        call()
        monkeypatch.undo()
        assert ran
        assert ran[0] == lowering, f"{operation}: {ran}"


@pytest.mark.parametrize("operation", WAYS)
def test_auto_runs_what_choose_names(operation):
    interpolations = [None] if operation == "conv_transpose" else cases.INTERPOLATIONS
    for interpolation, plain, filters, dtype in itertools.product(
        interpolations, (True, False), (1, 64), cases.DTYPES
    ):
        question = {"interpolation": interpolation, "plain": plain}
        question |= {"filters": filters, "dtype": dtype}
        row = pp.ops.choose(operation, **question)
        way = choice.function(operation, "auto", **question)
        assert way is getattr(LOWERINGS[row.lowering], operation)


def test_the_table_names_ways_that_can_compute_it():
    for row in choice.TABLE:
        assert row.lowering in WAYS[row.operation]
        assert row.backend in ("jax", "tensorflow", "torch")
        assert row.device in ("cpu", "gpu")
        if row.lowering in ("phases", "transpose", "difference"):
            assert row.plain
        if row.operation.endswith("conv") and row.lowering not in ("patches", "blur"):
            assert row.interpolations == ("nearest",), f"{row} folds what cannot be folded"


def test_the_first_row_that_fits_decides(monkeypatch):
    rows = (
        choice.Row("upsample", "jax", "gpu", "phases", ("nearest",), filters=(8, 64)),
        choice.Row("upsample", "jax", "gpu", "reference", ("nearest",), ("float32",)),
    )
    monkeypatch.setattr(choice, "TABLE", rows)
    choice._answer.cache_clear()
    try:
        ask = {"interpolation": "nearest", "device": "gpu", "backend": "jax"}
        for filters, expected in (
            (7, "reference"),
            (8, "phases"),
            (64, "phases"),
            (65, "reference"),
        ):
            assert choice.choose("upsample", filters=filters, **ask).lowering == expected
        assert choice.choose("upsample", plain=False, **ask).lowering == "direct"
        assert choice.choose("upsample", dtype="float16", **ask).lowering == "direct"
        for other in ({"interpolation": "bilinear"}, {"device": "cpu"}, {"backend": "torch"}):
            assert choice.choose("upsample", **(ask | other)).lowering == "direct"
    finally:
        choice._answer.cache_clear()


@pytest.mark.exhaustive
def test_auto_looks_at_the_output_channels():
    x = np.ones((1, 2, 3, 2), "float32")
    for filters in (3, 8, 64):
        w = np.ones((3, 3, 2, filters), "float32")
        row = pp.ops.choose("upsample_conv", interpolation="nearest", filters=filters)
        named = pp.ops.upsample_conv(x, w, 2, lowering=row.lowering)
        auto = pp.ops.upsample_conv(x, w, 2)
        np.testing.assert_array_equal(to_numpy(auto), to_numpy(named))


def test_each_decision_is_logged_once(caplog):
    choice._answer.cache_clear()
    with caplog.at_level(logging.DEBUG, logger="polyphase"):
        for _ in range(3):
            pp.ops.choose("conv_transpose", backend="torch", device="cpu")
    assert len(caplog.records) == 1
    assert "conv_transpose" in caplog.text
    assert "torch" in caplog.text


def test_the_device_in_use_is_a_cpu_or_a_gpu():
    assert device.in_use(keras.backend.backend()) in ("cpu", "gpu")


@pytest.mark.parametrize("operation", WAYS)
def test_an_unknown_way_is_refused_with_those_there_are(operation):
    ways = ", ".join(n for n in LOWERINGS if n in WAYS[operation])
    with pytest.raises(ValueError, match=rf"`lowering` of {operation} .* auto, {ways}\. .*'slow'"):
        choice.function(operation, "slow")


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_a_kernel_is_folded_for_enough_pixels_only(backend):
    def way(pixels):
        ask = {"interpolation": "nearest", "channels": 64, "filters": 64, "taps": 3}
        ask |= {"backend": backend, "device": "cpu", "pixels": pixels}
        return pp.ops.choose("upsample_conv", **ask).lowering

    assert way(16) == "direct"
    assert way(512) == way(None) != "direct"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_row_holds_for_the_rank_that_was_measured(rank):
    for row in choice.TABLE:
        ask = {"backend": row.backend, "device": row.device, "rank": rank, "onednn": row.onednn}
        ask |= {"interpolation": (row.interpolations or ("nearest",))[0], "channels": 32}
        found = pp.ops.choose(row.operation, **ask, filters=16)
        assert found.rank == rank
        if row.device == "gpu" and rank != 2:  # only images were measured there
            assert found.lowering == "direct"


@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes_that_were_measured_have_rows_of_their_own(rank):
    ask = {"interpolation": "nearest", "channels": 32, "filters": 16, "taps": 3, "pixels": 4096}
    ask |= {"rank": rank, "device": "cpu", "onednn": True}
    found = {b: pp.ops.choose("upsample_conv", backend=b, **ask) for b in ("jax", "torch")}
    assert found["jax"].lowering == "difference"
    assert found["torch"].lowering == "transpose"
    assert found["jax"].interpolations == ("nearest",)
    assert pp.ops.choose(
        "upsample_conv", backend="jax", **ask | {"dtype": "bfloat16"}
    ).lowering == (
        "direct"  # not measured
    )
