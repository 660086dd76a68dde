"""Tasks: what models are given, what is reached without training, and runs of each."""

import json
import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity
from typer.testing import CliRunner

from polyphase._facts import UserError
from polyphase.cli.app import app
from polyphase.datasets import load
from polyphase.models import DECODERS
from polyphase.report import answer, markdown, write
from polyphase.workbench import ConfigError, Contender, check, contender, train
from polyphase.workbench.evidence import load as found_by
from polyphase.workbench.joining import joined
from polyphase.workbench.kept import finished
from polyphase.workbench.matching import matched_widths
from polyphase.workbench.results import Baseline
from polyphase.workbench.run import Run
from polyphase.workbench.tasks import RECONSTRUCT, task, task_of
from polyphase.workbench.tasks.task import keys_to_judge, keys_to_train
from polyphase.workbench.training import Batches, InOrder
from tests.report.synthetic import comparison

COMPARED = ("reconstruct", "denoise", "super-resolve", "fit", "gan")


def images(count=6, height=8, width=12, channels=3):
    return np.random.default_rng(0).random((count, height, width, channels), dtype="float32")


class Nobody:
    def __init__(self, trainings, epochs):
        pass

    def __enter__(self):
        return lambda progress: None

    def __exit__(self, *error):
        pass


def run(target, doing, show=lambda comparison, folder: None, decoders=("nearest",), **how):
    """Train decoders on a few patches of photographs for two epochs, with two seeds."""
    new = Run.new(
        target,
        decoders,
        ("photographs", "16", False),
        range(2),
        command=["polyphase"],
        experiment="fair",
        how={"task": doing, "epochs": 2, "batch_size": 256} | how,
        options={},
    )
    return new.go(show, Nobody)


def test_noise_has_its_deviation_and_depends_on_the_key_alone():
    denoise, x = task("denoise", noise=0.25), images(64)
    noise = denoise.inputs(x, keys_to_train(0, 0, range(64))) - x
    assert noise.std() == pytest.approx(0.25, rel=0.02)
    assert abs(noise.mean()) < 0.005
    one = denoise.inputs(x[5:6], keys_to_train(0, 0, [5]))
    np.testing.assert_array_equal(one[0] - x[5], noise[5])
    others = [keys_to_train(0, 1, [5]), keys_to_train(1, 0, [5]), keys_to_judge([5])]
    for keys in others:
        assert np.abs(denoise.inputs(x[5:6], keys)[0] - x[5] - noise[5]).max() > 0.1


def test_small_images_are_means_of_cells():
    x = images()
    small = task("super-resolve", scale=4).inputs(x, keys_to_judge(range(6)))
    assert small.shape == (6, 2, 3, 3)
    assert small.dtype == np.float32
    for i in range(2):
        for j in range(3):
            cell = x[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
            np.testing.assert_allclose(small[:, i, j], cell.reshape(6, 16, 3).mean(1), rtol=1e-5)


def test_validation_has_the_same_noise_every_time_and_training_another_in_every_epoch():
    denoise, x = task("denoise"), images(7)
    order = InOrder(x, denoise)
    np.testing.assert_array_equal(order[0][0], order[0][0])
    np.testing.assert_array_equal(order[0][1], x)
    batches = Batches(x, 7, seed=3, task=denoise)
    first = np.sort(np.ravel(batches[0][0] - batches[0][1]))
    batches.on_epoch_end()
    assert np.abs(np.sort(np.ravel(batches[0][0] - batches[0][1])) - first).max() > 1e-3


def test_bicubic_is_that_of_pillow():
    """Beside the border, where Pillow renormalises what our edges repeat, and to its 8 bits."""
    smooth = np.asarray(Image.effect_noise((16, 16), 60).resize((64, 64), Image.Resampling.BICUBIC))
    large = (smooth / np.float32(255))[None, ..., None].astype("float32")
    doing = task("super-resolve", scale=2)
    small = doing.inputs(large, keys_to_judge([0]))
    ours = doing.baselines()["bicubic"](small)
    pillow = Image.fromarray(small[0, ..., 0]).resize((64, 64), Image.Resampling.BICUBIC)
    inner = (slice(4, -4),) * 2
    np.testing.assert_allclose(ours[0, ..., 0][inner], np.asarray(pillow)[inner], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sharpen", {}, "Unknown task 'sharpen'. Choose from: reconstruct, denoise, super-resolve"),
        ("denoise", {"noise": 0.0}, "above 0 and up to 1, the range of pixels. Received: 0.0"),
        ("denoise", {"noise": float("nan")}, "Received: nan"),
        ("denoise", {"noise": 1.5}, "Received: 1.5"),
        ("denoise", {"scale": 2}, "The task 'denoise' has no option --scale"),
        ("reconstruct", {"noise": 0.1}, "The task 'reconstruct' has no option --noise"),
        ("super-resolve", {"scale": 3}, "--scale is 2 or 4. Received: 3"),
    ],
)
def test_a_task_that_is_none_is_refused(name, options, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        task(name, **options)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("denoise", 7, "sides of at least 8"),
        ("super-resolve", 15, "multiples of 2, at least 8 pixels. Received: 15x15. Use --size"),
        ("super-resolve", 6, "at least 8 pixels. Received: 6x6"),
    ],
)
def test_images_that_do_not_fit_are_refused(name, size, message):
    with pytest.raises(ConfigError, match=message):
        check([contender("nearest", task=task(name))], load("digits", size))


def test_runs_of_before_there_were_tasks_reconstruct():
    assert task_of({}) == RECONSTRUCT == task_of({"task": None})
    assert task_of({"task": "super-resolve", "scale": 4}) == task("super-resolve", scale=4)


@pytest.mark.grid(1)
@pytest.mark.parametrize("name", ["super-resolve", "denoise", "reconstruct", "fit"])
def test_a_run_is_found_again_as_it_was(name, tmp_path):
    found = run(tmp_path / "run", task(name), write)
    again = found_by(tmp_path / "run")
    assert again.task == found.task == task(name)
    assert [one.name for one in again.baselines] == list(task(name).baselines())
    for one, other in zip(found.baselines, again.baselines, strict=True):
        np.testing.assert_array_equal(one.reconstructions, other.reconstructions)
        assert (one.validation_loss, one.psnr, one.ssim) == (
            other.validation_loss,
            other.psnr,
            other.ssim,
        )
    if found.task.given:
        np.testing.assert_array_equal(found.inputs, again.inputs)
    page = (tmp_path / "run" / "report.html").read_text()
    assert f"Which decoder {found.task.verb} photographs best?" in page
    assert ("Floor" in page) == (found.floor is not None) == (found.task.loss[0] == "b")
    assert f"{found.task.measure}<small>{found.unit}</small>" in page
    assert f"{found.task.judged}, after the last epoch" in page
    words = ("fitted images", "the loss decides") if name == "fit" else ("test images",)
    for said in words:
        assert said in page
    for wrong in ("validation images", "alidation loss", "test images"):
        assert (wrong in page) == (name != "fit"), wrong
    for one in found.baselines:
        assert f'<th scope="row">{one.name}</th>' in page
        assert f"| {one.name} |" in markdown(found)
        assert one.name in answer(found)[-1]


@pytest.mark.grid(1)
@pytest.mark.parametrize("name", ["super-resolve", "denoise", "fit"])
def test_measures_are_those_of_the_saved_model(name, tmp_path):
    """Loss, PSNR and SSIM anew, by NumPy and scikit-image, from the files that a run left."""
    found = run(tmp_path / "run", task(name))
    originals = found.task.part(load("photographs", "16")).validation.pixels
    given = found.task.inputs(originals, keys_to_judge(range(len(originals))))
    trial = found.trials[0]
    model = keras.saving.load_model(tmp_path / "run" / "models" / "nearest-seed0.keras")
    raw = model.predict(given, verbose=0).astype("float64")
    made = raw.clip(0, 1)
    psnr = [-10 * np.log10(np.mean((x - y) ** 2)) for x, y in zip(originals, made, strict=True)]
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    ssim = [
        structural_similarity(x.astype("float64"), y, data_range=1.0, channel_axis=-1, **window)
        for x, y in zip(originals, made, strict=True)
    ]
    x, y = originals.astype("float64"), raw.clip(1e-7, 1 - 1e-7)
    loss = {
        "denoise": -np.mean(x * np.log(y) + (1 - x) * np.log(1 - y)),
        "super-resolve": 255 * np.mean(np.abs(x - raw)),
        "fit": np.mean((255 * (x - raw)) ** 2),
    }[name]
    assert trial.validation_loss == pytest.approx(loss, rel=1e-4)
    assert trial.psnr == pytest.approx(np.mean(psnr), rel=1e-4)
    assert trial.ssim == pytest.approx(np.mean(ssim), rel=1e-3)


def test_what_needs_no_training_is_measured_as_the_rest(tmp_path):
    found = run(tmp_path / "run", task("denoise", noise=0.2))
    (given,) = found.baselines
    originals = load("photographs", "16").validation.pixels
    noisy = found.task.inputs(originals, keys_to_judge(range(len(originals)))).clip(0, 1)
    errors = ((originals.astype("float64") - noisy) ** 2).mean((1, 2, 3))
    assert given.psnr == pytest.approx(np.mean(-10 * np.log10(errors)), abs=1e-4)
    lines = [json.loads(x) for x in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    (line,) = [one for one in lines if one["kind"] == "baseline"]
    assert line == {"kind": "baseline", "decoder": "the noisy image", "seed": None} | {
        name: getattr(given, name) for name in ("validation_loss", "psnr", "ssim")
    }


def test_the_answer_says_whether_training_was_worth_it():
    found = comparison(task="super-resolve", scale=2)
    assert not any("Without training" in one for one in answer(found))
    best = min(np.mean([t.validation_loss for t in found.of(d)]) for d in found.decoders)
    for loss, words in ((best + 0.01, "is lower."), (best - 0.01, "is not lower than bicubic.")):
        bicubic = Baseline("bicubic", float(loss), 30.0, 0.9, found.originals)
        said = answer(replace(found, floor=None, baselines=(bicubic,)))[-1]
        assert said.startswith(f"Without training: {loss:.4f} (bicubic); ")
        assert said.endswith(words)


def test_runs_of_different_tasks_do_not_stand_in_one_table(tmp_path):
    two = [comparison(task="denoise", noise=noise) for noise in (0.1, 0.2)]
    with pytest.raises(ConfigError, match=r"different tasks.* denoise, noise 0.1 and denoise"):
        joined([tmp_path / "a", tmp_path / "b"], two, "polyphase report a b")


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(tmp_path, backend):
    """Noise too depends on the epoch, and not on how many there were in this process."""
    if backend != "jax":
        pytest.skip("bit for bit is promised on JAX")
    data = load("photographs", "16")

    def training(epochs, saved=None):
        one = contender("nearest", epochs, 256, task=task("denoise"))
        return train(one, data, 0, lambda *_: None, saved)

    whole, history = training(3)
    saved = tmp_path / "saved.npz"
    training(1, saved)
    parts, again = training(3, saved)
    assert [one.loss for one in history] == [one.loss for one in again]
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_another_task_is_refused(tmp_path):
    data, saved = load("photographs", "16"), tmp_path / "saved.npz"
    for noise in (0.1, 0.2):
        one = contender("nearest", 1, 256, task=task("denoise", noise=noise))
        if noise == 0.1:
            train(one, data, 0, lambda *_: None, saved)
        else:
            with pytest.raises(ConfigError, match="saved by another training"):
                train(one, data, 0, lambda *_: None, saved)


def test_a_finished_model_is_recognised_by_its_loss(tmp_path):
    doing = task("super-resolve")
    run(tmp_path / "run", doing)
    one = contender("nearest", 2, 256, task=doing)
    model, history = finished(one, load("photographs", "16"), 0, tmp_path / "run")
    assert len(history) == 2
    assert model.output_shape == (None, 16, 16, 3)


def test_what_is_fitted_is_judged_by_itself():
    doing, data = task("fit"), load("digits")
    part = doing.part(data)
    assert len(part.train) == 256
    np.testing.assert_array_equal(part.train.pixels, part.validation.pixels)
    np.testing.assert_array_equal(part.test.pixels, data.train.pixels[:8])
    some = part.train.pixels[:20]
    numbers = doing.inputs(some, keys_to_judge(range(20)))
    assert numbers.shape == (20, 64)
    assert len(np.unique(numbers)) == numbers.size  # each image has its own
    other = doing.inputs(some[::-1].copy(), keys_to_train(3, 4, range(20)))
    np.testing.assert_array_equal(other[::-1], numbers)


def test_generators_of_images_without_labels_are_refused_before_a_folder_is_made(tmp_path):
    np.save(tmp_path / "images.npy", images(60, 8, 8))
    words = ["--data", str(tmp_path / "images.npy"), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["compare", "--task", "gan", "--batch-size", "8", *words])
    assert result.exit_code == 2
    assert "needs two or more labels to learn. Received: images without labels" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["images.npy"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fit", ["--search", "lr"]),
        ("gan", ["--search", "lr"]),
        ("gan", ["--epochs", "auto"]),
        ("gan", ["--encoder", "even"]),
        ("fit", ["--penalty", "1"]),
        ("denoise", ["--discriminator", "blurred"]),
    ],
)
def test_options_that_a_task_lacks_are_refused(name, words):
    result = CliRunner().invoke(app, ["compare", "--task", name, *words])
    assert result.exit_code == 2
    assert words[0] in result.stderr


@pytest.mark.exhaustive
def test_every_task_takes_every_decoder():
    """And a matched one; built, not trained."""
    for name in COMPARED:
        every = [contender(decoder, task=task(name)) for decoder in DECODERS]
        for one in every:
            assert one.build((32, 32, 3)).output_shape == (None, 32, 32, 3)
        some = [one for one in every if one.name in ("nearest", "subpixel", "transposed-4")]
        for match in ("parameters", "multiply-adds"):
            widths = matched_widths(some, (32, 32, 3), match)
            assert set(widths) == {one.name for one in some}


def test_contenders_travel_to_other_processes():
    one = contender("nearest", task=task("super-resolve", scale=4))
    again = pickle.loads(pickle.dumps(one))
    assert isinstance(again, Contender)
    assert again.task == one.task
    assert again.build((32, 32, 1)).input_shape == (None, 8, 8, 1)
