"""The tables on performance: ratios the right way round, means and worst cases."""

import copy

import pytest

from polyphase.report import performance


def times(keras, ours, **others):
    contenders = {"keras": keras, "ours": ours} | others
    return {
        name: {"median": value, "low": value, "high": value} for name, value in contenders.items()
    }


def record(group, name, forward, training, **more):
    return {"group": group, "name": name, "forward": forward, "training": training} | more


@pytest.fixture
def peers():
    layers = ["Conv2DTranspose", "UpSampling2D"]
    kinds = [kind for kind in performance.KINDS if kind[0] != "nearest + conv"]
    results = [
        record("nearest + conv", "a", times(8, 2), times(3, 3), kind="typical"),
        record("nearest + conv", "b", times(1, 1), times(1, 2), kind="typical"),
        record("nearest + conv", "c", times(2, 1), times(1, 2), kind="few channels"),
        record("nearest + conv", "d", times(100, 1), times(100, 1), kind="larger"),
        record("nearest + conv", "f", times(7, 1), times(7, 1), kind="small"),
        *(record(group, "g", times(5, 1), times(3, 1), kind=kind) for group, kind in kinds),
        *(record(group, "e", times(8, 2), times(3, 3)) for group in layers),
        record("model", "net", times(3, 2), times(10, 4)),
    ]
    jax = {"results": results}
    torch = copy.deepcopy(jax)
    torch["results"][0]["forward"] = times(6, 3, **{"plain PyTorch": 4})
    return {"jax": jax, "torch": torch}


def test_the_summary_begins_with_the_typical_case_apart_from_what_gains_most(peers):
    lines = performance.summary(peers).splitlines()
    assert lines[0] == "| what | JAX | PyTorch |"
    typical = performance.KINDS["nearest + conv", "typical"]
    assert lines[2] == f"| {typical}, forward | 2.00 (1.00) | 1.41 (1.00) |"
    assert lines[3] == f"| {typical}, training | 0.71 (0.50) | 0.71 (0.50) |"
    bicubic = performance.KINDS["bicubic + conv", "typical"]
    assert lines[7] == f"| {bicubic}, training | 3.00 (3.00) | 3.00 (3.00) |"
    larger = performance.KINDS["nearest + conv", "larger"]
    assert f"| {larger}, forward | 100.00 (100.00) | 100.00 (100.00) |" in lines
    assert "| net, forward | 1.50 | 1.50 |" in lines
    assert "| net, training | 2.50 | 2.50 |" in lines


def test_the_fastest_of_all_peers_meets_ours_on_each_backend(peers):
    lines = performance.fastest(peers).splitlines()
    assert "| a, forward | 4 (plain PyTorch) | 2 (2.00) | 3 (1.33) |" in lines
    assert "| b, forward | 1 (Keras on JAX) | 1 (1.00) | 1 (1.00) |" in lines
    typical = performance.KINDS["nearest + conv", "typical"]
    assert f"| **{typical}: geometric mean, forward** |  | **1.41** | **1.15** |" in lines


def test_every_peer_is_divided_by_ours_on_its_own_backend(peers):
    lines = performance.baselines(peers).splitlines()
    assert "| Keras on JAX | 2.00 (1.00) | 0.71 (0.50) | 2.00 (2.00) | 0.50 (0.50) |" in lines
    assert "| plain PyTorch | 1.33 (1.33) | - | - | - |" in lines
    assert not any("ours" in line for line in lines[2:])


def test_every_case_is_a_row_with_both_ratios(peers):
    lines = performance.cases(peers["jax"]).splitlines()
    assert "| nearest + conv a | 8 | 2 | 4.00 | 3 | 3 | 1.00 |" in lines
    assert len(lines) == 2 + len(peers["jax"]["results"])


def test_signals_and_volumes_have_a_line_for_everybody_who_was_timed():
    results = [
        record("Conv3DTranspose", "a", times(8, 2), times(3, 3)),
        record("Conv3DTranspose", "b", times(1, 1), times(1, 2)),
        record(
            "trilinear",
            "c",
            *({"ours": {"median": 2}, "plain JAX": {"median": m}} for m in (1, 6)),
        ),
    ]
    lines = performance.ranks({"jax": {"results": results}}).splitlines()
    assert lines[2:] == [
        "| Conv3DTranspose, Keras, forward | 2.00 (1.00) |",
        "| Conv3DTranspose, Keras, training | 0.71 (0.50) |",
        "| trilinear, the backend, forward | 0.50 (0.50) |",
        "| trilinear, the backend, training | 3.00 (3.00) |",
    ]
    assert len(performance.cases({"results": results}).splitlines()) == 2 + 2


def test_precision_shows_the_largest_error_and_the_largest_multiple():
    rows = [
        {"operation": "op", "rank": rank, "dtype": "float32", "errors": errors}
        for rank, errors in (
            (3, {"direct": 1e-7, "phases": 3e-7}),
            (3, {"direct": 4e-7, "phases": 2e-7}),
            (1, {"direct": 1e-6, "phases": 1e-6}),
        )
    ]
    lines = performance.precision({"jax": {"rows": rows}}).splitlines()
    assert "| op | volumes | phases | float32 | 3.0e-07 (3.0x) |" in lines
    assert "| op | volumes | direct | float32 | 4.0e-07 (1.0x) |" in lines
    assert "| op | signals | phases | float32 | 1.0e-06 (1.0x) |" in lines


def test_memory_shows_medians_and_ranges_of_both():
    sizes = {"keras": [10.2, 9.0, 30.0], "ours": [5.6, 5.6, 2.0]}
    result = {"shape": [1, 2, 3, 4, 5], "mode": "forward", "MiB": sizes}
    lines = performance.memory({"torch": {"results": [result]}}).splitlines()
    dash = "\N{EN DASH}"
    assert f"| 1x2x3x4 -> 5, forward | 10 (9{dash}30) / 6 (2{dash}6) |" in lines
    sizes = {"eight corners": [4], "ours": [2]}
    result = {"group": "trilinear", "shape": [1, 2, 2], "mode": "training", "MiB": sizes}
    lines = performance.memory({"torch": {"results": [result]}}).splitlines()
    assert f"| trilinear, 1x2 -> 2, training | 4 (4{dash}4) / 2 (2{dash}2) |" in lines


def test_an_epoch_shows_seconds_and_keras_divided_by_each():
    medians = {"keras": 3.0, "ours": 2.0, "joined": 1.5}
    lines = performance.epoch({"jax": {"medians": medians}}).splitlines()
    assert lines[2:] == [
        "| Keras' layers | 3.00 s (1.00) |",
        "| `polyphase.layers.UpSampling2D` | 2.00 s (1.50) |",
        "| `UpSampleConv2D` for each pair | 1.50 s (2.00) |",
    ]


def test_the_allocator_shows_medians_of_both_habits():
    result = {"name": "a", "mode": "forward", "default": [5.0, 4.0, 9.0], "kept": [2.0, 2.5, 1.0]}
    lines = performance.allocator({"jax": {"results": [result]}}).splitlines()
    assert "| a, forward | 5 / 2 (2.50) |" in lines


def test_folding_shows_before_divided_by_after_and_both_sizes():
    def medians(**values):
        return {name: {"median": value} for name, value in values.items()}

    result = {
        "name": "net",
        "multiply_adds": [9, 4],
        "forward": medians(before=6.0, folded=3.0, deployed=2.0),
        "training": medians(before=9.0, folded=6.0),
        "MiB": {"forward": {"before": 8.2, "folded": 4.1}, "training": {"before": 9, "folded": 10}},
    }
    contents = {"jax": {"results": [result]}}
    assert "| net | 2.00 / 1.50 / 3.00 (2.25) |" in performance.fold(contents).splitlines()
    lines = performance.fold_memory(contents).splitlines()
    assert lines[2:] == ["| net, forward | 8 / 4 |", "| net, training | 9 / 10 |"]


def test_tuning_shows_all_three_times_what_it_gains_and_what_layers_were_given():
    times = {name: {"median": ms} for name, ms in (("before", 8), ("folded", 6), ("tuned", 4))}
    layers = {"a": "blur", "b": "direct", "c": "direct"}
    result = {"name": "net", "forward": times, "training": times}
    result |= {"forward layers": layers, "training layers": layers}
    lines = performance.tuned({"jax": {"results": [result]}}).splitlines()
    assert lines[2:] == [
        "| net, forward | 8 / 6 / 4 (1.50): 2 direct, 1 blur |",
        "| net, training | 8 / 6 / 4 (1.50): 2 direct, 1 blur |",
    ]


def _state(loss, amplitude, seen):
    first = {"errors": {"amplitude": 9.0}, "seen": True}
    return {"loss": loss, "stages": [first, {"errors": {"amplitude": amplitude}, "seen": seen}]}


def _seed(decoder, loss, seen):
    state, better = _state(loss, 2 / 255, seen), _state(loss - 0.125, 0.0, False)
    return {
        "decoder": decoder,
        "floor": 0.25,
        "course": {"plain": {"5": state}, "even": {"5": better}},
        "repairs": {"5": {"more": state, "repaired": better, "repaired, more": better}},
    }


def test_the_experiment_on_repair_shows_medians_and_ranges_above_the_floor():
    content = {"more": 3, "results": [_seed("a", 0.5, True), _seed("a", 1.0, False)]}
    content["results"].append(_seed("b", 0.5, True))
    plain = "0.5000 (0.2500 to 0.7500) | 2.0 (2.0 to 2.0) | 1 of 2"
    even = "0.3750 (0.1250 to 0.6250) | 0.0 (0.0 to 0.0) | 0 of 2"
    course = performance.course(content).splitlines()[2:]
    assert course[0] == f"| a | 5 | {plain} | {even} | 2 of 2 |"
    assert len(course) == 2
    cost = "-0.1250 (-0.1250 to -0.1250)"
    assert performance.repairs(content).splitlines()[2:5] == [
        f"| a | 5 | 3 epochs more | {plain} |  |",
        f"| a | 5 | repaired | {even} | {cost} |",
        f"| a | 5 | repaired, 3 epochs more with EvenPhases | {even} | {cost} |",
    ]
