"""The documentation runs, links to what exists, and is generated where it says so."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_exist(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current(generate):
    for path, content in generate.pages().items():
        assert path.read_text() == content, f"{path.name} is old: run make docs"


def test_every_command_is_documented(generate):
    documented = (ROOT / "docs" / "cli.md").read_text()
    for command in (
        "compare",
        "demo",
        "explore",
        "bench",
        "fold",
        "inspect",
        "runs",
        "report",
        "train autoencoder",
    ):
        assert f"## `polyphase {command}`" in documented


def test_readme_shows_the_first_commands_in_order_near_its_top():
    top = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    first = ("git clone", "make demo", "source .venv/bin/activate", "polyphase --help", "make test")
    places = [top.index(command) for command in first]
    assert places == sorted(places)
