# Everything below sets itself up: virtual environments beside this file, nothing global.
PYTHON ?= python3
VENV := .venv
BACKENDS := .venv-backends
NEWEST := .venv-newest
NEWEST_PYTHON := $(shell for one in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python; do \
  $$one -c '' 2>/dev/null && echo $$one && break; done)
NEWEST_TEST := $(if $(NEWEST_PYTHON),$(NEWEST)/.test)
# What is imported is compiled then: the first result comes a quarter of a minute earlier.
PIP := -m pip install --quiet --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check test-backends test-newest environments docs site dist clean

help:  ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

demo: $(VENV)/.demo  ## Compare five ways of upsampling on photographs; ends with the page's place.
	@$(VENV)/bin/polyphase compare --data photographs --epochs 10
	@echo "All commands:"
	@echo "  source $(VENV)/bin/activate"
	@echo "  polyphase --help"

test: $(VENV)/.test  ## Run the tests on the default backend, JAX, without the exhaustive grids.
	KERAS_BACKEND=jax $(VENV)/bin/python -m pytest -q -n auto -m "not exhaustive"

test-all: $(VENV)/.test  ## Run all tests on JAX.
	KERAS_BACKEND=jax $(VENV)/bin/python -m pytest -q -n auto

check: $(VENV)/.check  ## Check style, types and the examples in the documentation.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	KERAS_BACKEND=jax $(VENV)/bin/python -m pytest -q -n auto --doctest-modules src --ignore src/polyphase/rewrite/onnx

# What computes without a backend is tested once, with JAX.
ANYWHERE := $(addprefix --ignore tests/,algebra datasets explorer report cli/test_runs.py cli/test_damaged.py)

# Which kernels TensorFlow takes depends on the processor, if nobody says it: both are tested.
test-backends: $(BACKENDS)/.test  ## Run the same tests on TensorFlow and on PyTorch, and what needs more packages on JAX.
	KERAS_BACKEND=tensorflow TF_ENABLE_ONEDNN_OPTS=0 $(BACKENDS)/bin/python -m pytest -q -n auto -m "not exhaustive" $(ANYWHERE)
	KERAS_BACKEND=torch $(BACKENDS)/bin/python -m pytest -q -n auto -m "not exhaustive" $(ANYWHERE)
	KERAS_BACKEND=jax $(BACKENDS)/bin/python -m pytest -q -n auto tests/cross/test_keras_hub.py tests/rewrite/test_export.py
	KERAS_BACKEND=torch $(BACKENDS)/bin/python -m pytest -q --doctest-modules src/polyphase/rewrite/onnx

environments: $(BACKENDS)/.test $(NEWEST_TEST)  ## Install what tests on other backends and the newest stack need.

test-newest: $(NEWEST_TEST)  ## Run the tests on the newest Python, JAX and TensorFlow there are.
ifeq ($(NEWEST_PYTHON),)
	@echo "test-newest: skipped, there is no Python 3.13. Install it, or: make test-newest NEWEST_PYTHON=..."
else
	KERAS_BACKEND=jax $(NEWEST)/bin/python -m pytest -q -n auto -m "not exhaustive" --ignore tests/ops --ignore tests/layers $(ANYWHERE)
	KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=0 $(NEWEST)/bin/python -m pytest -q -n auto -m "not exhaustive" tests/ops tests/layers
	KERAS_BACKEND=tensorflow TF_ENABLE_ONEDNN_OPTS=1 $(NEWEST)/bin/python -m pytest -q -n auto -m "not exhaustive" tests/ops tests/layers tests/rewrite
endif

docs: $(VENV)/.check  ## Write the generated pages of the documentation anew.
	KERAS_BACKEND=jax $(VENV)/bin/python docs/generate.py

# Tutorials run in the build; what they have computed is kept in build/ until they change.
site: $(VENV)/.site  ## Build the site of the documentation; its tutorials run. Ends with its place.
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" KERAS_BACKEND=jax $(VENV)/bin/python -m sphinx -q -W --keep-going \
	  -d build/doctrees docs build/site
	@SITE=build/site KERAS_BACKEND=jax $(VENV)/bin/python -m pytest -q -m "not exhaustive" tests/site
	@echo "Site: build/site/index.html"

dist: $(VENV)/.check  ## Build the wheel and the source distribution into dist/.
	@$(VENV)/bin/python $(PIP) build
	@$(VENV)/bin/python -m build --outdir dist . >build.log || { cat build.log; exit 1; }
	@rm build.log; ls dist

clean:  ## Remove the environments and caches; runs stay.
	rm -rf $(VENV) $(BACKENDS) $(NEWEST) build dist .pytest_cache .mypy_cache .ruff_cache

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Polyphase needs Python 3.11 or newer; this is "+sys.version.split()[0]+". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Making $*"
	@$(PYTHON) -m venv $*

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "Installing the package and what it needs into $(VENV)"
	@$(VENV)/bin/python $(PIP) --editable '.[workbench]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@$(VENV)/bin/python $(PIP) --editable '.[workbench,test]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@$(VENV)/bin/python $(PIP) --editable '.[workbench,test,check]'
	@touch $@

$(VENV)/.site: $(VENV)/.test
	@$(VENV)/bin/python $(PIP) --editable '.[workbench,test,site]'
	@touch $@

# The newest of everything; PyTorch's small build for CPUs is for the oldest Python alone.
$(NEWEST)/bin/python: PYTHON = $(NEWEST_PYTHON)

$(NEWEST)/.test: pyproject.toml | $(NEWEST)/bin/python
	@echo "Installing the newest JAX and TensorFlow into $(NEWEST)"
	@$(NEWEST)/bin/python $(PIP) --editable '.[workbench,test,tensorflow]'
	@touch $@

# One more environment, so that the default one shows what a user without them has; with the oldest
# JAX that is promised (.ci/oldest.txt).
# torch is pinned: that is the small build for CPUs here; newer ones may bring gigabytes.
# keras-hub comes without its dependencies, which would bring a second TensorFlow.
$(BACKENDS)/.test: pyproject.toml | $(BACKENDS)/bin/python
	@echo "Installing TensorFlow and PyTorch into $(BACKENDS)"
	@$(BACKENDS)/bin/python $(PIP) torch==2.13.0
	@$(BACKENDS)/bin/python $(PIP) --constraint .ci/oldest.txt --editable '.[workbench,test,tensorflow,torch,export]'
	@$(BACKENDS)/bin/python $(PIP) regex tokenizers kagglehub kagglesdk==0.1.28
	@$(BACKENDS)/bin/python $(PIP) --no-deps keras-hub==0.32.0
	@touch $@
