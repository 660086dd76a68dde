import dataclasses
import math

import pytest

from polyphase._facts import EPOCHS
from polyphase.report.findings import answer, decisions, limits
from polyphase.workbench.results import Comparison
from tests.report.synthetic import comparison


def with_losses(losses: dict[str, list[float]], **config) -> Comparison:
    """Make a comparison at rest whose losses are given, one per seed."""
    seeds = tuple(range(len(next(iter(losses.values())))))
    found = comparison(seeds, decoders=tuple(losses), **config)
    trials = []
    for trial in found.trials:
        loss = losses[trial.decoder][trial.seed]
        history = [dataclasses.replace(one, validation_loss=loss) for one in trial.history]
        trials.append(dataclasses.replace(trial, history=tuple(history)))
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
        "With three seeds that vary as these do, a difference from the lowest decoder can be seen "
        "if it exceeds 0.0014 nats/pixel."
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
        "If the differences are as large as they look, showing them takes about 6 seeds for "
        "subpixel."
    )
    level = with_losses({"nearest": [0.080, 0.082, 0.084], "subpixel": [0.080, 0.083, 0.0831]})
    assert answer(level)[-1].endswith("more than 100 seeds for subpixel.")


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


def moving(epochs: int, count: int = 3) -> Comparison:
    """Two decoders of so many epochs that both fall by 0.01 an epoch, 0.004 apart."""
    found = comparison(tuple(range(count)), epochs=epochs, decoders=("nearest", "subpixel"))
    trials = []
    for trial in found.trials:
        end = {"nearest": 0.1, "subpixel": 0.104}[trial.decoder] + 0.0001 * trial.seed
        history = [
            dataclasses.replace(one, validation_loss=end + 0.01 * (epochs - 1 - index))
            for index, one in enumerate(trial.history)
        ]
        trials.append(dataclasses.replace(trial, history=tuple(history)))
    return dataclasses.replace(found, trials=tuple(trials))


def test_no_winner_is_named_while_training_moves_losses_by_more_than_lies_between_them():
    """The same final losses name a winner where training has come to rest."""
    still = moving(5)
    assert answer(still) == [
        f"Still learning: the order may change; try --epochs {EPOCHS}.",
        "No winner is named: the last tenth of training still moved the losses of nearest and "
        "subpixel by up to 0.0100 nats/pixel; their order would be settled if that were less "
        "than 0.0040.",
        "nearest ended lowest: 0.1001 nats/pixel on average over three seeds, 0.0420 above the "
        "floor of the data.",
    ]
    assert decisions(still) == {"subpixel": "still learning"}
    rest = with_losses({name: [t.validation_loss for t in still.of(name)] for name in NAMES})
    assert answer(rest)[0].startswith("nearest had the lowest")
    assert decisions(rest) == {"subpixel": "yes"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_epoch_is_still_learning_whatever_the_losses(count):
    said = answer(moving(1, count))
    assert said[0].startswith("Still learning: the order may change; try --epochs ")
    assert "one epoch" in said[1]
    assert "had the lowest" not in " ".join(said)


def test_confounded_runs_and_runs_that_differ_say_that_first():
    assert answer(dataclasses.replace(moving(1), config={"experiment": "published"}))[0].startswith(
        "This comparison is confounded"
    )
    apart = dataclasses.replace(moving(1), config={"differences": ["epochs (1 in a, 2 in b)"]})
    assert "the runs differ" in answer(apart)[0]


NAMES = ("nearest", "subpixel")
CLOSE = {
    "nearest": [0.0800, 0.0820, 0.0840],
    "subpixel": [0.0801, 0.0822, 0.0841],
    "bilinear": [0.0900, 0.0921, 0.0940],
    "transposed-3": [0.0799, 0.0861, 0.0850],
}


def test_decoders_whose_interval_lies_within_the_margin_are_called_equal_and_none_without_one():
    two = {name: CLOSE[name] for name in NAMES}
    assert "equal" not in " ".join(answer(with_losses(two)))
    said = answer(with_losses(two, margin=0.001))
    assert said[0] == (
        "No winner: subpixel is equal to nearest within 0.001 nats/pixel, the margin stated before "
        "the run."
    )
    assert "subpixel is 0.0001 (-0.0000 to 0.0003) behind" in said[1]
    assert decisions(with_losses(two, margin=0.001)) == {"subpixel": "equal within 0.001"}
    assert decisions(with_losses(two, margin=0.0002)) == {"subpixel": "no"}


def test_a_difference_that_is_seen_but_lies_within_the_margin_names_no_winner():
    losses = {"nearest": [0.08, 0.082, 0.084], "subpixel": [0.0805, 0.0825, 0.08451]}
    assert answer(with_losses(losses))[0].startswith("nearest had the lowest")
    assert answer(with_losses(losses, margin=0.001))[0].startswith("No winner: subpixel is equal")
    assert answer(with_losses(losses, margin=0.0001))[0].startswith("nearest had the lowest")


def test_equal_open_and_clear_decoders_each_have_their_sentence():
    said = answer(with_losses(CLOSE, margin=0.005))
    assert said[0] == "No clear winner: this run does not tell nearest and transposed-3 apart."
    assert said[2].startswith("subpixel is equal to nearest within 0.005 nats/pixel")
    assert said[3] == "bilinear is behind nearest: its interval excludes zero."


def test_still_learning_comes_before_equal():
    still = moving(5)
    still.config["margin"] = 0.5
    assert answer(still)[0].startswith("Still learning")
    assert decisions(still) == {"subpixel": "still learning"}
