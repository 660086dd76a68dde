"""The table of models that others wrote shows times, bounds, and why nothing was gained."""

import pytest

from polyphase.report import real_models


def row(name, **changes):
    times = {"before": {"median": 6.0}, "folded": {"median": 4.0}}
    content = {"package": "nets", "version": "1.2", "name": name, "found": 3, "absorbed": 2}
    content |= {"done": {"absorbed by Conv2D": 2}, "reasons": {"computed before Add": 1}}
    content |= {"multiply_adds": [9, 4], "difference": 2e-7, "forward": times, "loads": "yes"}
    return content | changes


def last_line(*rows):
    names = ("jax", "tensorflow", "torch")
    contents = {name: {"results": [one]} for name, one in zip(names, rows, strict=False)}
    return real_models.table(contents).splitlines()[-1]


def test_a_row_shows_times_their_quotient_and_its_bound():
    assert last_line(row("a")) == (
        "| nets 1.2: a | 2 of 3 | 6 / 4 (1.50; 2.25) | 2e-07 | yes | computed before Add |"
    )


def test_what_backends_have_in_common_is_said_once_and_the_largest_difference_counts():
    line = last_line(row("a"), row("a", absorbed=3, difference=3e-6, reasons={}))
    times = "6 / 4 (1.50; 2.25)"
    assert line == (
        f"| nets 1.2: a | 2 of 3 / 3 of 3 | {times} | {times} | 3e-06 | yes | computed before Add |"
    )


def test_a_model_that_fails_says_where_and_why():
    broken = {"package": "nets", "name": "a", "not": "built", "error": "no | such <layer>"}
    line = last_line(row("a", loads="a class is missing"), broken)
    assert line.endswith(
        "|  | 2e-07 | a class is missing "
        "| computed before Add; TensorFlow, not built: no \\| such &lt;layer> |"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"found": 0, "absorbed": 0, "done": {}}, "no upsampling that `fold` reads"),
        (
            {"done": {"computed by polyphase.layers.Conv2DTranspose": 3}},
            "transposed convolutions, of as many products",
        ),
    ],
)
def test_a_model_that_gains_nothing_says_why(changes, reason):
    line = last_line(row("a", reasons={}, multiply_adds=[9, 9], **changes))
    assert line.endswith(f"(1.50; 1.00) | 2e-07 | yes | {reason} |")


def test_the_summary_counts_models_that_fold_and_those_that_gain():
    slower = {"before": {"median": 5.0}, "folded": {"median": 4.0}}
    rows = [row("a"), row("b", forward=slower), row("c", multiply_adds=[4, 4])]
    rows.append({"package": "others", "name": "d", "not": "folded", "error": "no graph"})
    lines = real_models.summary({"jax": {"results": rows}}).splitlines()
    assert lines[0].startswith("4 models of 2 packages; 3 fold, and 2 of them have fewer products.")
    assert lines[2] == "- JAX: 1.38 (1.25 to 1.50), 2 of them"


def test_a_backend_on_which_a_model_was_not_measured_has_no_part_in_its_gain():
    contents = {"jax": {"results": [row("a"), row("b")]}, "torch": {"results": [row("a")]}}
    lines = real_models.summary(contents).splitlines()
    assert lines[2:] == [
        "- JAX: 1.50 (1.50 to 1.50), 2 of them",
        "- PyTorch: 1.50 (1.50 to 1.50), 1 of them",
    ]
    assert "|  | 2e-07 |" in real_models.table(contents).splitlines()[-1]
