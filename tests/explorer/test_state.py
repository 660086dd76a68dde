"""What is written into the address comes back, and what is wrong with one is said."""

import json

import numpy as np
import pytest

from polyphase.algebra import checkerboard
from polyphase.initializers import Linear
from tests.explorer.cases import cases

WRONG = {
    "rank=3": 'The rank is one of 1, 2. Received: "3".',
    "colour=red": "The name in the address is one of rank, input, layers, layer.",
    "input=1,2/3": "Every row of the input has as many values",
    "input=1,x/3,4": 'A value is a number from -1000 to 1000, such as 0.25. Received: "x"',
    "input=impulse-17x3": 'The side of the input is a whole number from 1 to 16. Received: "17".',
    "input=nothing-3x3": "The input is one of impulse, constant, edge, ramp, checker, digit.",
    "rank=1&input=impulse-3x3": 'The input has 1 side. Received: "impulse-3x3".',
    "rank=1&input=1,2/3,4": "A signal has one row of values. Received: 2 rows.",
    "layers=deconvolution:x2": "The operator is one of interpolate,",
    "layers=conv_transpose:x6:k3:same:ones": "The stride is a whole number from 1 to 5.",
    "layers=conv_transpose:x2:k8:same:ones": "The kernel size is a whole number from 1 to 7.",
    "layers=sub_pixel:x5:k3:same:ones": "The factor is a whole number from 1 to 4.",
    "layers=conv_transpose:x2:k3:same:op2:ones": "Keras wants an output_padding",
    "layers=conv_transpose:x2:k3:same:colour": 'A layer has no setting "colour".',
    "layers=conv_transpose:x2:k3:same:(1,2/3,4)": "The kernel has 3\u00d73 numbers.",
    "layers=conv_transpose:x3:k3:same:trained-5": "The trained kernels are those",
    "layers=conv_transpose:x2:k3:same:trained-99": "The epoch is a whole number from 0 to 40.",
    "layers=conv_transpose:x3:k2:same:ones:even": "Making phases even needs a tap",
    "layers=conv_transpose:x3:k2:same:bilinear-start": "A bilinear start needs a tap",
    "layers=interpolate_conv:nearest:x4:k3:same:bilinear-start": "A bilinear start of a",
    "layers=sub_pixel:x2:k2:same:bilinear-start": "A bilinear start of a sub-pixel",
    "input=constant-2x2&layers=interpolate_conv:nearest:x1:k3:valid:ones": "A kernel of 3 taps",
    "input=constant-1x1&layers=conv_transpose:x2:k2:same:op0:ones": "Nothing is left of a side",
    "layers=interpolate:nearest:x5;interpolate:nearest:x5": "An output side would be 125",
    "layers=" + ";".join(["interpolate:nearest:x1"] * 5): "The number of layers is a",
    "layers=interpolate:nearest:x2&layer=2": "The layer is a whole number from 1 to 1.",
    "input=%E0%A4%A": "A % in the address stands for no letter.",
}


@pytest.fixture(scope="module")
def page(browser, address):
    opened = browser.new_page()
    opened.goto(address)
    yield opened
    opened.close()


def compute(page, text):
    script = "one => JSON.stringify(explorer.compute(explorer.fromHash(one)))"
    return json.loads(page.evaluate(script, text))


def test_what_is_written_comes_back(page):
    addresses = [address for address, *_ in cases()][::7]
    addresses += [
        "rank=2&input=digit-7x5&layers=sub_pixel:x2:k3:same:random-3:even",
        "rank=1&input=impulse-9&layers=conv_transpose:x2:k3:same:(0.1,-2,0.333333333)&layer=1",
        "rank=2&input=edge-4x4&layers=interpolate:nearest:x2;conv_transpose:x2:k4:same:trained-4",
    ]
    script = "all => all.map(one => explorer.toHash(explorer.fromHash(one)))"
    again = page.evaluate(script, addresses)
    assert page.evaluate(script, again) == again
    for address, back in zip(addresses, again, strict=True):
        assert back.startswith(address.removesuffix("&layer=1"))


def test_without_an_address_there_is_a_first_case(page):
    found = compute(page, "")
    assert np.shape(found["output"]) == (10, 10)
    assert found["constant"]["chi"] == pytest.approx(0.4843, abs=1e-4)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_address_is_said_and_the_first_case_shown(page, text):
    page.goto(page.url.split("#")[0] + "#" + text)
    notice = page.get_by_role("alert").first
    assert notice.inner_text().startswith("This address does not describe a case")
    assert WRONG[text] in notice.inner_text()
    assert (
        page.get_by_role("grid", name="Output of the chosen layer").locator("[role=row]").count()
        == 10
    )


def test_no_address_breaks_the_page(page):
    good = [address for address, *_ in cases()][::40]
    random = np.random.default_rng(0)
    broken = []
    for index, address in enumerate(good * 8):
        letters = list(address)
        for place in random.integers(0, len(letters), 1 + index % 3):
            letters[place] = random.choice(list("=&:;,/x-0k(aZ%. "))
        broken.append("".join(letters))
    script = """all => all.map(one => {
        try { explorer.compute(explorer.fromHash(one)); return "fine"; }
        catch (error) { return error.constructor.name; }
    })"""
    assert set(page.evaluate(script, broken)) == {"fine", "Wrong"}


def test_even_phases_are_the_packages_repair(page):
    layer = "conv_transpose:x2:k5:same:random-2"
    before, after = (compute(page, f"layers={layer}{more}")["kernel"] for more in ("", ":even"))
    kernel = np.array(before)[..., None, None]
    expected = checkerboard.repair(kernel, (2, 2))[..., 0, 0]
    np.testing.assert_allclose(after, expected, rtol=0, atol=1e-12)
    blocks = "rank=1&layers=sub_pixel:x3:k3:same:random-2"
    before, after = (np.array(compute(page, blocks + more)["kernel"]) for more in ("", ":even"))
    kernel = before.reshape(3, 3).T.reshape(3, 1, 3)
    expected = checkerboard.repair_sub_pixel(kernel, (3,)).reshape(3, 3).T.ravel()
    np.testing.assert_allclose(after[0], expected, rtol=0, atol=1e-12)


def test_a_bilinear_start_is_the_packages_and_interpolates(page):
    for k, s in ((3, 2), (4, 2), (5, 3), (7, 5)):
        kernel = compute(page, f"layers=conv_transpose:x{s}:k{k}:same:bilinear-start")["kernel"]
        expected = np.array(Linear(s, "identity")((k, k, 1, 1)))[..., 0, 0]
        np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-6)
    bilinear = compute(page, "input=ramp-7x7&layers=interpolate:bilinear:x2")["output"]
    inner = np.s_[3:-3, 3:-3]
    for layer in ("interpolate_conv:nearest:x2:k3", "sub_pixel:x2:k3"):
        output = compute(page, f"input=ramp-7x7&layers={layer}:same:bilinear-start")["output"]
        np.testing.assert_allclose(np.array(output)[inner], np.array(bilinear)[inner], atol=1e-12)
