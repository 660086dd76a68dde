"""`polyphase inspect` on saved files: the table, the exit code, the figure, what it refuses."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from typer.testing import CliRunner

from polyphase.cli.app import app
from polyphase.initializers import Bilinear

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def save(*stages, shape=(6, 6, 3)):
    keras.utils.set_random_seed(0)
    keras.Sequential([keras.Input(shape), *stages]).save("model.keras")


def words(result):
    return " ".join(result.output.split())


def test_the_worst_layer_and_its_remedy_are_said():
    save(layers.UpSampling2D(name="fine"), layers.Conv2DTranspose(2, 3, 2, name="bad"))
    result = RUN.invoke(app, ["inspect", "model.keras"])
    assert result.exit_code == 0, result.output
    assert result.output.index("bad") < result.output.index("fine")
    assert "To see whether your images show it" in words(result)


@pytest.mark.parametrize(("limit", "code"), [("0.05", 1), ("100", 0)])
def test_the_exit_code_is_for_continuous_integration(limit, code):
    save(layers.Conv2DTranspose(2, 3, 2, name="bad"))
    result = RUN.invoke(app, ["inspect", "model.keras", "--fail-over", limit])
    assert result.exit_code == code
    assert ("chi over 0.05: bad" in result.output) == bool(code)


def test_what_is_even_passes():
    save(layers.Conv2DTranspose(3, 4, 2, kernel_initializer=Bilinear(2)), layers.UpSampling2D())
    result = RUN.invoke(app, ["inspect", "model.keras", "--fail-over", "0.001"])
    assert result.exit_code == 0, result.output


def test_the_figure_is_a_png_of_the_layers_with_a_pattern():
    save(layers.Conv2DTranspose(2, 3, 2), layers.UpSampling2D(), layers.Conv2D(2, 3, 2))
    result = RUN.invoke(app, ["inspect", "model.keras", "--figure", "new/patterns.png"])
    assert result.exit_code == 0, result.output
    assert Path("new/patterns.png").read_bytes().startswith(b"\x89PNG")
    save(layers.UpSampling2D())
    result = RUN.invoke(app, ["inspect", "model.keras", "--figure", "none.png"])
    assert "no figure was drawn" in words(result)
    assert not Path("none.png").exists()


def test_a_layer_as_an_activation_is_read():
    leaky = layers.LeakyReLU(0.3)
    save(layers.UpSampling2D(), layers.Conv2D(2, 3, activation=leaky), layers.UpSampling2D())
    result = RUN.invoke(app, ["inspect", "model.keras"])
    assert result.exit_code == 0, result.output
    assert "up_sampling2d" in words(result)


def test_a_model_without_upsampling_says_so_and_passes():
    save(layers.Conv2D(2, 3))
    result = RUN.invoke(app, ["inspect", "model.keras", "--fail-over", "0"])
    assert result.exit_code == 0
    assert "no upsampling in this model" in words(result)


def test_weights_that_are_nan_are_named():
    keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2DTranspose(
                2, 3, 2, name="broken", kernel_initializer=keras.initializers.Constant(float("nan"))
            ),
        ]
    ).save("model.keras")
    result = RUN.invoke(app, ["inspect", "model.keras"])
    assert result.exit_code == 2
    assert "broken/kernel" in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.keras"], "There is no file"),
        (["text.keras"], "is neither a .keras file"),
        (["text.keras", "--figure", "p.jpg"], "must end in .png"),
    ],
)
def test_what_is_no_model_is_refused_in_a_line(arguments, said):
    Path("text.keras").write_text("not a model")
    result = RUN.invoke(app, ["inspect", *arguments])
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    "stages",
    [
        [layers.UpSampling2D(), layers.Resizing(20, 20, name="unknown")],
        [layers.Conv2D(2, 1), layers.CenterCrop(20, 20, name="unknown")],
    ],
)
def test_what_is_not_read_is_said_and_fails_a_check(stages):
    save(*stages)
    result = RUN.invoke(app, ["inspect", "model.keras"])
    assert result.exit_code == 0, result.output
    named = f"unknown ({type(stages[1]).__name__})"
    assert f"Not read: {named}." in words(result)
    assert "There is no upsampling" not in result.output
    result = RUN.invoke(app, ["inspect", "model.keras", "--fail-over", "100"])
    assert result.exit_code == 1
    assert f"Not read, so the chi is not known: {named}" in result.stderr


def test_images_of_any_size_are_fitted_to_the_input(tmp_path):
    for index in range(20):
        drawn = np.random.default_rng(index).integers(0, 256, (50 + index, 70, 3), np.uint8)
        Image.fromarray(drawn).save(tmp_path / f"{index}.png")
    for channels in (1, 3):
        save(layers.Conv2DTranspose(channels, 2, 2, name="up"), shape=(24, 32, channels))
        result = RUN.invoke(app, ["inspect", "model.keras", "--images", str(tmp_path)])
        assert result.exit_code == 0, result.output
        assert "at its period of 2 pixels" in words(result)


def test_images_on_the_command_line_are_evidence():
    save(layers.AveragePooling2D(2), layers.Conv2DTranspose(3, 2, 2, name="up"), shape=(32, 32, 3))
    result = RUN.invoke(app, ["inspect", "model.keras", "--images", "photographs"])
    assert result.exit_code == 0, result.output
    assert "The images show it:" in words(result)
    assert "polyphase.repair(model)" in words(result)
    result = RUN.invoke(app, ["inspect", "model.keras", "--images", "digits"])
    assert result.exit_code == 2
    assert "must fit the model's inputs" in result.output
    assert "Received: (1150, 32, 32, 1)." in words(result)
    assert RUN.invoke(app, ["inspect", "model.keras", "--images", "nowhere"]).exit_code == 2
