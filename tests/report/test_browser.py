"""The page in a browser: every control works, nothing is logged as an error, no request leaves."""

import dataclasses
import re
import shutil

import pytest

from polyphase.report import write
from tests.report.synthetic import comparison, film, generators

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(comparison(seeds=(0, 1, 2)), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def path_of_generators(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generators")
    (folder / "samples").mkdir()
    for name in ("nearest", "subpixel"):
        (folder / "samples" / f"{name}-seed0.webp").write_bytes(film())
    return write(generators(failed=(("transposed-4", 1),)), folder)


@pytest.fixture
def page(browser, path):
    """Open the page; fail if anything was logged as an error or asked for over the network."""
    yield from opened_page(browser, path)


@pytest.fixture
def page_of_generators(browser, path_of_generators):
    """The same of the page of generators."""
    yield from opened_page(browser, path_of_generators)


def opened_page(browser, path):
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    opened, errors, asked = context.new_page(), [], []
    opened.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    yield opened
    assert errors == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    context.close()


def column(table, number):
    cells = table.locator("tbody tr").evaluate_all(
        "(rows, n) => rows.map(row => row.cells[n].textContent)", number
    )
    return [float(re.match(r"[\d.,]+", cell.strip())[0].replace(",", "")) for cell in cells]


def test_a_heading_sorts_its_column_as_numbers_and_turns_round(page):
    table = page.get_by_label("Table of results").locator("table")
    heading = table.get_by_role("button", name="parameters")
    heading.click()
    assert column(table, 5) == sorted(column(table, 5))
    assert table.locator("th[aria-sort=ascending]").count() == 1
    heading.press("Enter")
    assert column(table, 5) == sorted(column(table, 5), reverse=True)
    table.get_by_role("button", name="decoder").click()
    names = table.locator("tbody th").all_text_contents()
    assert names == sorted(names)


def test_what_is_wider_than_the_page_says_that_it_scrolls_and_figures_open_at_full_size(page):
    for number in (0, 1):  # curves, which have values under the pointer, and another figure
        image = page.locator(".card").nth(number).locator("img")
        note = page.locator(".card + .wide").nth(number)
        width = image.evaluate("image => image.clientWidth")
        assert image.evaluate("image => image.naturalWidth") > width
        assert note.locator("span").is_hidden()
        note.get_by_role("button", name="Full size").click()
        assert image.evaluate("image => image.clientWidth == image.naturalWidth")
        assert note.locator("span").is_visible()
        assert page.locator(".curves").evaluate("box => box.scrollWidth == box.clientWidth")
        note.get_by_role("button", name="Full size").click()
        assert image.evaluate("image => image.clientWidth") == width
    page.set_viewport_size({"width": 400, "height": 900})
    page.get_by_text("Scroll sideways").nth(1).wait_for(timeout=5000)
    assert page.locator(".scroll + .wide").first.is_visible()


def test_the_slider_wipes_from_the_original_to_the_chosen_decoder(page):
    wipe = page.locator("#wipe")
    over = wipe.locator(".pair img + img").first
    before = over.get_attribute("src")
    wipe.get_by_role("combobox").select_option("transposed-3")
    assert over.get_attribute("src") != before
    slider = wipe.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    assert over.evaluate("image => getComputedStyle(image).clipPath").endswith("0%)")
    slider.press("End")
    assert over.evaluate("image => getComputedStyle(image).clipPath").endswith("100%)")
    assert over.evaluate("image => image.naturalWidth") == 28


def test_the_curves_show_the_values_under_the_pointer_and_by_the_arrow_keys(page, path):
    found = comparison(seeds=(0, 1, 2))
    curves, output = page.locator(".curves"), page.locator("output.values")
    assert output.is_hidden()
    curves.scroll_into_view_if_needed()
    curves.focus()
    curves.press("ArrowRight")
    curves.press("ArrowRight")
    curves.press("ArrowLeft")
    mean = sum(trial.history[0].validation_loss for trial in found.of("nearest")) / 3
    assert output.inner_text().startswith("Epoch 1")
    assert f"nearest {mean:.4f}" in output.inner_text()
    box = curves.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    epoch = int(re.match(r"Epoch (\d+)", output.inner_text())[1])
    assert 1 < epoch <= 8


def test_the_page_of_generators_sorts_shows_curves_and_films_and_has_nothing_to_wipe(
    page_of_generators,
):
    table = page_of_generators.get_by_label("Table of results").locator("table")
    table.get_by_role("button", name="FID").click()
    assert table.locator("tbody th").last.inner_text().strip() == "transposed-4"  # not finite
    curves = page_of_generators.locator(".curves")
    curves.focus()
    curves.press("ArrowRight")
    assert page_of_generators.locator("output.values").inner_text().startswith("Epoch 1")
    assert page_of_generators.locator("#wipe").count() == 0
    films = page_of_generators.locator(".films img")
    assert films.evaluate_all("all => all.map(one => one.naturalWidth)") == [60, 60]
    shown = films.first.evaluate("image => image.currentSrc")
    assert shown.startswith("data:image/webp")
    page_of_generators.locator(".films summary").click()
    assert films.first.is_hidden()


def test_films_stand_still_for_those_who_want_no_motion(browser, path_of_generators):
    context = browser.new_context(reduced_motion="reduce")
    opened = context.new_page()
    opened.goto(path_of_generators.as_uri())
    shown = opened.locator(".films img").first.evaluate("image => image.currentSrc")
    assert shown.startswith("data:image/png")
    context.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["path", "path_of_generators"])
def test_nothing_runs_over_the_edge_and_text_has_contrast(browser, request, width, scheme, kind):
    path = request.getfixturevalue(kind)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = context.new_page()
    opened.goto(path.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    ground, ink = opened.evaluate(
        "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
    )
    light, dark = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink))
    assert (light > dark) == (scheme == "light")
    assert abs(light - dark) > 500
    context.close()


@pytest.mark.exhaustive
def test_a_hundred_decoders_are_usable(browser, tmp_path):
    one = comparison(seeds=(0,), decoders=("nearest",))
    (trial,) = one.trials
    trials = tuple(
        dataclasses.replace(
            trial,
            decoder=f"decoder-{index}",
            history=tuple(
                dataclasses.replace(e, validation_loss=e.validation_loss + 0.001 * index)
                for e in trial.history
            ),
        )
        for index in range(100)
    )
    settings = {key: {t.decoder: 1 for t in trials} for key in ("epochs", "batch_size")}
    page_path = write(
        dataclasses.replace(one, trials=trials, config=one.config | settings), tmp_path
    )
    assert page_path.stat().st_size < 3_000_000
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(page_path.as_uri())
    table = opened.get_by_label("Table of results").locator("table")
    assert table.locator("tbody tr").count() == 100
    assert opened.locator("#wipe option").count() == 10
    table.get_by_role("button", name="validation loss").click()
    assert table.locator("tbody th").first.inner_text().strip() == "decoder-0"
    context.close()
