"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from polyphase._facts import AUTO, EPOCHS, MINUTES


class Loss(StrEnum):
    """What generator and discriminator minimise."""

    RELATIVISTIC = "relativistic"
    NON_SATURATING = "non-saturating"


class Discriminator(StrEnum):
    """How the discriminator halves images."""

    STRIDED = "strided"
    BLURRED = "blurred"


_DATA = (
    "Images: 'digits', 'stacked-digits' or 'photographs' (no download), 'mnist' or 'cifar10' "
    "(Keras downloads them), an .npz or .npy file, or a folder of images."
)
Data = Annotated[str, typer.Option(help=_DATA)]
TaskData = Annotated[
    str | None,
    typer.Option(help=_DATA, show_default="reconstruct, fit and gan: digits; others: photographs"),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Crop every image about its centre and resize it: one number of pixels for both "
        "sides, or HEIGHTxWIDTH.",
        show_default="as they are",
    ),
]
Grey = Annotated[bool, typer.Option("--grey", help="Make every image grey.")]
Width = Annotated[
    int, typer.Option(min=1, help="Channels of the encoder, the code and the decoder's stages.")
]


Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Continue an interrupted run after its last finished epoch, with the options that it "
        "was begun with.",
        show_default="none",
    ),
]


def _checked(epochs: str | None) -> str | None:
    """Refuse what is neither a number of epochs nor a plateau."""
    if epochs not in (None, AUTO) and (not epochs.isdecimal() or int(epochs) < 1):
        raise typer.BadParameter(f"received {epochs!r}; give a whole number from 1 on, or {AUTO!r}")
    return epochs


Epochs = Annotated[
    str | None,
    typer.Option(
        callback=_checked,
        metavar=f"N|{AUTO}",
        help=f"Passes over the training images. '{AUTO}': train to a plateau, that is, until the "
        "validation loss has not fallen by more than 0.2% over the last fifth of the epochs (at "
        "least ten).",
        show_default=f"{EPOCHS}; fit: 6,000 steps; gan: 1,800 steps; published: 25",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        help=f"With --epochs {AUTO}: stop each training after this many minutes, plateau or not.",
        show_default=str(MINUTES),
    ),
]


def epochs_of(epochs: str | None, minutes: float | None) -> tuple[int | None, float | None]:
    """Return epochs, and the minutes after which a training to a plateau is stopped.

    Raises:
        typer.BadParameter: for minutes without a plateau.
    """
    if epochs == AUTO:
        return None, minutes or MINUTES
    if minutes is not None:
        raise typer.BadParameter(
            f"it needs --epochs {AUTO}; add that, or leave it out", param_hint="--minutes"
        )
    return int(epochs) if epochs else None, None


def given(context: typer.Context) -> dict[str, Any]:
    """Return the options that were given, by the names of their parameters."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {
        name: context.params[name]
        for name, source in sources.items()
        if source is not None and source.name != "DEFAULT"
    }
