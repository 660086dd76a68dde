"""The tables of learned upsamplers show ours, and the others' in multiples of it."""

from polyphase.report import learned


def row(layer, others, mebibytes):
    times = {name: {"median": value} for name, value in {"ours": 4.0, **others}.items()}
    shape = [1, 25, 25, 256]
    return {"layer": layer, "shape": shape, "mode": "forward", "ms": times, "MiB": mebibytes}


CONTENTS = {
    "jax": {
        "results": [
            row("CARAFE2D", {"keras": 400.0}, {"ours": 12.2, "keras": 492.0}),
            row("DySample2D", {"keras": 5.0}, {}),
        ]
    },
    "torch": {
        "results": [
            row("CARAFE2D", {"unfold": 240.0}, {"ours": 15.0, "unfold": 186.0}),
            row("DySample2D", {"keras": 16.0, "grid_sample": 3.0}, {}),
        ]
    },
}


def test_times_stand_beside_ours_by_backend():
    head, _, first, second = learned.times(CONTENTS).splitlines()
    assert head == "|  | JAX | PyTorch |"
    assert first == (
        "| CARAFE2D, 1 x 25 x 25 x 256, forward "
        "| 4 ms; Keras' operations 100.00 | 4 ms; `unfold` 60.00 |"
    )
    assert second.endswith("| 4 ms; Keras' operations 4.00; `grid_sample` 0.75 |")


def test_memory_is_of_what_was_measured():
    lines = learned.memory(CONTENTS).splitlines()
    assert lines[2:] == [
        "| CARAFE2D, 1 x 25 x 25 x 256, forward | 12; Keras' operations 492 | 15; `unfold` 186 |"
    ]
