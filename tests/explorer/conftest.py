"""The explorer opened in Chromium; skipped where there is none."""

import shutil

import pytest

from polyphase.explorer import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="package")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(page(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def explorer(browser, address):
    """Open the page; fail if anything was logged as an error or asked for over the network."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened, errors, asked = context.new_page(), [], []
    opened.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    yield opened
    assert errors == []
    assert [url for url in asked if not url.startswith("file:")] == []
    context.close()
