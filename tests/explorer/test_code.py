"""The code that the page prints runs as it is and gives the page's output."""

import json

import keras
import numpy as np
import pytest

ADDRESSES = (
    "rank=2&input=1,2,-1/0,0.5,4&layers=interpolate:bicubic:x3",
    "rank=1&input=1,2,-1,0.5&layers=interpolate:nearest:x3",
    "rank=1&input=1,2,-1,0.5&layers=interpolate:lanczos3:x2",
    "rank=2&input=1,2,-1/0,0.5,4&layers=interpolate:mitchell:x1",
    "rank=2&input=1,2,-1/0,0.5,4&layers=interpolate_conv:bilinear:x2:k4:same:random-3",
    "rank=1&input=1,2,-1,0.5&layers=interpolate_conv:nearest:x2:k3:valid:random-4",
    "rank=2&input=1,2,-1/0,0.5,4&layers=conv_transpose:x3:k4:same:op1:random-5",
    "rank=1&input=1,2,-1,0.5&layers=conv_transpose:x2:k5:valid:random-6:even",
    "rank=2&input=1,2,-1/0,0.5,4&layers=conv_transpose:x2:k3:same:trained-7",
    "rank=2&input=1,2,-1/0,0.5,4&layers=sub_pixel:x3:k2:same:random-8",
    "rank=1&input=1,2,-1,0.5&layers=sub_pixel:x3:k2:valid:random-9:even",
    "rank=2&input=1,2/0,0.5&layers=interpolate:nearest:x2;conv_transpose:x2:k3:same:(1,2,1/2,4,2/1,2,1)"
    ";sub_pixel:x2:k1:same:bilinear-start".replace("k1", "k3"),
)
WITHOUT_KERAS = ("lanczos3:x2", "mitchell")


@pytest.fixture(scope="module")
def computed(browser, address):
    opened = browser.new_page()
    opened.goto(address)
    script = "all => JSON.stringify(all.map(one => explorer.compute(explorer.fromHash(one))))"
    found = json.loads(opened.evaluate(script, ADDRESSES))
    opened.close()
    return dict(zip(ADDRESSES, found, strict=True))


@pytest.mark.parametrize("case", ADDRESSES)
@pytest.mark.parametrize("house", ["keras", "polyphase"])
def test_the_code_runs_and_gives_the_output(computed, case, house, capsys):
    code = computed[case][house]
    if house == "keras" and any(name in case for name in WITHOUT_KERAS):
        assert code is None
        return
    if house == "keras" and "bicubic" in case and keras.backend.backend() != "jax":
        pytest.skip("the page says that Keras' bicubic gives these numbers on JAX only")
    values = {}
    exec(compile(code, case, "exec"), values)
    y = np.atleast_2d(keras.ops.convert_to_numpy(values["y"])[0, ..., 0])
    expected = np.array(computed[case]["outputs"][-1])
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    assert capsys.readouterr().out.count("[") >= 1
