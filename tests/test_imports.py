"""Imports point downward only, and the algebra needs no framework."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import polyphase

ROOT = Path(polyphase.__file__).parent
# Each may import those of a smaller number, and itself.
LEVELS = {
    "_version": 0,
    "_backend": 0,
    "_facts": 0,
    "algebra": 1,
    "ops": 2,
    "layers": 3,
    "constraints": 3,
    "initializers": 3,
    "metrics": 3,
    "rewrite": 4,
    "models": 4,
    "inspection": 4,
    "datasets": 4,
    "testing": 4,
    "timing": 3,
    "memory": 4,
    "tuning": 4,
    "workbench": 5,
    "imaging": 5,
    "explorer": 6,
    "report": 6,
    "cli": 7,
}
FILES = sorted(ROOT.rglob("*.py"))


def imported(path):
    """Return the dotted names that a file imports, relative ones resolved, wherever they stand."""
    package = ["polyphase", *path.relative_to(ROOT).parent.parts]
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "polyphase":
                names += [f"polyphase.{alias.name}" for alias in node.names]
            else:
                names.append(module)
    return names


def part(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_imported_from_above(path):
    own = part(path)
    if own in ("__init__", "__main__"):  # the faces: they may see everything
        return
    assert own in LEVELS, f"{own} has no place in LEVELS of this test"
    for name in imported(path):
        if name == "polyphase" or not name.startswith("polyphase."):
            continue
        other = name.split(".")[1]
        assert other in LEVELS, f"{path}: {name}"
        below = LEVELS[other] < LEVELS[own] or other == own
        same_level = LEVELS[other] == LEVELS[own] == 4  # rewrite, models, inspection: peers
        assert below or same_level, f"{path.relative_to(ROOT)} ({own}) imports {name} from above"


def test_peers_do_not_import_each_other_in_a_circle():
    peers = {name: set() for name, level in LEVELS.items() if level == 4}
    for path in FILES:
        if part(path) in peers:
            others = {n.split(".")[1] for n in imported(path) if n.startswith("polyphase.")}
            peers[part(path)] |= (others & set(peers)) - {part(path)}
    while free := [name for name, needs in peers.items() if not needs & set(peers)]:
        for name in free:
            del peers[name]
    assert not peers, f"circle: {peers}"


@pytest.mark.parametrize("path", sorted((ROOT / "algebra").glob("*.py")), ids=lambda p: p.name)
def test_the_algebra_imports_numpy_the_standard_library_and_itself(path):
    for name in imported(path):
        top = name.split(".")[0]
        assert (
            top == "numpy"
            or top in sys.stdlib_module_names
            or name == "polyphase.algebra"
            or name.startswith("polyphase.algebra.")
        ), f"{path.name} imports {name}"


def run(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


def test_the_algebra_works_where_keras_cannot_be_imported():
    done = run(
        "import sys\n"
        "for name in ('keras', 'jax', 'tensorflow', 'torch'): sys.modules[name] = None\n"
        "import polyphase.algebra\n"
        "print(polyphase.algebra.resampling.resampling_matrix(2, 4, 'bilinear').dense().sum())\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "4.0"


def test_import_polyphase_loads_no_tool_of_the_workbench():
    done = run(
        "import os, sys\n"
        "os.environ.setdefault('KERAS_BACKEND', 'jax')\n"
        "import keras\n"  # which loads some of them itself
        "before = set(sys.modules)\n"
        "import polyphase\n"
        "heavy = {'matplotlib', 'typer', 'rich', 'jinja2', 'skimage', 'sklearn', 'PIL'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in polyphase.__all__:
        assert getattr(polyphase, name) is not None
    assert set(polyphase.layers.__all__) <= set(dir(polyphase.layers))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = polyphase.nonsense
