"""The built site in a browser: every page opens without an error, every link leads somewhere.

`make site` names its folder in SITE; elsewhere there is no site, and nothing to test.
"""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.report.test_browser import CHROMIUM

SITE = Path(os.environ.get("SITE", "")).resolve()
pytestmark = [
    pytest.mark.skipif("SITE" not in os.environ, reason="no site was built: make site"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
PAGES = sorted(SITE.rglob("*.html")) if "SITE" in os.environ else []
WIDTHS = (400, 1200)
EXPLORER = "explorer.html"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_open_without_an_error_and_without_a_network_at_any_width(browser, scheme):
    wrong = []
    page = browser.new_context(color_scheme=scheme, offline=True).new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    for path in PAGES:
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.goto(path.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{path.name} is wider than {width} pixels")
    assert not wrong


def test_every_link_leads_to_a_file_and_a_place_in_it():
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', path.read_text())) for path in PAGES}
    lost = []
    for path in PAGES:
        for target in set(re.findall(r'(?:href|src)="([^"]+)"', path.read_text())):
            link = urlsplit(target)
            if link.scheme or not (link.path or link.fragment):
                continue
            file = (path.parent / unquote(link.path)).resolve() if link.path else path
            if file.name == EXPLORER:  # its fragments are its state
                link = link._replace(fragment="")
            known = anchors.get(file, {unquote(link.fragment)})
            if not file.exists() or (link.fragment and unquote(link.fragment) not in known):
                lost.append(f"{path.relative_to(SITE)}: {target}")
    assert PAGES
    assert not lost


def test_every_tutorial_ran_and_can_be_downloaded():
    tutorials = sorted((SITE / "learn").glob("*.html"))
    assert len(tutorials) == 7
    for path in tutorials:
        assert path.with_suffix(".ipynb").exists()
        text = path.read_text()
        assert f'href="{path.stem}.ipynb"' in text
        assert text.count("<summary>Solution</summary>") == 3
        assert "<Figure size" not in text  # a figure that was not shown
        assert "Traceback" not in text
