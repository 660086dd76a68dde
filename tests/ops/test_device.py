"""The installed jaxlib computes right, and one that does not is warned of."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from polyphase.ops.device import in_use

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.skipif(jax.default_backend() != "cpu", reason="kernels of the CPU")


@pytest.mark.parametrize("length", [1000, 16385, 32769, 65537])
@pytest.mark.parametrize("width", [2, 3, 4])
def test_the_installed_jaxlib_sums_squares_of_products_right(length, width):
    """jax-ml/jax#39103: jaxlib 0.10.2 is off by 0.2% in the last of 32,769 rows, under jit."""
    import jax.numpy as jnp

    rows = np.zeros((length, width), "float32")
    rows[:, 0] = np.arange(length)
    compiled = jax.jit(jax.vmap(lambda row: jnp.sum((jnp.eye(width) @ row) ** 2)))
    np.testing.assert_allclose(compiled(rows), np.arange(length, dtype="float64") ** 2, rtol=1e-6)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Make it appear that a release of jaxlib is installed: its metadata, first on the path."""

    def install(version):
        folder = tmp_path / f"jaxlib-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: jaxlib\nVersion: {version}")
        monkeypatch.syspath_prepend(tmp_path)
        in_use.cache_clear()

    yield install
    in_use.cache_clear()


@pytest.mark.parametrize("version", ["0.10.2", "0.11.0"])
def test_a_broken_jaxlib_is_warned_of_once(version, installed):
    installed(version)
    with pytest.warns(RuntimeWarning) as caught:
        assert [in_use("jax") for _ in range(3)] == ["cpu"] * 3
    (message,) = [str(one.message) for one in caught]
    assert f"jaxlib {version} is broken on CPUs" in message
    assert "pip install 'jax>=0.10.1,!=0.10.2,!=0.11.0'" in message


@pytest.mark.parametrize("version", ["0.10.1", "0.11.1", "0.11.2", "0.12.0", "0.12.0.1", "0.13.0"])
def test_a_right_jaxlib_is_not_warned_of(version, installed):
    installed(version)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert in_use("jax") == "cpu"


def test_a_backend_that_is_not_jax_is_not_warned_for(installed, backend):
    if backend == "jax":
        pytest.skip("that one is")
    installed("0.10.2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_use(backend)


@pytest.mark.parametrize("asked", ["0", "1"])
def test_tensorflow_says_whose_kernels_it_takes(backend, asked):
    if backend != "tensorflow":
        pytest.skip("TensorFlow decides when it starts")
    script = "from polyphase.ops import device; print(device.has_onednn('tensorflow'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == str(asked == "1")
