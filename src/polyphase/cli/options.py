"""Options that several commands share."""

from typing import Annotated

import typer

Data = Annotated[
    str,
    typer.Option(
        help="Images: 'digits' (embedded), 'mnist' (Keras downloads it), an .npz or .npy file, "
        "or a folder of images."
    ),
]
