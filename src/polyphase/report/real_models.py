"""The table of what `fold` makes of models that others wrote, from the benchmark's JSON files."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from polyphase.report.performance import NAMES, Content, milliseconds

_LONGEST = 120  # characters of another library's error
_OURS = "computed by polyphase.layers."


def summary(contents: Mapping[str, Content]) -> str:
    """Return in a few lines how many models fold, and what those gain that have fewer products."""
    every = _by_model(contents)
    folded = [rows for rows in every.values() if all("found" in row for row in rows.values())]
    packages = {package for package, _ in every}
    lines = [
        f"{len(every)} models of {len(packages)} packages; {len(folded)} fold, and "
        f"{sum(any(map(_fewer, rows.values())) for rows in folded)} of them have fewer products. "
        "Of those, time before divided by after, median and range:",
        "",
    ]
    for backend in contents:
        gains = [
            _gain(rows[backend])
            for rows in folded
            if "forward" in rows.get(backend, {}) and _fewer(rows[backend])
        ]
        if gains:
            span = f"{min(gains):.2f} to {max(gains):.2f}"
            lines.append(f"- {NAMES[backend]}: {median(gains):.2f} ({span}), {len(gains)} of them")
    return "\n".join(lines) + "\n"


def table(contents: Mapping[str, Content]) -> str:
    """Return a row for each model: times on each backend, and why not more.

    Times are milliseconds before and after; in brackets the first divided by the second, and
    products before divided by products after, by which fewer products alone bound it.
    """
    backends = [NAMES[backend] for backend in contents]
    head = ["model", "absorbed", *backends, "difference", "loads again", "of the others"]
    marks = ["---", "---", *["---:"] * len(backends), "---:", "---", "---"]
    lines = [head, marks]
    for (package, name), rows in _by_model(contents).items():
        lines.append(
            [
                f"{package} {rows[next(iter(rows))].get('version', '')}: {name}",
                _absorbed(rows),
                *(_times(rows.get(backend, {})) for backend in contents),
                _difference(rows),
                _loads(rows),
                _others(rows),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _by_model(contents: Mapping[str, Content]) -> dict[tuple[str, str], dict[str, Any]]:
    models: dict[tuple[str, str], dict[str, Any]] = {}
    for backend, content in contents.items():
        for row in content["results"]:
            models.setdefault((row["package"], row["name"]), {})[backend] = row
    return models


def _gain(row: Content) -> float:
    return row["forward"]["before"]["median"] / row["forward"]["folded"]["median"]


def _fewer(row: Content) -> bool:
    before, after = row.get("multiply_adds", (0, 0))
    return after < before


def _absorbed(rows: Mapping[str, Any]) -> str:
    """Return how many of the upsamplings were absorbed; per backend where they differ."""
    counts = [f"{row['absorbed']} of {row['found']}" for row in rows.values() if "found" in row]
    return " / ".join(counts if len(set(counts)) > 1 else counts[:1])


def _times(row: Mapping[str, Any]) -> str:
    if "forward" not in row:
        return ""
    medians = (row["forward"][one]["median"] for one in ("before", "folded"))
    before, after = row["multiply_adds"]
    bound = before / after if after else 1.0
    return f"{' / '.join(map(milliseconds, medians))} ({_gain(row):.2f}; {bound:.2f})"


def _difference(rows: Mapping[str, Any]) -> str:
    found = [row["difference"] for row in rows.values() if row.get("difference") is not None]
    return f"{max(found):.0e}" if found else ""


def _loads(rows: Mapping[str, Any]) -> str:
    said = dict.fromkeys(row["loads"] for row in rows.values() if "loads" in row)
    return "; ".join(one if one == "yes" else _short(one) for one in said)


def _others(rows: Mapping[str, Any]) -> str:
    """Return why the rest was not absorbed, what gained nothing, and what failed where."""
    said: dict[str, None] = {}
    for backend, row in rows.items():
        said |= dict.fromkeys(row.get("reasons", {}))
        if "found" in row and not row["found"]:
            said["no upsampling that `fold` reads"] = None
        done = row.get("done", {})
        if done and all(text.startswith(_OURS) for text in done):
            said["transposed convolutions, of as many products"] = None
        if "error" in row:
            said[f"{NAMES[backend]}, not {row['not']}: {_short(row['error'])}"] = None
    return "; ".join(said)


def _short(text: str) -> str:
    """Return an error as a cell of a table."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    return text.replace("|", "\\|").replace("<", "&lt;")
