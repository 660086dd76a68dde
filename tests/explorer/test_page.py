"""The page in a browser: painting, walking, pointing, typing, sliding, and going back."""

import re

import numpy as np
import pytest

from polyphase.explorer import page

TIMES, MINUS = "\u00d7", "\u2212"
FIRST = "#rank=2&input=constant-3x3&layers=conv_transpose:x2:k3:same:"


def go(explorer, text):
    explorer.goto(explorer.url.split("#")[0] + text)


def grid(explorer, name):
    return explorer.get_by_role("grid", name=name, exact=True)


def cell(explorer, name, row, column):
    rows = grid(explorer, name).locator("[role=row]")
    return rows.nth(row - 1).locator("[role=gridcell]").nth(column - 1)


def value(explorer, name, row, column):
    label = cell(explorer, name, row, column).get_attribute("aria-label")
    return float(re.search(rf": ({MINUS}?[\d.]+)", label)[1].replace(MINUS, "-"))


def sentence(explorer):
    return explorer.locator("#sum").inner_text()


def hot(explorer, name):
    """Return the places of a grid that are marked."""
    return grid(explorer, name).evaluate(
        "grid => [...grid.children].flatMap((row, r) => [...row.children].flatMap((cell, c) =>"
        "cell.classList.contains('hot') ? [[r + 1, c + 1]] : []))"
    )


def test_it_is_one_small_file_that_asks_for_nothing():
    text = page()
    assert len(text.encode()) < 200_000
    assert re.findall(r"(?:https?:)?//[a-z]+\.|src=|url\(|@import|fetch\(", text) == []


def test_a_click_paints_and_a_drag_goes_on(explorer):
    go(explorer, "#rank=2&input=0,0,0/0,0,0/0,0,0&layers=interpolate:nearest:x2")
    first, last = (cell(explorer, "Input", 1, column).bounding_box() for column in (1, 3))
    explorer.mouse.move(first["x"] + 5, first["y"] + 5)
    explorer.mouse.down()
    explorer.mouse.move(last["x"] + 5, last["y"] + 5, steps=6)
    explorer.mouse.up()
    assert "input=1,1,1/0,0,0/0,0,0" in explorer.url
    assert value(explorer, "Output of the chosen layer", 2, 6) == 1
    cell(explorer, "Input", 1, 2).click()
    assert "input=1,0,1/0,0,0/0,0,0" in explorer.url
    explorer.go_back()
    assert "input=1,1,1/0,0,0/0,0,0" in explorer.url
    explorer.go_back()
    assert "input=0,0,0/0,0,0/0,0,0" in explorer.url
    explorer.go_forward()
    assert value(explorer, "Input", 1, 3) == 1


def test_a_grid_is_walked_and_set_by_keys(explorer):
    go(explorer, FIRST + "ones")
    assert grid(explorer, "Input").locator("[tabindex='0']").count() == 1
    cell(explorer, "Input", 1, 1).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "5"):
        explorer.keyboard.press(key)
    assert value(explorer, "Input", 2, 3) == 5
    for key in ("Home", "+", "-", "-"):
        explorer.keyboard.press(key)
    assert value(explorer, "Input", 2, 1) == 0.75
    explorer.keyboard.press("Enter")
    explorer.keyboard.type("-2.5")
    explorer.keyboard.press("Enter")
    assert value(explorer, "Input", 2, 1) == -2.5
    assert "input=1,1,1/-2.5,1,5/1,1,1" in explorer.url
    focused = explorer.evaluate("document.activeElement.ariaLabel")
    assert focused == f"row 2, column 1: {MINUS}2.5"


def test_a_kernel_is_set_by_hand(explorer):
    go(explorer, FIRST + "ones")
    cell(explorer, "Kernel", 2, 2).focus()
    explorer.keyboard.press("3")
    assert "(1,1,1/1,3,1/1,1,1)" in explorer.url
    assert explorer.get_by_label("Weights", exact=True).input_value() == "hand"
    made = cell(explorer, "Output of the chosen layer", 2, 2).get_attribute("aria-label")
    assert made == "row 2, column 2: 3, phase d"


def test_an_output_shows_its_inputs_its_taps_and_its_sum(explorer):
    go(explorer, "#rank=2&input=1,2/3,4&layers=conv_transpose:x2:k3:valid:(1,2,3/4,5,6/7,8,9)")
    cell(explorer, "Output of the chosen layer", 3, 2).hover()
    assert sentence(explorer) == f"Row 3, column 2: 8 {TIMES} 1 + 2 {TIMES} 3 = 14."
    assert hot(explorer, "Input") == [[1, 1], [2, 1]]
    assert hot(explorer, "Kernel") == [[1, 2], [3, 2]]
    assert hot(explorer, "Output of the chosen layer") == [[3, 2]]
    explorer.mouse.move(0, 0)
    assert sentence(explorer).startswith("Point at an output")
    assert hot(explorer, "Input") == []
    cell(explorer, "Output of the chosen layer", 1, 1).focus()
    explorer.keyboard.press("ArrowRight")
    assert sentence(explorer) == f"Row 1, column 2: 2 {TIMES} 1 = 2."


def test_an_input_shows_where_it_goes(explorer):
    go(explorer, "#rank=1&input=1,2,4&layers=conv_transpose:x2:k3:valid:(1,2,3)")
    cell(explorer, "Input", 1, 2).hover()
    assert hot(explorer, "Output of the chosen layer") == [[1, 3], [1, 4], [1, 5]]
    assert sentence(explorer) == (
        "Input sample 2 is 2. It goes to 3 outputs, with weights that add up to 6."
    )


def test_a_wrong_value_is_said_beside_its_field_and_the_last_state_stays(explorer):
    go(explorer, FIRST + "ones")
    before = explorer.url
    size = explorer.get_by_label("Kernel size")
    size.fill("9")
    size.press("Enter")
    message = 'The kernel size is a whole number from 1 to 7. Received: "9".'
    field = explorer.locator(".field", has=size)
    assert field.get_by_role("alert").inner_text() == message
    assert size.get_attribute("aria-invalid") is not None
    assert explorer.url == before
    assert value(explorer, "Output of the chosen layer", 2, 2) == 1
    size.fill("4")
    size.press("Enter")
    assert field.get_by_role("alert").inner_text() == ""
    assert "k4" in explorer.url
    inputs = explorer.get_by_role("group", name="Input")
    entered = inputs.locator(".field", has=explorer.get_by_role("textbox")).first
    entered.get_by_role("textbox").fill("much")
    entered.get_by_role("textbox").press("Enter")
    assert 'Received: "much"' in entered.get_by_role("alert").inner_text()
    explorer.get_by_label("Stride").fill("5")
    explorer.get_by_label("Stride").press("Enter")
    explorer.get_by_label("Even phases").check()
    assert "Received: kernel 4, stride 5." in explorer.locator(".field.checkbox").inner_text()


def test_the_slider_puts_a_trained_kernel_into_the_layer(explorer):
    go(explorer, "#rank=1&input=edge-8&layers=interpolate:nearest:x2")
    training = explorer.locator("#training")
    assert "not the layer above" in training.inner_text()
    slider = training.get_by_role("slider", name="Epoch")
    slider.focus()
    slider.press("Home")
    assert "trained-0" in explorer.url
    assert "rank=2" in explorer.url
    first = re.search(r"after epoch 0: χ = (\d+\.\d+)", training.inner_text())[1]
    for _ in range(30):
        slider.press("ArrowRight")
    assert "trained-30" in explorer.url
    last = re.search(r"after epoch 30: χ = (\d+\.\d+)", training.inner_text())[1]
    assert float(last) < 0.1 < float(first)
    assert explorer.locator("#constant .figure").inner_text() == f"χ = {last}"
    assert slider.get_attribute("aria-valuetext") == f"epoch 30, chi {last}"
    explorer.go_back()
    assert "interpolate:nearest" in explorer.url


def test_layers_stand_in_a_row(explorer):
    go(explorer, FIRST + "ones")
    explorer.get_by_role("button", name="Add a layer").click()
    assert value(explorer, "Output of the chosen layer", 12, 12) == 1
    assert grid(explorer, "What the chosen layer reads").locator("[role=gridcell]").count() == 36
    assert grid(explorer, "Output of the last layer").is_hidden()
    explorer.get_by_role("button", name="Layer 1").click()
    assert grid(explorer, "Output of the last layer").locator("[role=gridcell]").count() == 144
    cell(explorer, "Output of the last layer", 3, 3).hover()
    assert sentence(explorer).startswith(f"At the end, row 3, column 3: 1 {TIMES} ")
    explorer.get_by_role("button", name="Add a layer").click()
    explorer.get_by_role("button", name="Add a layer").click()
    explorer.get_by_label("Stride").fill("4")
    explorer.get_by_label("Stride").press("Enter")
    stride = explorer.locator(".field", has=explorer.get_by_label("Stride"))
    assert "An output side would be 96, and 64 is the most" in stride.inner_text()
    explorer.get_by_role("button", name="Add a layer").click()
    strip = explorer.locator("#layers")
    assert "number of layers is a whole number from 1 to 4" in strip.inner_text()
    for _ in range(3):
        explorer.get_by_role("button", name="Remove the chosen layer").click()
    assert explorer.get_by_role("button", name="Remove the chosen layer").is_hidden()


def test_a_signal_becomes_an_image_and_back(explorer):
    go(explorer, "#rank=2&input=digit-7x5&layers=conv_transpose:x2:k3:same:(1,2,1/2,4,2/1,2,1)")
    explorer.get_by_label("Input is").select_option("1")
    assert "rank=1" in explorer.url
    assert "(2,4,2)" in explorer.url
    explorer.get_by_label("Input is").select_option("2")
    assert "(4,8,4/8,16,8/4,8,4)" in explorer.url


@pytest.mark.parametrize("kind", ["interpolate", "interpolate_conv", "conv_transpose", "sub_pixel"])
@pytest.mark.parametrize("rank", ["1", "2"])
def test_every_operator_fills_every_panel(explorer, kind, rank):
    explorer.get_by_label("Input is").select_option(rank)
    explorer.get_by_label("Operator").select_option(kind)
    for name in ("phases", "overlap", "constant", "spectrum", "equal", "cost", "code"):
        assert len(explorer.locator(f"#{name}").inner_text()) > 20, name
    assert "import keras" in explorer.locator("#code").inner_text()


def test_the_examples_are_good_addresses(explorer):
    for link in explorer.locator(".cases a").all():
        link.click()
        assert explorer.locator("#notice").is_hidden()
    assert explorer.locator(".cases a").count() == 7


def test_every_control_has_a_name(explorer):
    names = explorer.evaluate(
        "[...document.querySelectorAll('select, input')].filter(one => one.checkVisibility())"
        ".map(one => one.labels[0]?.textContent ?? '')"
    )
    assert all(names)
    assert {"Operator", "Stride", "Kernel size", "Padding", "Weights", "Paint with"} <= set(names)
    assert explorer.get_by_role("status").first.get_attribute("id") == "sum"
    for name in ("Input", "Kernel", "Output of the chosen layer"):
        label = cell(explorer, name, 1, 1).get_attribute("aria-label")
        assert label.startswith("row 1, column 1: "), name
    pictures = explorer.locator("svg[role=img]")
    assert all(pictures.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))"))


def test_phases_are_told_apart_by_letters_too(explorer):
    go(explorer, FIRST + "ones")
    letters = grid(explorer, "Kernel").locator("small").all_inner_texts()
    assert letters == ["a", "b", "a", "c", "d", "c", "a", "b", "a"]
    captions = explorer.locator("#phases caption b").all_inner_texts()
    assert captions == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "layer", ["conv_transpose:x2:k4", "conv_transpose:x3:k5", "sub_pixel:x2:k3"]
)
def test_an_output_uses_the_taps_of_its_phase(explorer, layer):
    go(explorer, f"#rank=2&input=constant-3x3&layers={layer}:same:ones")
    for place in ((2, 2), (2, 3), (3, 2), (3, 3)):
        cell(explorer, "Output of the chosen layer", *place).hover()
        label = cell(explorer, "Output of the chosen layer", *place).get_attribute("aria-label")
        letters = {
            cell(explorer, "Kernel", *tap).locator("small").text_content()
            for tap in hot(explorer, "Kernel")
        }
        assert letters == {label[-1]}


def test_a_cell_that_is_pointed_at_may_vanish(explorer):
    go(explorer, FIRST + "ones")
    cell(explorer, "Output of the chosen layer", 6, 6).hover()
    stride = explorer.get_by_label("Stride")
    stride.evaluate("one => { one.value = 1; one.dispatchEvent(new Event('change')); }")
    assert "x1" in explorer.url
    assert sentence(explorer).startswith("Point at an output")


def test_a_value_beyond_the_greatest_is_refused_by_keys_too(explorer):
    go(explorer, "#rank=1&input=1000,1&layers=interpolate:nearest:x2")
    cell(explorer, "Input", 1, 1).focus()
    explorer.keyboard.press("+")
    inputs = explorer.get_by_role("group", name="Input")
    assert 'Received: "1000.25"' in inputs.inner_text()
    assert value(explorer, "Input", 1, 1) == 1000


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_over_the_edge_and_text_has_contrast(browser, address, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = context.new_page()
    for text in ("", "#rank=2&input=checker-8x16&layers=sub_pixel:x4:k5:same:random-1"):
        opened.goto(address + text)
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    ground, ink = opened.evaluate(
        "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
    )
    light, dark = (np.array(re.findall(r"\d+", colour)[:3], int).sum() for colour in (ground, ink))
    assert (light > dark) == (scheme == "light")
    assert abs(light - dark) > 500
    context.close()
