"""`polyphase bench`: times of our layers and of Keras' own, on the user's machine."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyphase.cli.errors import one_line_errors
from polyphase.cli.writing import Overwrite, unfinished

if TYPE_CHECKING:
    from polyphase.workbench.bench import Result


@one_line_errors
def bench(
    out: Annotated[
        Path | None,
        typer.Option(help="JSON file to write.", show_default="runs/bench-BACKEND-DATE.json"),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Time Polyphase's layers and Keras' own on this machine. It takes under a minute.

    Both are compiled and then run in turns in one process, forward and in training. The table
    shows median times, and how many times as fast our layers are. Run nothing else meanwhile. The
    environment variable KERAS_BACKEND chooses the backend. The page on performance in the
    documentation has the full benchmark and explains its numbers.

    Examples:

        polyphase bench

        KERAS_BACKEND=torch polyphase bench --out bench-torch.json
    """
    import keras
    from rich.progress import track

    from polyphase.workbench.bench import measure, quick_cases
    from polyphase.workbench.environment import machine, versions

    backend = keras.backend.backend()
    started = datetime.now(UTC)
    target = out or Path("runs") / f"bench-{backend}-{started:%Y%m%d-%H%M%S}.json"
    with unfinished(target, overwrite=overwrite, option="--out") as folder:
        cases = list(quick_cases())
        results = [measure(case) for case in track(cases, "Measuring", transient=True)]
        content = {
            "backend": backend,
            "started": started.isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": versions(),
            "unit": "ms",
            "results": [result.record() for result in results],
        }
        (folder / target.name).write_text(json.dumps(content, indent=1) + "\n")
    _show(results, backend)
    typer.echo(f"Results: {target}")


def _show(results: list["Result"], backend: str) -> None:
    from polyphase.cli.tables import print_table

    rows = [
        [
            f"{result.group} {result.name}",
            *(
                text
                for mode in (result.forward, result.training)
                for text in (
                    f"{mode['keras'].median:.2f}",
                    f"{mode['ours'].median:.2f}",
                    f"{mode['keras'].median / mode['ours'].median:.1f}x",
                )
            ),
        ]
        for result in results
    ]
    headers = ["layer", "Keras", "ours", "forward", "Keras", "ours", "training"]
    note = (
        f"Medians in ms on {backend}. Training: forward and gradients. 2.0x: ours takes half the "
        "time. On PyTorch, Keras' bicubic has another kernel than ours."
    )
    print_table(headers, rows, note)
