"""`polyphase fold` of an ONNX file: an equal file in the form that is fastest here."""

import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from polyphase.cli.writing import unfinished

if TYPE_CHECKING:
    from polyphase.rewrite import OnnxReport


def fold_onnx_file(
    source: Path,
    out: Path,
    *,
    openvino: bool,
    shapes: Sequence[str],
    overwrite: bool,
    progress: Callable[[str], object],
) -> None:
    """Write the fastest equal file for onnxruntime, and one for OpenVINO if that is wanted.

    Raises:
        ValueError: for what cannot be read, run or folded.
        OSError: for what cannot be written.
        ImportError: naming what is not installed.
    """
    from polyphase.rewrite.export import save_openvino

    sides = dict(map(shape_of, shapes))
    targets = [out, out.with_name(f"{out.name}.data")]
    targets += [out.with_suffix(".xml"), out.with_suffix(".bin")] if openvino else []
    with unfinished(*targets, source=source, overwrite=overwrite) as folder:
        reports = [write_onnx(source, folder / out.name, sides, progress)]
        if openvino:
            xml = folder / out.with_suffix(".xml").name
            save = functools.partial(save_openvino, path=xml)
            reports.append(write_openvino(source, sides, progress, save))
        made = [one for one in targets if (folder / one.name).exists()]
    for report in reports:
        show(report)
    for one in made:
        typer.echo(f"Written: {one}")


def shape_of(text: str) -> tuple[str, tuple[int, ...]]:
    """Return the name and the shape in an option like `images=1x3x640x640`.

    Raises:
        ValueError: if it says something else.
    """
    name, _, sides = text.rpartition("=")
    if not name or not all(side.isdecimal() and int(side) for side in sides.split("x")):
        raise ValueError(f"--shape must look like images=1x3x640x640. Received: {text!r}.")
    return name, tuple(map(int, sides.split("x")))


def write_onnx(
    source: Path,
    target: Path,
    shapes: dict[str, tuple[int, ...]],
    progress: Callable[[str], object],
) -> "OnnxReport":
    """Write the file that onnxruntime runs fastest."""
    from polyphase.rewrite.onnx import fold_file
    from polyphase.rewrite.onnx.files import copy

    with tempfile.TemporaryDirectory() as folder:
        found, report = fold_file(source, Path(folder), shapes=shapes, watch=progress)
        copy(found, target)
    return report


def write_openvino(
    source: Path,
    shapes: dict[str, tuple[int, ...]],
    progress: Callable[[str], object],
    save: Callable[[Path], object],
) -> "OnnxReport":
    """Let `save` write the file that OpenVINO runs fastest, at its default precision."""
    from polyphase.rewrite.onnx import fold_file

    with tempfile.TemporaryDirectory() as folder:
        found, report = fold_file(
            source, Path(folder), shapes=shapes, runtime="openvino", watch=progress
        )
        save(found)
    return report


def show(report: "OnnxReport") -> None:
    """Print what happened to each node that upsamples, and what that gained."""
    from polyphase.cli.tables import print_table

    rows = [[one.layer, "yes" if one.folded else "no", one.what] for one in report.findings]
    if rows:
        print_table(["node", "folded", "what happened"], rows, report.summary(), text=3)
    else:
        typer.echo(report.summary())
