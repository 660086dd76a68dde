"""Aligned corners against loops, and against PyTorch's own where it runs."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.algebra.kernels import get
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy, vjp

SIDES = {1: (5,), 2: (5, 4), 3: (3, 4, 2)}
SMOOTH = ("linear", "cubic", "mitchell", "lanczos3", "lanczos5")
TORCH = {1: "linear", 2: "bilinear", 3: "trilinear"}


def by_loops(x, out, interpolation):
    """Resample axis after axis, output by output, with coordinates as fractions of integers."""
    kernel = get(interpolation)
    for axis, (n_in, n_out) in enumerate(zip(x.shape[1:-1], out, strict=True), start=1):
        rows = []
        for n in range(n_out):
            at = n * (n_in - 1) / max(n_out - 1, 1)
            weights = [float(kernel(np.array(at - j))) for j in range(n_in)]
            parts = [w * x.take(j, axis) for j, w in enumerate(weights)]
            rows.append(sum(parts) / sum(weights))
        x = np.stack(rows, axis)
    return x


@pytest.mark.parametrize("interpolation", SMOOTH)
@pytest.mark.parametrize("size", [2, 3, 1.5, 1])
@pytest.mark.parametrize("rank", SIDES)
@pytest.mark.grid(20)
def test_it_is_the_formula(rank, size, interpolation):
    x = coordinate_ramp((2, *SIDES[rank], 3))
    out = [int(side * size) for side in SIDES[rank]]
    expected = by_loops(x.astype("float64"), out, interpolation)
    for lowering in ("auto", "direct", "reference"):
        y = pp.ops.upsample(x, size, interpolation, lowering=lowering, align_corners=True)
        np.testing.assert_allclose(to_numpy(y), expected, atol=2e-6)


@pytest.mark.parametrize("rank", SIDES)
@pytest.mark.parametrize("sides", ["as they are", "one"])
def test_linear_is_pytorch(rank, sides, backend):
    if backend != "torch":
        pytest.skip("the peer runs on PyTorch")
    import torch

    n_in = (1,) * rank if sides == "one" else SIDES[rank]
    x = coordinate_ramp((2, *n_in, 3), "float64")
    out = tuple(2 * n + 1 for n in n_in)
    image = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    theirs = torch.nn.functional.interpolate(image, out, mode=TORCH[rank], align_corners=True)
    ours = pp.ops.upsample(x, interpolation="linear", output_size=out, align_corners=True)
    np.testing.assert_allclose(to_numpy(ours), np.moveaxis(theirs.numpy(), 1, -1), atol=1e-7)


@pytest.mark.parametrize("rank", SIDES)
def test_corners_lie_on_corners_and_its_gradient_is_the_adjoint(rank):
    x = coordinate_ramp((1, *SIDES[rank], 2))

    def up(x):
        return pp.ops.upsample(x, 2, "linear", align_corners=True)

    y = to_numpy(up(x))
    for corner in np.ndindex(*(2,) * rank):
        at = (0, *(-one for one in corner))
        np.testing.assert_allclose(y[at], x[at], atol=1e-6)
    cotangent = np.cos(3 * coordinate_ramp(y.shape))
    _, (gradient,), _ = vjp(up, [x], cotangent)
    assert np.sum(y * cotangent) == pytest.approx(np.sum(x * gradient), rel=1e-4)


def test_sizes_that_are_known_only_when_run():
    layer = pp.layers.UpSampling2D(2, interpolation="bilinear", align_corners=True)
    model = keras.Sequential([keras.Input((None, None, 3)), layer])
    for sides in ((5, 4), (3, 7)):
        x = coordinate_ramp((1, *sides, 3))
        expected = by_loops(x.astype("float64"), [2 * side for side in sides], "linear")
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=2e-6)


def test_models_keep_such_a_layer():
    layer = pp.layers.UpSampling2D(2, interpolation="bilinear", align_corners=True, name="up")
    model = keras.Sequential([keras.Input((4, 4, 3)), layer, keras.layers.Conv2D(2, 3)])
    folded, report = pp.fold(model, return_report=True)
    assert [(one.folded, one.what) for one in report.findings] == [
        (False, "left alone: its corners are aligned")
    ]
    x = coordinate_ramp((1, 4, 4, 3))
    np.testing.assert_allclose(to_numpy(folded(x)), to_numpy(model(x)), atol=1e-6)
    assert pp.inspect(model).stages[0].what == "bilinear upsampling, x2, corners aligned"
    with pytest.raises(ValueError, match="with aligned corners, which Keras' UpSampling2D does"):
        pp.fold(model, target="keras")


def test_nearest_and_phases_have_none():
    x = np.ones((1, 4, 4, 1), "float32")
    with pytest.raises(ValueError, match=r"other than nearest. Received: align_corners=True"):
        pp.ops.upsample(x, 2, align_corners=True)
    with pytest.raises(ValueError, match=r"other than nearest"):
        pp.layers.UpSampling2D(align_corners=True)
    with pytest.raises(ValueError, match=r"needs integer factors and align_corners=False"):
        pp.ops.upsample(x, 2, "linear", lowering="phases", align_corners=True)
