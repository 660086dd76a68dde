"""`polyphase fold`: make a saved model faster without changing what it computes."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyphase.cli.errors import fail, one_line_errors
from polyphase.cli.writing import Overwrite, unfinished
from polyphase_command import STOPPED

if TYPE_CHECKING:
    import keras

    from polyphase.rewrite import Report
    from polyphase.tuning import Tuned


class Target(StrEnum):
    """Which layers the new model is made of."""

    POLYPHASE = "polyphase"
    KERAS = "keras"


@one_line_errors
def fold(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="The model to fold: .keras, .h5, .hdf5 or .onnx."),
    ],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The file to write: .keras, or .onnx if IN is .onnx."),
    ],
    target: Annotated[
        Target,
        typer.Option(
            help="Which layers to use: Polyphase's (can be trained further; loading needs `import "
            "polyphase`), or only Keras' own (to deploy; loads anywhere)."
        ),
    ] = Target.POLYPHASE,
    inference: Annotated[
        bool,
        typer.Option(
            "--inference",
            help="Also do what is exact only at inference: batch normalisation moves before every "
            "interpolation and into the convolution before it.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(help="Compare both models on random input; write nothing if they differ."),
    ] = True,
    onnx: Annotated[
        bool,
        typer.Option(
            "--onnx",
            help="Also write OUT.onnx, in the form that onnxruntime runs fastest here.",
        ),
    ] = False,
    openvino: Annotated[
        bool,
        typer.Option(
            "--openvino",
            help="Also write OUT.xml and OUT.bin, in the form that OpenVINO runs fastest here.",
        ),
    ] = False,
    grid_sample: Annotated[
        bool,
        typer.Option(
            "--grid-sample",
            help="With --onnx or --openvino: where images are read between their pixels, as "
            "DySample2D does, write the operator GridSample instead of gathers. Some runtimes "
            "compute GridSample wrongly.",
        ),
    ] = False,
    tflite: Annotated[
        bool,
        typer.Option(
            "--tflite",
            help="Also write OUT.tflite for TensorFlow Lite, in the form that it runs faster here.",
        ),
    ] = False,
    time: Annotated[
        bool,
        typer.Option(
            "--time",
            help="Also time both models on this machine (--tune does so too), and measure the "
            "memory that they take.",
        ),
    ] = False,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Also time every lowering of each upsampling layer on this machine (every method "
            "of computing it), and keep the fastest in the new model. Run it where the model will "
            "run.",
        ),
    ] = False,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT=1x3x640x640",
            help="For an .onnx file: the shape of an input with which to time the model; repeat "
            "the option for each input. Without it: one image, of a size on which the model runs.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a saved Keras or ONNX model faster without changing what it computes.

    Upsampling and the convolution after it are computed in one step, on the small image. The new
    model has the same inputs, outputs and weights and can be trained further. A table shows what
    happened to every upsampling layer. The lines below it say what that saves and how closely the
    outputs of both models agree. Code in a model file is never run.

    For an ONNX file, every form in which its upsamplings can be computed is timed on this machine,
    in onnxruntime (with --openvino also in OpenVINO). The fastest is written; if none is faster,
    that is the given file.

    Examples:

        polyphase fold generator.keras fast.keras

        polyphase fold --inference --target keras unet.h5 deploy.keras

        polyphase fold --inference --onnx unet.keras deploy.keras

        polyphase fold --inference --tflite unet.keras phone.keras

        polyphase fold --tune generator.keras fast.keras

        polyphase fold detector.onnx fast.onnx
    """
    if source.suffix == ".onnx":
        _require_onnx(
            out,
            {
                "--target": target is not Target.POLYPHASE,
                "--inference": inference,
                "--no-verify": not verify,
                "--onnx": onnx,
                "--tune": tune,
                "--time": time,
                "--tflite": tflite,
                "--grid-sample": grid_sample,
            },
        )
        _fold_onnx(source, out, openvino, shape or [], overwrite)
        return
    if shape:
        raise fail("--shape is for .onnx files; a Keras model has its own shape. Leave it out.")
    if out.suffix != ".keras":
        raise fail(f"The new model's file must end in .keras. Received: {out}.")
    if grid_sample and not (onnx or openvino):
        raise fail("--grid-sample needs an ONNX file to be written. Add --onnx or --openvino.")
    if tune and target is Target.KERAS:
        raise fail(
            "--tune chooses the lowerings of Polyphase's layers; Keras' own layers have none. "
            "Received: --tune --target keras. Leave out one of the two."
        )
    from polyphase.cli.tables import print_sentences
    from polyphase.cli.times import memory, timed
    from polyphase.rewrite.export import ExportError, require_runtimes

    suffixes = [".keras"]
    suffixes += [".onnx"] if onnx or openvino else []
    suffixes += [".xml", ".bin"] if openvino else []
    suffixes += [".tflite"] if tflite else []
    targets = [out.with_suffix(suffix) for suffix in suffixes]
    try:
        if onnx or openvino:
            require_runtimes(openvino)
        with unfinished(*targets, source=source, overwrite=overwrite) as folder:
            model, folded, report = _folded(source, target, inference, verify)
            tuned = _tuned(folded) if tune else ()
            notes = _written(model, folded, folder, targets, grid_sample)
            if time or tune:
                _progress("Timing both models")
                report, untimed = timed(report, source, folder / out.name)
                notes += untimed
            if time and report.times:
                _progress("Measuring the memory of both models")
                notes += memory(source, folder / out.name)
    except (ValueError, MemoryError, ExportError) as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt as error:
        typer.echo("Stopped: nothing was written.", err=True)
        raise typer.Exit(STOPPED) from error
    _show(report, notes)
    if tune:
        _show_tuned(tuned)
    for one in targets:
        typer.echo(f"Written: {one}")
    if report.nothing_gained:
        print_sentences(report.nothing_gained)


def _require_onnx(out: Path, others: dict[str, bool]) -> None:
    """Say what does not go with an ONNX file.

    Raises:
        typer.Exit: naming it.
    """
    if out.suffix != ".onnx":
        raise fail(
            "A folded ONNX model's file must end in .onnx: `polyphase fold IN.onnx OUT.onnx`. "
            f"Received: {out}."
        )
    option = next((name for name, given in others.items() if given), None)
    if option:
        raise fail(
            f"{option} is for Keras models. An ONNX model is always folded for inference, compared "
            "and tuned. Leave it out."
        )


def _fold_onnx(source: Path, out: Path, openvino: bool, shape: list[str], over: bool) -> None:
    """Fold an ONNX file."""
    from polyphase.cli.fold_onnx import fold_onnx_file

    try:
        fold_onnx_file(
            source, out, openvino=openvino, shapes=shape, overwrite=over, progress=_progress
        )
    except (ValueError, MemoryError) as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt as error:
        typer.echo("Stopped: nothing was written.", err=True)
        raise typer.Exit(STOPPED) from error


def _folded(
    source: Path, target: Target, inference: bool, verify: bool
) -> tuple["keras.Model", "keras.Model", "Report"]:
    """Return the model in a file, the folded one, compared with it, and what was done."""
    from polyphase.cli.models import load_model
    from polyphase.rewrite import fold as fold_model
    from polyphase.rewrite.compare import tolerance
    from polyphase.rewrite.export import ExportError

    model = load_model(source, _progress)
    _progress("Folding and comparing both models")
    folded, report = fold_model(model, inference=inference, target=target.value, return_report=True)
    if verify and report.difference is None:
        raise ExportError(
            "No input was found on which the model runs, so the folded model cannot be compared "
            "with it. Nothing was written. Use --no-verify to write it anyway."
        )
    if verify and not report.difference <= tolerance(model):
        raise ExportError(
            f"The folded model's outputs differ by {report.difference:.1e} of the largest output, "
            "which is more than rounding. Nothing was written. Please report the model."
        )
    return model, folded, report


def _tuned(model: "keras.Model") -> tuple["Tuned", ...]:
    """Give every layer the lowering that is fastest here, on an example of the model's sizes."""
    from polyphase.rewrite.sizes import example
    from polyphase.tuning import tune

    return tune(model, example(model), watch=lambda layer: _progress(f"Timing {layer}"))


def _written(
    model: "keras.Model",
    folded: "keras.Model",
    folder: Path,
    targets: list[Path],
    grid_sample: bool,
) -> list[str]:
    """Write all files into `folder`; return a line for each export, and what loading needs."""
    from polyphase.cli.exports import exported
    from polyphase.rewrite.loading import what_to_import

    files = {one.suffix: folder / one.name for one in targets}
    folded.save(files[".keras"])
    needs = what_to_import(folded, files[".keras"])
    said = exported(model, folded, files, _progress, grid_sample=grid_sample)
    return said + ([needs] if needs else [])


def _progress(line: str) -> None:
    typer.echo(f"{line} ...", err=True)


def _show(report: "Report", exports: list[str]) -> None:
    from polyphase.cli.tables import print_sentences, print_table

    notes = [*report.summary().splitlines(), *exports]
    if report.findings:
        print_table(*report.rows(), "\n".join(notes), text=3)
    else:
        print_sentences("\n".join(notes))


def _show_tuned(tuned: tuple["Tuned", ...]) -> None:
    from polyphase.cli.tables import print_sentences, print_table

    typer.echo()
    if not tuned:
        print_sentences(
            "Nothing to tune: the new model has no layer with lowerings to choose from."
        )
        return
    rows = [
        [
            one.layer,
            one.lowering,
            f"{one.times[one.lowering].median:.3g}",
            ", ".join(
                f"{name} {times.median:.3g}"
                for name, times in sorted(one.times.items(), key=lambda item: item[1].median)
                if name != one.lowering
            ),
        ]
        for one in tuned
    ]
    print_table(
        ["layer", "fastest lowering", "ms", "the others, ms"],
        rows,
        f"Medians of predictions in turns, batch of {tuned[0].shapes[0][0]}. The new model keeps "
        "the fastest lowering.",
        text=4,
    )
