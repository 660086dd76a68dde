"""The solutions that the tutorials fold away run, behind the code of their tutorial.

Of the tutorials that do not train: the others take minutes.
"""

import re
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext", reason="needs the extra `site`")
LEARN = Path(__file__).parents[2] / "docs" / "learn"
TUTORIALS = ("upsampling", "transposed", "equivalence", "faster")
CODE = re.compile(r"^( *)```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def solutions(text):
    """Return the code of the solutions, without the indentation of their lists."""
    return [re.sub(f"^{indent}", "", code, flags=re.M) for indent, code in CODE.findall(text)]


@pytest.mark.parametrize("name", TUTORIALS)
def test_solutions_run(name, tmp_path, monkeypatch):
    path = LEARN / f"{name}.md"
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            exec(re.sub("^%.*", "", cell.source), names)
    found = solutions(path.read_text())
    assert found
    for code in found:
        exec(code, names)
