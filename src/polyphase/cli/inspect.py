"""`polyphase inspect`: which layers of a saved model make checkerboards."""

from pathlib import Path
from typing import Annotated

import typer

from polyphase.cli.errors import fail, one_line_errors


@one_line_errors
def inspect(
    source: Annotated[Path, typer.Argument(metavar="MODEL.keras", help="The model to look into.")],
    fail_over: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Exit with code 1 if a layer's chi is over this and its pattern reaches the "
            "output; 0.05 is a good start.",
            show_default="never",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            help="Draw the patterns and their spectra into this PNG file.", show_default="none"
        ),
    ] = None,
) -> None:
    """Tell which layers of a model make checkerboards, how strongly, and what to do.

    Every layer that upsamples is read, trained or not. chi is its checkerboard gain: 0 if a
    constant image stays constant, 1 if the pattern is as strong as the image. The model runs with
    and without each pattern to see how much of it reaches the output. The worst comes first.

    Examples:

        polyphase inspect generator.keras

        polyphase inspect generator.keras --fail-over 0.05

        polyphase inspect generator.keras --figure patterns.png
    """
    if figure is not None and figure.suffix != ".png":
        raise fail(f"The figure's file must end in .png. Received: {figure}.")
    from polyphase.cli.models import load_model
    from polyphase.cli.tables import print_table
    from polyphase.inspection import inspect as inspect_model

    model = load_model(source)
    try:
        inspection = inspect_model(model)
    except ValueError as error:
        raise fail(str(error)) from error
    if not inspection.stages:
        typer.echo(str(inspection))
    else:
        print_table(*inspection.rows(), "\n\n".join(inspection.sentences()), text=2)
    if figure is not None:
        from polyphase.cli.figures import save
        from polyphase.report.patterns import patterns

        drawn = patterns(inspection)
        if drawn is None:
            typer.echo("No layer has a pattern: no figure was drawn.")
        else:
            save(drawn, figure)
            typer.echo(f"Figure: {figure}")
    over = [one for one in inspection.stages if fail_over is not None and one.exceeds(fail_over)]
    if over:
        listed = ", ".join(f"{one.layer} ({one.chi:.3g})" for one in over)
        typer.echo(f"chi over {fail_over:g}: {listed}", err=True)
        raise typer.Exit(1)
