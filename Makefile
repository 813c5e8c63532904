# Dance to Music. Two commands: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-newest try-comfy test-browser test-page check setup setup-dev comfy clean

help:           ## what can be made
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/'

demo: setup     ## a drawn dance, or VIDEO=my.mp4, with its music into out/
	$(PY) -m training.demo $(if $(VIDEO),"$(VIDEO)")

test: setup-dev comfy check  ## everything: style, types, unit tests, a real ComfyUI, the end-to-end test
	$(PY) -m pytest

test-newest: setup-dev  ## the core's tests on the newest Python and libraries that can be had here
	@$(PYTHON) scripts/newest.py

try-comfy: setup-dev comfy  ## all workflows in a ComfyUI: the tests' or WORDS="--comfy DIR --python P"
	$(PY) -m scripts.try_comfy $(WORDS)

test-browser: setup-dev  ## the page in a real Chromium, if one can be had; pictures in out/browser
	@$(PY) tests/setup_comfy.py --browser
	.comfy/venv/bin/python -m pytest tests/browser

test-page: setup-dev  ## the app, the templates and both editors on a page of today, Nodes 2.0 too
	@$(PY) tests/setup_comfy.py --new-page
	D2M_PAGE=.comfy/new_page/comfyui_frontend_package/static .comfy/venv/bin/python -m pytest tests/browser/test_app.py tests/browser/test_beat_editor.py tests/browser/test_listen.py tests/browser/test_people.py tests/browser/test_templates.py

check: setup-dev  ## style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

setup:          ## .venv with what the demo needs
	@$(PYTHON) scripts/set_up.py --venv $(VENV)

setup-dev:      ## .venv with what tests and training need
	@$(PYTHON) scripts/set_up.py --venv $(VENV) --dev

comfy: setup-dev  ## a real ComfyUI in .comfy/ for the tests
	@$(PY) tests/setup_comfy.py

clean:          ## remove what was made, but not .venv, .comfy and .newest
	rm -rf out runs .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
