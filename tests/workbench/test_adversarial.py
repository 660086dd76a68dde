"""Generators against discriminators: losses, penalties, steps and what a command leaves."""

import io
import json
import math
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import polyphase as pp
from polyphase._facts import UserError
from polyphase.cli.app import app
from polyphase.datasets import load
from polyphase.models import DECODERS
from polyphase.models.gans import LATENT, discriminator, gan_generator
from polyphase.workbench import ConfigError, check, checkpoint, contender
from polyphase.workbench.adversarial import losses, samples
from polyphase.workbench.adversarial.steps import Aims, Networks, stepper
from polyphase.workbench.adversarial.training import _pictured, drawn, train, validation_loss
from polyphase.workbench.checkerboards import gains_of
from polyphase.workbench.results import GanEpoch
from polyphase.workbench.runs import read_config
from polyphase.workbench.tasks import task, task_of
from tests.gradients import to_numpy

REAL, MADE = np.array([[0.5], [-1.0], [2.0]]), np.array([[1.5], [0.0], [-0.5]])


def softplus(x):
    return math.log1p(math.exp(x))


def test_losses_by_hand():
    pairs = list(zip(REAL.ravel(), MADE.ravel(), strict=True))
    expected = {
        ("relativistic", "of_discriminator"): sum(softplus(m - r) for r, m in pairs) / 3,
        ("relativistic", "of_generator"): sum(softplus(r - m) for r, m in pairs) / 3,
        ("non-saturating", "of_discriminator"): sum(softplus(-r) + softplus(m) for r, m in pairs)
        / 3,
        ("non-saturating", "of_generator"): sum(softplus(-m) for _, m in pairs) / 3,
    }
    for (loss, of), value in expected.items():
        assert float(getattr(losses, of)(loss, REAL, MADE)) == pytest.approx(value, rel=1e-6)


def linear(shape, weights):
    """Return a discriminator whose score is a weighted sum: its gradient is the weights."""
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.set_weights([weights.reshape(-1, 1), np.zeros(1)])
    return model


def networks(shape=(8, 8, 1), generator=None, judge=None, rate=0.0):
    keras.utils.set_random_seed(0)
    making = generator or gan_generator("nearest", shape, width=4)
    judging = judge or discriminator(shape, 4)
    average = keras.models.clone_model(making)
    average.set_weights(making.get_weights())
    optimizers = tuple(keras.optimizers.SGD(rate) for _ in range(2))
    for one, model in zip(optimizers, (making, judging), strict=True):
        one.build(model.trainable_variables)
    return Networks(making, judging, average, optimizers)


def batch(shape=(8, 8, 1), count=6):
    generator = np.random.default_rng(0)
    real = generator.random((count, *shape), dtype="float32")
    return real, generator.standard_normal((2, count, LATENT), dtype="float32")


def test_penalties_of_a_linear_score_are_its_weights():
    weights = np.random.default_rng(1).standard_normal(64).astype("float32")
    both = networks(judge=linear((8, 8, 1), weights))
    step, _ = stepper(both, Aims("relativistic", 1.0, 0.5))
    *_, penalties = step(*batch())
    # R1 and R2, each half the squared length.
    assert float(penalties) == pytest.approx(float(weights @ weights), rel=1e-5)


@pytest.mark.grid(1)
@pytest.mark.parametrize("loss", losses.LOSSES)
def test_a_step_reports_the_losses_of_before_it(loss):
    both = networks()
    real, latents = batch()
    scores = [to_numpy(both.discriminator(x)) for x in (real, both.generator(latents[0]))]
    expected = float(losses.of_discriminator(loss, *scores))
    step, _ = stepper(both, Aims(loss, 0.3, 0.5))
    found = [float(one) for one in step(real, latents)]
    assert found[0] == pytest.approx(expected, rel=1e-4)
    made = to_numpy(both.discriminator(both.generator(latents[1])))
    assert found[1] == pytest.approx(float(losses.of_generator(loss, scores[0], made)), rel=1e-4)


def smooth(shape):
    """Return a discriminator without kinks, which differences of pixels would meet."""
    layers = [
        keras.layers.Conv2D(3, 3, strides=2, activation="tanh"),
        keras.layers.Conv2D(3, 3, activation="softplus"),
    ]
    flat = [keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input(shape), *layers, *flat])


@pytest.mark.grid(1)
@pytest.mark.parametrize("loss", losses.LOSSES)
def test_a_step_goes_down_the_gradient_penalties_included(loss):
    """Against finite differences of the whole, along the step that was taken."""
    rate, gamma = 1e-3, 0.5
    judge = smooth((8, 8, 1))
    both = networks(judge=judge, rate=rate)
    real, latents = batch()
    before = [to_numpy(one) for one in judge.trainable_variables]
    made = to_numpy(both.generator(latents[0]))

    def whole(values):
        for variable, value in zip(judge.trainable_variables, values, strict=True):
            variable.assign(value)
        scores = [to_numpy(judge(x)) for x in (real, made)]
        total = float(losses.of_discriminator(loss, *scores))
        return total + gamma * sum(lengths(judge, x) for x in (real, made))

    step, settle = stepper(both, Aims(loss, gamma, 0.5))
    step(real, latents)
    settle()
    after = [to_numpy(one) for one in judge.trainable_variables]
    direction = [(a - b) / rate for a, b in zip(after, before, strict=True)]
    size = sum(float(np.sum(one.astype("float64") ** 2)) for one in direction)
    assert size > 1e-4
    t = 1e-2 / math.sqrt(size)
    ahead, behind = (
        whole([b + sign * t * d for b, d in zip(before, direction, strict=True)])
        for sign in (1, -1)
    )
    assert (ahead - behind) / (2 * t) == pytest.approx(-size, rel=0.03)


def lengths(judge, x, h=1e-2):
    """Return half the mean squared length of the scores' gradients, by differences of pixels."""
    total = 0.0
    flat = x.reshape(len(x), -1)
    for pixel in range(flat.shape[1]):
        sides = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[:, pixel] += sign * h
            sides.append(to_numpy(judge(moved.reshape(x.shape))).astype("float64"))
        total += float(np.mean(((sides[0] - sides[1]) / (2 * h)) ** 2))
    return total / 2


def test_the_average_moves_by_its_share():
    both = networks(rate=0.1)
    before = [to_numpy(one) for one in both.average.trainable_variables]
    step, settle = stepper(both, Aims("non-saturating", 0.0, 0.75))
    step(*batch())
    settle()
    after = [to_numpy(one) for one in both.generator.trainable_variables]
    assert max(np.abs(a - b).max() for a, b in zip(after, before, strict=True)) > 1e-6
    for mean, old, new in zip(both.average.trainable_variables, before, after, strict=True):
        np.testing.assert_allclose(to_numpy(mean), 0.75 * old + 0.25 * new, atol=1e-6)


@pytest.mark.parametrize("side", [28, 7, 5])
def test_a_blur_before_a_halving_is_a_depthwise_convolution(side):
    image = np.random.default_rng(side).normal(size=(2, side, side + 3, 3)).astype("float32")
    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    depthwise = keras.layers.DepthwiseConv2D(4, strides=2, padding="same", use_bias=False)
    depthwise.build(image.shape)
    depthwise.set_weights([np.repeat(kernel[..., None, None], 3, axis=2)])
    judge = discriminator((side, side + 3, 3), 1, blurred=True)
    halving = next(one for one in judge.layers if type(one).__name__ == "_Halving")
    halving.build(image.shape)
    np.testing.assert_allclose(to_numpy(halving(image)), to_numpy(depthwise(image)), atol=1e-6)


def test_a_blur_is_not_trained_and_sees_no_aliases():
    judge = discriminator((16, 16, 1), 2, blurred=True)
    blurs = [one for one in judge.layers if type(one).__name__ == "_Halving"]
    assert len(blurs) == 2
    assert not any(one.variables for one in blurs)
    board = (np.indices((16, 16)).sum(0) % 2)[None, ..., None].repeat(4, -1).astype("float32")
    inner = to_numpy(blurs[0](board))[0, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, 0.5, atol=1e-6)


def test_every_decoder_generates():
    for name in DECODERS:
        assert gan_generator(name, (12, 8, 3), width=4).output_shape == (None, 12, 8, 3)


def not_a_number(filters, activation, name):
    """A decoder whose first weights are no numbers."""
    return pp.layers.UpSampleConv2D(
        filters,
        3,
        padding="same",
        activation=activation,
        kernel_initializer=keras.initializers.Constant(math.nan),
        name=name,
    )


def dataset(side=8):
    return load("digits", side)


def trained(name="nearest", epochs=2, saved=None, start=None, **options):
    one = contender(name, epochs, 64, width=4, task=task("gan", **options))
    seen = []
    model, history = train(one, dataset(), 0, lambda *x: seen.append(x), saved, start)
    assert [(epoch, last) for epoch, _, last in seen] == [
        (epoch, epoch + 1 == len(history)) for epoch in range(len(history))
    ]
    return model.get_weights(), history


def assert_same(one, other):
    """All weights and losses are the same, and the pictures too."""
    for ours, theirs in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    first, second = ([replace(x, seconds=0) for x in some[1]] for some in (one, other))
    assert repr(first) == repr(second)  # NaN is NaN
    assert [x.picture for x in one[1]] == [x.picture for x in other[1]]


def test_the_same_seed_gives_the_same_images(backend):
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    one = contender("nearest", 2, 64, width=4, task=task("gan"))
    first = drawn(one, dataset(), 0)
    assert_same(trained(), trained(start=first))
    other = [array + 0.1 for array in first]
    assert trained()[1] != trained(start=other)[1]


class KilledError(Exception):
    """Raised after an epoch."""


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_training_goes_on_where_it_was_killed(epochs, tmp_path, monkeypatch, backend):
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    whole, saved, save = trained(epochs=3), tmp_path / "training.npz", checkpoint.save

    def save_and_die(path, variables, history, task):
        save(path, variables, history, task)
        if len(history) == epochs:
            raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(checkpoint, "save", save_and_die)
        trained(epochs=3, saved=saved)
    assert_same(trained(epochs=3, saved=saved), whole)
    assert_same(trained(epochs=3, saved=saved), whole)  # over already


def test_every_epoch_is_judged_where_a_classifier_can_be_had(monkeypatch):
    model, history = trained(epochs=1)
    one = contender("nearest", 1, 64, width=4, task=task("gan"))
    generator = one.build((8, 8, 1))
    generator.set_weights(model)
    loss = validation_loss(one, generator, dataset())
    assert loss == pytest.approx(history[-1].validation_loss, rel=1e-4)
    assert loss > 0.1  # after one epoch

    def none(data):
        raise ConfigError("no labels")

    monkeypatch.setattr("polyphase.workbench.adversarial.training.judge_of", none)
    assert math.isnan(trained(epochs=1)[1][-1].validation_loss)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    saved = tmp_path / "training.npz"
    trained(epochs=1, saved=saved)
    with pytest.raises(ConfigError, match="was saved by another training"):
        trained(epochs=1, saved=saved, penalty=1.0)


def test_constraints_hold_after_every_step_and_in_the_average():
    one = contender("benchmarks.remedies:even", 1, 64, width=4, task=task("gan"))
    model, _ = train(one, dataset(), 0, lambda *_: None)
    gains = gains_of(model)
    assert len(gains) == 2
    assert max(gains) < 1e-5
    assert min(gains_of(one.build((8, 8, 1)))) > 0.05


def test_a_loss_that_is_not_finite_ends_a_training():
    _, history = trained("tests.workbench.test_adversarial:not_a_number", epochs=3)
    assert [one.trouble for one in history] == ["a loss is not finite"]


def test_one_image_for_all_latents_is_noticed():
    one = GanEpoch(0.5, math.nan, 1.0, 0.5, 0.1, spread=0.5)
    assert one.trouble == ""
    assert replace(one, spread=0.01).trouble == "all latents give one image"
    assert replace(one, discriminator=math.nan).trouble == "a loss is not finite"
    assert replace(one, loss=math.inf).trouble == "a loss is not finite"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "Choose from: relativistic, non-saturating"),
        ({"penalty": -1.0}, "of at least 0. Received: -1.0"),
        ({"penalty": math.nan}, "of at least 0. Received: nan"),
        ({"discriminator": "deep"}, "Choose from: strided, blurred"),
    ],
)
def test_options_that_are_none_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        task("gan", **options)


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        (
            "nearest",
            10,
            "divisible by 4 and at least 8 pixels. Received: 10 x 10. Resize the images",
        ),
        ("upsampling", 28, "makes 10x10 grey images. Received: 28x28 with 1 channels"),
        ("cubist", 8, "Unknown decoder 'cubist'"),
    ],
)
def test_generators_that_do_not_fit_are_refused(name, side, message):
    with pytest.raises(ConfigError, match=message):
        check([contender(name, 1, 8, width=4, task=task("gan"))], dataset(side))


@pytest.mark.grid(1)
@pytest.mark.parametrize("name", ["subpixel", "upsampling", "transposed"])
def test_the_command_leaves_pictures_and_a_generator(name, tmp_path):
    size = ["--size", "8"] if name == "subpixel" else ["--size", "10", "--grey"]
    words = ["train", "gan", "--generator", name, *size, "--epochs", "3", "--width", "4"]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    made = tmp_path / "run"
    lines = [json.loads(line) for line in (made / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    with Image.open(made / "training.webp") as film, Image.open(made / "samples.png") as last:
        assert film.n_frames == 3
        assert film.size[0] / film.size[1] == last.size[0] / last.size[1]
    generator = keras.saving.load_model(made / "generator.keras")
    side = generator.output_shape[1]
    images = generator.predict(np.zeros((2, generator.input_shape[1])), verbose=0)
    assert images.shape == (2, side, side, 1)
    assert task_of(read_config(made)) == task("gan")


def test_a_training_that_fails_says_so_and_keeps_what_it_made(tmp_path):
    words = ["train", "gan", "--size", "8", "--epochs", "3", "--width", "4"]
    words += ["--generator", "tests.workbench.test_adversarial:not_a_number"]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "failed after 1 of 3 epochs: a loss is not finite" in result.stderr
    assert (tmp_path / "run" / "samples.png").exists()


def test_a_grid_shows_every_image_in_its_place():
    images = np.linspace(0, 1, 6)[:, None, None, None] * np.ones((6, 4, 6, 3))
    sheet = np.asarray(samples.enlarged(samples.grid(images)))
    assert max(sheet.shape) >= 480
    scale = sheet.shape[0] // (2 * 5 - 1)
    for index, image in enumerate(images):
        top, left = (index // 3) * 5 * scale, (index % 3) * 7 * scale
        cell = sheet[top : top + 4 * scale, left : left + 6 * scale]
        assert set(cell.ravel().tolist()) == {int(image.max() * 255 + 0.5)}


def test_a_long_training_is_a_film_of_sixty_frames():
    for epochs in (1, 2, 59, 60, 61, 200):
        shown = [epoch for epoch in range(epochs) if _pictured(epoch, epochs)]
        assert len(shown) == min(epochs, 60)
        assert {0, epochs - 1} <= set(shown)
    board = np.indices((8, 8)).sum(0)[None, ..., None]
    frames = [samples.grid((board + i) % 7 / 6) for i in range(9)]
    with Image.open(io.BytesIO(samples.animation(list(map(samples.png, frames))))) as film:
        assert film.n_frames == 9
        film.seek(8)
        last = np.asarray(
            film.convert("L").resize(frames[-1].size, Image.Resampling.BOX), "float64"
        )
        assert np.abs(last - np.asarray(frames[-1])).mean() < 5
