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


@pytest.fixture(scope="package")
def only_page(browser):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def explorer(only_page, address):
    """Open the page anew; fail if anything was logged as an error or asked for over the network."""
    errors, asked = [], []
    heard = {
        "console": lambda line: errors.append(line.text) if line.type == "error" else None,
        "pageerror": lambda error: errors.append(str(error)),
        "request": lambda request: asked.append(request.url),
    }
    for event, hear in heard.items():
        only_page.on(event, hear)
    only_page.goto("about:blank")
    only_page.goto(address)
    yield only_page
    for event, hear in heard.items():
        only_page.remove_listener(event, hear)
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "about:"))] == []
