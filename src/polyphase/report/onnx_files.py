"""The table of what folding makes of ONNX files, from the benchmark's JSON file."""

from typing import Any

from polyphase.report.performance import Content, circumstances, milliseconds

RUNTIMES = {"onnxruntime": "onnxruntime", "openvino": "OpenVINO"}


def table(content: Content) -> str:
    """Return a row for each file: the share, and times before and after in each runtime."""
    precisions = {content["files"][0][runtime]["precision"] for runtime in RUNTIMES} - {""}
    head = ["file", "share", *RUNTIMES.values(), "difference"]
    lines = [head, ["---", "---:", *["---:"] * len(RUNTIMES), "---:"]]
    for row in content["files"]:
        times = [_times(row[runtime]) for runtime in RUNTIMES]
        off = max(row[runtime]["difference"] for runtime in RUNTIMES)
        part = "" if row["share"] is None else f"{row['share']:.0%}"
        lines.append([row["name"], part, *times, f"{off:.0e}"])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    computes = f"OpenVINO computed in {', '.join(sorted(precisions))}." if precisions else ""
    return "\n\n".join([rows, computes, circumstances([content])])


def _times(row: dict[str, Any]) -> str:
    before, after = row["before"]["median"], row["after"]["median"]
    if not row["changed"]:
        return f"{milliseconds(before)} (as it was)"
    return f"{milliseconds(before)} / {milliseconds(after)} ({before / after:.2f})"
