"""The backend: the user's choice wins, JAX otherwise, and a missing one says what to install."""

import json
import os
import subprocess
import sys

import pytest

UNTOUCHED = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}
# Imports the one file, without the package: no framework is loaded, so each run is quick.
CHOOSE = """
import importlib.util, os, pathlib
def load():
    root = importlib.util.find_spec("polyphase").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("chooser", pathlib.Path(root) / "_backend.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
module = load()
"""


def run(tmp_path, script, config=None, **environment):
    """Run a script with an empty home, or with a Keras configuration file in it."""
    if config is not None:
        (tmp_path / ".keras").mkdir()
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / ".keras" / "keras.json").write_text(text)
    env = {k: v for k, v in os.environ.items() if not k.startswith("KERAS")}
    env |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), **environment}
    return subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )


def chosen(tmp_path, config=None, before="", **environment):
    script = CHOOSE + before + "module.choose_backend()\nprint(os.environ['KERAS_BACKEND'])\n"
    done = run(tmp_path, script, config, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(tmp_path, config=None, before="", **environment):
    """Return the message of the ImportError."""
    script = (
        CHOOSE
        + before
        + (
            "try: module.choose_backend()\n"
            "except ImportError as error: print(error)\n"
            "else: raise SystemExit('not refused')\n"
        )
    )
    done = run(tmp_path, script, config, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Stands for an installation without the packages named.
WITHOUT = """
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {names!r} else found(name, *rest)
"""
ALL_INSTALLED = """
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    object() if name in ("jax", "tensorflow", "torch") else found(name, *rest))
"""


def test_nothing_chosen_is_jax(tmp_path):
    assert chosen(tmp_path) == "jax"


@pytest.mark.parametrize("name", ["jax", "tensorflow", "torch"])
def test_the_environment_wins_over_the_file(name, tmp_path):
    config = {**UNTOUCHED, "backend": "torch" if name == "jax" else "jax"}
    assert chosen(tmp_path, config, ALL_INSTALLED, KERAS_BACKEND=name) == name


@pytest.mark.parametrize(
    "config",
    [
        {**UNTOUCHED, "backend": "torch"},
        {"backend": "torch"},
        {**UNTOUCHED, "floatx": "float64", "backend": "torch"},
    ],
)
def test_an_edited_file_wins(config, tmp_path):
    assert chosen(tmp_path, config, ALL_INSTALLED) == "torch"


def test_a_file_edited_elsewhere_is_a_choice_of_its_backend(tmp_path):
    config = {**UNTOUCHED, "image_data_format": "channels_first"}
    assert chosen(tmp_path, config, ALL_INSTALLED) == "tensorflow"


@pytest.mark.parametrize("config", [UNTOUCHED, "{broken", "[]", "{}", {"floatx": "float32"}])
def test_an_untouched_or_unreadable_file_is_no_choice(config, tmp_path):
    assert chosen(tmp_path, config) == "jax"


def test_the_file_may_be_in_keras_home(tmp_path):
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "keras.json").write_text(json.dumps({"backend": "torch"}))
    assert chosen(tmp_path, UNTOUCHED, ALL_INSTALLED, KERAS_HOME=str(home)) == "torch"


def test_an_empty_environment_variable_is_no_choice(tmp_path):
    assert chosen(tmp_path, KERAS_BACKEND="") == "jax"


def test_a_backend_that_is_not_installed_is_refused_with_the_command(tmp_path):
    before = WITHOUT.format(names=["torch"])
    message = refused(tmp_path, None, before, KERAS_BACKEND="torch")
    assert "'torch', chosen by KERAS_BACKEND, is not installed" in message
    assert "pip install 'polyphase[torch]'" in message


def test_a_file_that_names_a_missing_backend_is_named(tmp_path):
    before = WITHOUT.format(names=["torch"])
    message = refused(tmp_path, {"backend": "torch"}, before)
    assert f"chosen by {tmp_path / '.keras' / 'keras.json'}" in message


def test_jax_missing_is_said_too(tmp_path):
    message = refused(tmp_path, None, WITHOUT.format(names=["jax"]))
    assert "'jax', chosen by default, is not installed" in message
    assert "pip install jax" in message


@pytest.mark.parametrize("name", ["numpy", "openvino", "theano"])
def test_an_unknown_backend_is_refused_with_those_that_exist(name, tmp_path):
    message = refused(tmp_path, KERAS_BACKEND=name)
    assert "jax, tensorflow and torch" in message
    assert repr(name) in message


def test_an_imported_keras_is_left_alone(tmp_path):
    """Whatever the environment says by now: Keras has its backend."""
    script = CHOOSE + (
        "import sys, types\n"
        "sys.modules['keras'] = types.ModuleType('keras')\n"
        "module.choose_backend()\n"
        "print(os.environ.get('KERAS_BACKEND'))\n"
    )
    done = run(tmp_path, script, KERAS_BACKEND="nonsense")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "nonsense"


def test_import_polyphase_runs_on_the_chosen_backend(tmp_path, backend):
    done = run(
        tmp_path,
        "import polyphase, keras; print(polyphase.layers.UpSampling2D and keras.backend.backend())",
        {**UNTOUCHED, "backend": backend, "epsilon": 1e-6},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == backend


def test_import_polyphase_alone_runs_on_jax(tmp_path):
    script = "import polyphase.layers, keras; print(keras.backend.backend())"
    done = run(tmp_path, script, UNTOUCHED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "jax"
