"""What a run folder keeps of its trainings: models, checkpoints, and a line for each epoch."""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from polyphase.datasets import Dataset
from polyphase.rewrite.zeros import random_weights_are_zeros
from polyphase.workbench.adversarial.samples import animation, enlarged, opened, png
from polyphase.workbench.config import ConfigError, Contender
from polyphase.workbench.plateau import done
from polyphase.workbench.results import Epoch, GanEpoch, epoch_of
from polyphase.workbench.runs import file_name, keep_metrics, read_metrics, readable
from polyphase.workbench.trainers import trainer_of

_UNFINISHED = "unfinished-"


def save_model(model: keras.Model, path: Path) -> None:
    """Save a finished model under the name of its file; the file is complete or not there."""
    model.name = path.stem
    unfinished = path.with_name(_UNFINISHED + path.name)
    model.save(unfinished)
    os.replace(unfinished, path)


def save_samples(folder: Path, contender: Contender, seed: int, history: Sequence[Epoch]) -> None:
    """Save a generator's images and the animation of its training; nothing for other models."""
    pictures = [one.picture for one in history if isinstance(one, GanEpoch) and one.picture]
    if pictures:
        place = samples_path(folder, contender.name, seed)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(png(enlarged(opened(pictures[-1]))))
        place.with_suffix(".webp").write_bytes(animation(pictures))


def samples_path(folder: Path, decoder: str, seed: int) -> Path:
    """Return where the samples of a finished training are: with `.png`, and `.webp`."""
    return folder / "samples" / f"{file_name(decoder)}-seed{seed}.png"


def model_path(folder: Path, contender: Contender, seed: int) -> Path:
    """Return where the model of a finished training is."""
    return folder / "models" / f"{file_name(contender.name)}-seed{seed}.keras"


def checkpoint_path(folder: Path, contender: Contender, seed: int) -> Path:
    """Return where the last epoch of an unfinished training is."""
    return folder / f"training-{file_name(contender.name)}-seed{seed}.npz"


def history_of(folder: Path, contender: Contender, seed: int) -> tuple[Epoch, ...]:
    """Return the epochs of a finished training from `metrics.jsonl`."""
    return tuple(
        epoch_of(line)
        for line in read_metrics(folder)
        if line["kind"] == "epoch" and (line["decoder"], line["seed"]) == (contender.name, seed)
    )


def forget_unfinished(folder: Path, contenders: Sequence[Contender], seeds: Sequence[int]) -> None:
    """In a run that is resumed, keep only the search and the epochs of finished trainings.

    Measurements are made again when all models are trained. Incomplete files are removed. The
    folder of models exists afterwards.
    """
    (folder / "models").mkdir(exist_ok=True)
    for path in (*folder.glob("*.tmp"), *(folder / "models").glob(f"{_UNFINISHED}*")):
        path.unlink()
    done = {
        (one.name, seed)
        for one in contenders
        for seed in seeds
        if model_path(folder, one, seed).exists()
    }
    keep_metrics(
        folder,
        lambda line: (
            line["kind"] == "search"
            or (line["kind"] == "epoch" and (line["decoder"], line["seed"]) in done)
        ),
    )


def finished(
    contender: Contender, dataset: Dataset, seed: int, folder: Path
) -> tuple[keras.Model, tuple[Epoch, ...]]:
    """Return a training that was finished before, if its files belong together.

    They do if the model has the name of its decoder and seed, and the loss that was recorded.

    Raises:
        ConfigError: if a file is damaged, or of another training.
    """
    path = model_path(folder, contender, seed)
    history = history_of(folder, contender, seed)
    cure = f"Remove {path}; then this training starts anew, and nothing else is lost."
    if not done(contender, history) or done(contender, history[:-1]):
        wanted = "" if contender.minutes else f" of the {contender.epochs}"
        raise ConfigError(
            f"The model of {contender.name}, seed {seed}, is finished, but "
            f"{folder / 'metrics.jsonl'} has {len(history)}{wanted} epochs of it, not as many as "
            f"its training had. {cure}"
        )
    with random_weights_are_zeros():
        model = contender.build(dataset.shape)
    with readable(path, cure):
        name = _name_in(path)
        if name == path.stem:
            model.load_weights(path)
    if name != path.stem:
        raise ConfigError(f"{path} is the model of another training, {name!r}. {cure}")
    loss = trainer_of(contender.task).validation_loss(contender, model, dataset)
    recorded = history[-1].validation_loss
    if not history[-1].trouble and not np.isclose(
        loss, recorded, rtol=1e-4, atol=1e-5, equal_nan=True
    ):
        raise ConfigError(
            f"{path} is not the model that was trained: its validation loss is {loss:.4f}, but "
            f"{recorded:.4f} was recorded. {cure}"
        )
    return model, history


def _name_in(path: Path) -> str:
    """Return the name of the model in a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        return str(json.loads(archive.read("config.json"))["config"]["name"])
