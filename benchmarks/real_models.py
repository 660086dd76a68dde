"""What `fold` makes of models that others wrote: found, absorbed, products, difference, times."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import results_file
from real_models_list import MODELS, PACKAGES

_LIMIT = 900  # seconds for one model
_ONE = Path(__file__).with_name("real_models_one.py")
_TEACHES = """
examples:
  KERAS_BACKEND=jax python benchmarks/real_models.py
      all models, on JAX; writes benchmarks/results/real-models-jax.json, from which `make docs`
      renders the table of docs/folding.md
  KERAS_BACKEND=torch python benchmarks/real_models.py kyolo "custom_unet, simple"
      those whose package or name contains a word; their rows in the file are replaced
  KERAS_BACKEND=jax python benchmarks/real_models.py --folder /tmp/real-models
      installs the packages into that folder once, and finds them there the next time

Each model is built, folded and measured by a process of its own: one that fails is a row that says
why. TensorFlow must be installed, whatever the backend: some of the packages import it. Nothing is
installed into the environment. Run nothing else meanwhile.
"""


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_TEACHES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="of packages and models; none: all")
    parser.add_argument("--folder", type=Path, help="where the packages are (default: a new one)")
    return parser.parse_args()


def install(folder: Path) -> None:
    """Install the packages into a folder of their own, without what they would replace."""
    if (folder / "done").exists():
        return
    print(f"Installing {len(PACKAGES)} packages into {folder}", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    command += ["--no-deps", "--ignore-requires-python", "--upgrade", *PACKAGES]
    subprocess.run(command, check=True)
    (folder / "done").touch()


def measured(folder: Path, name: str) -> dict[str, Any]:
    """Return the row of one model, measured by a process of its own."""
    package, _, model = name.partition(": ")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "row.json"
        command = [sys.executable, str(_ONE), str(folder), name, str(out)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT)
        except subprocess.TimeoutExpired:
            error = f"It took more than {_LIMIT} seconds"
        else:
            if out.exists():
                return json.loads(out.read_text())
            error = (done.stderr.strip().splitlines() or ["The process ended without a word"])[-1]
    return {"package": package, "name": model, "not": "run", "error": error}


def told(row: dict[str, Any]) -> str:
    """Return a row in a line."""
    if "forward" not in row:
        return f"not {row['not']}: {row['error']}"
    gain = row["forward"]["before"]["median"] / row["forward"]["folded"]["median"]
    said = f"{row['absorbed']} of {row['found']} absorbed, {gain:.2f} times as fast, "
    return said + f"difference {row['difference']:.1e}, loads: {row['loads']}"


def kept(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of the file that stay: of other models, measured by the same versions."""
    path = results_file.path("real-models")
    if not path.exists():
        return {}
    content = json.loads(path.read_text())
    same = content["versions"] == results_file.circumstances()["versions"]
    rows = {f"{row['package']}: {row['name']}": row for row in content["results"]}
    return {name: row for name, row in rows.items() if same and name not in names}


def main() -> None:
    """Measure the models that were asked for and write the file."""
    asked = arguments()
    every = [f"{one.package}: {one.name}" for one in MODELS]
    names = [n for n in every if not asked.words or any(word in n for word in asked.words)]
    if not names:
        sys.exit(f"No model is called so. Received: {asked.words}. Known: {'; '.join(every)}.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        install(folder)
        rows = kept(names)
        for number, name in enumerate(names, 1):
            print(f"{number} of {len(names)}, {name}", end=": ", flush=True)
            rows[name] = measured(folder, name)
            print(told(rows[name]), flush=True)
            results = [rows[name] for name in every if name in rows]
            results_file.write("real-models", unit="ms", results=results)


if __name__ == "__main__":
    main()
