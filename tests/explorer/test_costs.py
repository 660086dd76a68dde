"""Multiply-adds are those that `pp.inspect` counts of the same layers."""

import json

import keras
import pytest

import polyphase as pp
from polyphase.inspection import multiply_adds
from polyphase.rewrite import cost
from polyphase.rewrite.cost import Cost

CASES = {
    "rank=2&input=ramp-5x7&layers=interpolate:bicubic:x3": {
        0: lambda: pp.layers.UpSampling2D(3, interpolation="bicubic")
    },
    "rank=1&input=ramp-7&layers=interpolate:lanczos3:x2": {
        0: lambda: pp.layers.UpSampling1D(2, interpolation="lanczos3")
    },
    "rank=2&input=ramp-5x7&layers=interpolate:mitchell:x1": {
        0: lambda: pp.layers.UpSampling2D(1, interpolation="mitchell")
    },
    "rank=2&input=ramp-5x7&layers=interpolate_conv:nearest:x3:k4:valid:ones": {
        0: lambda: keras.Sequential([keras.layers.UpSampling2D(3), keras.layers.Conv2D(1, 4)]),
        1: lambda: pp.layers.UpSampleConv2D(1, 4, size=3, lowering="phases"),
        2: lambda: pp.layers.UpSampleConv2D(1, 4, size=3, lowering="difference"),
    },
    "rank=1&input=ramp-8&layers=interpolate_conv:nearest:x2:k3:same:ones": {
        0: lambda: pp.layers.UpSampleConv1D(1, 3, size=2, padding="same"),
        1: lambda: pp.layers.UpSampleConv1D(1, 3, size=2, padding="same", lowering="phases"),
        2: lambda: pp.layers.UpSampleConv1D(1, 3, size=2, padding="same", lowering="difference"),
    },
    "rank=2&input=ramp-5x7&layers=conv_transpose:x2:k3:valid:op1:ones": {
        0: lambda: keras.layers.Conv2DTranspose(1, 3, strides=2, output_padding=1)
    },
    "rank=2&input=ramp-5x7&layers=sub_pixel:x2:k3:valid:ones": {
        0: lambda: pp.layers.SubPixelConv2D(1, 3, size=2),
        1: lambda: keras.layers.Conv2DTranspose(1, 6, strides=2),
    },
}
BLURRED = {
    "rank=2&input=ramp-16x15&layers=interpolate_conv:bilinear:x2:k3:same:ones": (2, 3, "same"),
    "rank=2&input=ramp-16x15&layers=interpolate_conv:bicubic:x3:k5:valid:ones": (3, 5, "valid"),
    "rank=2&input=ramp-4x5&layers=interpolate_conv:lanczos5:x2:k3:same:ones": (2, 3, "same"),
    "rank=1&input=ramp-16&layers=interpolate_conv:lanczos3:x4:k2:same:ones": (4, 2, "same"),
}


@pytest.fixture(scope="module")
def counts(browser, address):
    """Return the page's counts of each case, in the order in which it shows them."""
    opened = browser.new_page()
    opened.goto(address)
    script = "all => JSON.stringify(all.map(one => explorer.compute(explorer.fromHash(one)).costs))"
    found = json.loads(opened.evaluate(script, [*CASES, *BLURRED]))
    opened.close()
    names = zip([*CASES, *BLURRED], found, strict=True)
    return {name: [number for _, number in ways] for name, ways in names}


def model_of(address, layer):
    sides = [int(side) for side in address.split("ramp-")[1].split("&")[0].split("x")]
    return keras.Sequential([keras.Input((*sides, 1)), layer])


@pytest.mark.parametrize("address_of_case", CASES)
def test_each_way_costs_what_the_package_counts(counts, address_of_case):
    for index, layer in CASES[address_of_case].items():
        model = model_of(address_of_case, layer())
        count = multiply_adds(model) if index == 0 else Cost.of(model).multiply_adds
        assert counts[address_of_case][index] == count


@pytest.mark.parametrize("address_of_case", BLURRED)
def test_blurring_costs_what_the_package_counts(counts, address_of_case, monkeypatch):
    monkeypatch.setattr(cost, "chosen", lambda *_: "difference")
    monkeypatch.setattr(cost, "continues", lambda *_: False)
    size, taps, padding = BLURRED[address_of_case]
    name = address_of_case.split("interpolate_conv:")[1].split(":")[0]
    kind = pp.layers.UpSampleConv2D if "rank=2" in address_of_case else pp.layers.UpSampleConv1D
    layer = kind(1, taps, size=size, padding=padding, interpolation=name, lowering="blur")
    model = model_of(address_of_case, layer)
    assert counts[address_of_case] == [multiply_adds(model), Cost.of(model).multiply_adds]


def test_inserted_zeros_are_multiplied_and_nearest_is_free(browser, address):
    opened = browser.new_page()
    opened.goto(address)
    script = "one => explorer.compute(explorer.fromHash(one)).costs.map(([, number]) => number)"
    zeros = "rank=2&input=ramp-5x7&layers=conv_transpose:x2:k3:same:ones"
    assert opened.evaluate(script, zeros) == [9 * 5 * 7, 9 * 10 * 14]
    assert opened.evaluate(script, "rank=2&input=ramp-5x7&layers=interpolate:nearest:x2") == [0]
    opened.close()
