"""The tables of what the choice of lowerings rests on, from the benchmark's JSON files."""

import itertools
import math
from collections.abc import Mapping

from polyphase.inspection.words import WORDS
from polyphase.ops.choice import OTHERWISE, TABLE, Row, choose
from polyphase.report.performance import NAMES, Content, mean_and_worst, milliseconds, table


def choices(contents: Mapping[str, Content]) -> str:
    """Return what the table behind `auto` rests on: direct's time divided by each row's way.

    Reassembly has no direct way, and stands against what it takes otherwise.

    Args:
        contents: the files that the rows name as their measurements, by that name.
    """
    rows = []
    for row in TABLE:
        measured = [
            case for case in contents[row.measurement]["cases"].values() if row.decides(case["ask"])
        ]
        otherwise = OTHERWISE.get(row.operation, "direct")
        gains = [
            mean_and_worst([case[mode][otherwise] / case[mode][row.lowering] for case in measured])
            for mode in ("forward", "training")
        ]
        where = "" if row.device == "cpu" else f", {row.device.upper()}"
        where += {True: " with oneDNN", False: " without oneDNN", None: ""}[row.onednn]
        who = f"{NAMES[row.backend]}{where}: `{row.operation}`"
        rows.append([who, _conditions(row), f"`{row.lowering}`", str(len(measured)), *gains])
    head = ["operation", "where", "lowering", "cases", "forward", "training"]
    return table(head, rows, text=3)


def half(contents: Mapping[str, Content]) -> str:
    """Return what bfloat16 takes: float32 directly / bfloat16 directly / bfloat16 by `auto`.

    Args:
        contents: files of lowerings, by backend.
    """
    suffix = " bfloat16"
    cases = next(iter(contents.values()))["cases"].items()
    names = [name for name, case in cases if name.endswith(suffix) and case["ask"]["taps"] > 1]
    rows = []
    for name, mode in itertools.product(names, ("forward", "training")):
        cells = []
        for backend, content in contents.items():
            full, case = content["cases"][name.removesuffix(suffix)], content["cases"][name]
            asked = {"backend": backend, "device": "cpu", "onednn": backend == "tensorflow"}
            way = choose(**case["ask"] | asked).lowering
            times = [full[mode]["direct"], case[mode]["direct"], case[mode][way]]
            cells.append(f"{' / '.join(map(milliseconds, times))} (`{way}`)")
        rows.append([f"{name.removesuffix(suffix)}, {mode}", *cells])
    return table(["", *(NAMES[backend] for backend in contents)], rows)


def _conditions(row: Row) -> str:
    """Return in words what a row asks for."""
    what = "" if row.rank == 2 else f"{WORDS[row.rank].image}s"  # images go without saying
    words = [what, ", ".join(row.interpolations), ", ".join(row.dtypes)]
    words += ["nothing upsampled"] if row.identity else []
    words += ["sizes that are powers of two"] if row.dyadic else []
    words += [f"at least {row.pixels} pixels"] if row.pixels else []
    words += [f"at least {row.side} pixels a side"] if row.side else []
    for name, (least, most) in (
        ("input channels", row.channels),
        ("output channels", row.filters),
    ):
        if most < math.inf:
            words.append(f"at most {most} {name}")
        elif least > 0:
            words.append(f"at least {least} {name}")
    return "; ".join(word for word in words if word)
