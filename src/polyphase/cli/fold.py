"""`polyphase fold`: a saved model in, an equal and faster one out."""

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyphase.cli.errors import fail, one_line_errors

if TYPE_CHECKING:
    import keras

    from polyphase.rewrite import Report


class Target(StrEnum):
    """Whose layers the new model is made of."""

    POLYPHASE = "polyphase"
    KERAS = "keras"


@one_line_errors
def fold(
    source: Annotated[Path, typer.Argument(metavar="IN.keras", help="The model to fold.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.keras", help="Where to write it.")],
    target: Annotated[
        Target,
        typer.Option(
            help="Whose layers to use: ours (trainable further, load with `import polyphase`), or "
            "only Keras' own (to deploy; loads anywhere)."
        ),
    ] = Target.POLYPHASE,
    inference: Annotated[
        bool,
        typer.Option(
            "--inference",
            help="Also do what is exact at inference only: batch normalisation goes before "
            "every interpolation and into the convolution before it.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(help="Compare both models on random input; write nothing if they differ."),
    ] = True,
    onnx: Annotated[
        bool,
        typer.Option("--onnx", help="Also write OUT.onnx, checked with onnxruntime."),
    ] = False,
    openvino: Annotated[
        bool,
        typer.Option("--openvino", help="Also write OUT.xml and OUT.bin, checked with OpenVINO."),
    ] = False,
) -> None:
    """Make a saved Keras model faster without changing what it computes.

    Upsampling is delayed until a convolution absorbs it. The new model has the same inputs,
    outputs and weights and can be trained on. A table says what happened to every upsampling layer,
    the lines below it what that saves and how equal both models are. Code in a file is never run.

    Examples:

        polyphase fold generator.keras fast.keras

        polyphase fold --inference --target keras unet.keras deploy.keras

        polyphase fold --inference --onnx unet.keras deploy.keras
    """
    if out.suffix != ".keras":
        raise fail(f"The new model's file must end in .keras. Received: {out}.")
    from polyphase.cli.models import load_model
    from polyphase.rewrite import fold as fold_model
    from polyphase.rewrite.compare import tolerance
    from polyphase.rewrite.export import ExportError

    model = load_model(source)
    try:
        folded, report = fold_model(
            model, inference=inference, target=target.value, return_report=True
        )
        if verify and not report.difference <= tolerance(model):
            raise fail(
                f"The folded model's outputs differ by {report.difference:.1e} of the largest "
                "output, more than rounding; nothing was written. Please report the model."
            )
        checks = _save(folded, out, onnx or openvino, openvino)
    except (ValueError, ExportError) as error:
        raise fail(str(error)) from error
    _show(report, checks)
    for suffix in (".keras", *checks):
        typer.echo(f"Written: {out.with_suffix(suffix)}")


def _save(model: "keras.Model", path: Path, onnx: bool, openvino: bool) -> dict[str, float]:
    """Write all files or none; return how much each export differs from the model."""
    from polyphase.rewrite.compare import tolerance
    from polyphase.rewrite.export import ExportError, to_onnx, to_openvino

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            unfinished = Path(folder) / path.name
            checks = {}
            model.save(unfinished)
            if onnx:
                checks[".onnx"] = to_onnx(model, unfinished.with_suffix(".onnx"))
            if openvino:
                checks[".xml"] = to_openvino(
                    model, unfinished.with_suffix(".onnx"), unfinished.with_suffix(".xml")
                )
            for suffix, off in checks.items():
                if not off <= tolerance(model):
                    raise ExportError(
                        f"The exported {suffix} differs by {off:.1e} of the largest output, more "
                        "than rounding; nothing was written."
                    )
            for file in Path(folder).iterdir():
                os.replace(file, path.parent / file.name)
    except OSError as error:
        raise OSError(f"Cannot write {path} ({error.strerror}).") from error
    return checks


def _show(report: "Report", checks: dict[str, float]) -> None:
    from polyphase.cli.tables import print_table

    notes = report.summary().splitlines()
    notes += [f"Largest difference of the {kind} file: {off:.1e}" for kind, off in checks.items()]
    if not report.findings:
        typer.echo("There is no upsampling in this model: it was copied as it is.")
        return
    rows = [[one.layer, "yes" if one.folded else "no", one.what] for one in report.findings]
    print_table(["layer", "folded", "what happened"], rows, "\n".join(notes), text=3)
