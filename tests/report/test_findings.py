import dataclasses
import math

from polyphase.report.findings import answer, limits
from polyphase.workbench.results import Comparison
from tests.report.synthetic import comparison


def with_losses(losses: dict[str, list[float]]) -> Comparison:
    """Make a comparison whose final losses are given, one per seed."""
    found = comparison(seeds=tuple(range(len(next(iter(losses.values()))))), decoders=tuple(losses))
    trials = []
    for trial in found.trials:
        last = trial.history[-1]
        loss = losses[trial.decoder][trial.seed]
        history = (*trial.history[:-1], dataclasses.replace(last, validation_loss=loss))
        trials.append(dataclasses.replace(trial, history=history))
    return dataclasses.replace(found, trials=tuple(trials))


def test_intervals_without_zero_name_the_decoder_with_the_lowest_loss():
    losses = {"nearest": [0.091, 0.092, 0.0905], "subpixel": [0.081, 0.083, 0.0814]}
    said = answer(with_losses(losses))
    assert said[0] == (
        "subpixel had the lowest validation loss: 0.0818 nats/pixel on average over three seeds, "
        "0.0237 above the floor of the data."
    )
    assert "confidence interval of the paired differences excludes zero" in said[1]
    assert "nearest is next, 0.0094 (0.0080 to 0.0107) behind." in said[1]
    assert said[2] == (
        "With three seeds that vary as these do, a difference from the lowest is told apart if it "
        "exceeds 0.0014 nats/pixel."
    )
    assert len(said) == 3


def test_differences_are_paired_so_ranges_may_overlap():
    """Seeds that are hard for both say nothing about either."""
    nearest = [0.080, 0.085, 0.090, 0.095, 0.100]
    said = answer(with_losses({"nearest": nearest, "subpixel": [x - 0.001 for x in nearest]}))
    assert said[0].startswith("subpixel had the lowest")


def test_an_interval_with_zero_names_no_winner():
    losses = {"nearest": [0.080, 0.092, 0.084], "subpixel": [0.081, 0.083, 0.083]}
    said = answer(with_losses(losses))
    assert said[0] == "No clear winner: this run does not tell subpixel and nearest apart."
    assert "had the lowest" not in " ".join(said)
    assert "the 95% confidence interval includes zero" in said[1]


def test_a_third_decoder_that_is_not_separate_from_the_best_is_not_called_worse():
    said = answer(
        with_losses(
            {
                "nearest": [0.080, 0.082, 0.081],
                "bilinear": [0.123, 0.124, 0.1235],
                "subpixel": [0.079, 0.085, 0.081],
            }
        )
    )
    assert said[0] == "No clear winner: this run does not tell nearest and subpixel apart."
    assert "bilinear is behind nearest: its interval excludes zero." in said


def test_two_seeds_name_no_winner():
    said = answer(with_losses({"nearest": [0.08, 0.081], "subpixel": [0.09, 0.091]}))
    assert said[0] == "nearest ended lowest, but two seeds per decoder name no winner."
    assert "at least three seeds" in said[1]


def test_what_a_comparison_does_not_show_is_said():
    plain = " ".join(limits(comparison()))
    assert "--match parameters" in plain
    assert "--search lr" in plain
    matched = " ".join(limits(comparison(match="parameters", search="lr")))
    assert "equal multiply-adds: only parameters were matched" in matched
    assert "--search" not in matched


def test_undecided_differences_say_how_many_seeds_would_be_needed():
    losses = {"nearest": [0.080, 0.082, 0.084], "subpixel": [0.0812, 0.082, 0.0852]}
    said = answer(with_losses(losses))
    assert said[-1] == (
        "Were the differences as large as they look, seeds needed to show it: about 6 for subpixel."
    )
    level = with_losses({"nearest": [0.080, 0.082, 0.084], "subpixel": [0.080, 0.083, 0.0831]})
    assert answer(level)[-1].endswith("more than 100 for subpixel.")


def test_decoders_of_unequal_seeds_name_no_winner():
    found = with_losses({"nearest": [0.08] * 4, "subpixel": [0.09] * 4})
    said = answer(dataclasses.replace(found, trials=found.trials[:-1]))
    assert said[0] == (
        "No winner is named, because the decoders were not trained with the same seeds: nearest "
        "with 4 and subpixel with 3."
    )


def test_one_seed_names_no_winner():
    said = answer(with_losses({"nearest": [0.08], "subpixel": [0.09]}))
    assert said[0] == "nearest ended lowest, but one seed per decoder names no winner."
    assert "subpixel is next, 0.0100 behind" in said[1]


def test_one_decoder_has_nothing_to_be_compared_with():
    said = answer(with_losses({"nearest": [0.08, 0.09]}))
    assert said[0].startswith("nearest reached a validation loss of 0.0850 nats/pixel")
    assert said[1] == "There is no other decoder to compare it with."


def test_a_decoder_that_diverged_is_left_out_and_named():
    said = answer(with_losses({"nearest": [math.nan, 0.08], "subpixel": [0.08, 0.09]}))
    assert said[0].startswith("subpixel reached")
    assert said[-1] == "nearest did not train: a loss of it is not finite."


def test_nothing_is_concluded_if_no_decoder_trained():
    assert answer(with_losses({"nearest": [math.inf]}))[0] == "No decoder trained."


def test_the_published_comparison_is_called_confounded_first():
    said = answer(comparison(experiment="published"))
    assert said[0].startswith("This comparison is confounded")
    assert said[1].startswith("transposed had the lower validation loss")
