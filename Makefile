# `make` alone prints the targets. Every target sets up what it needs.
# The first that is new enough; a name on the PATH may be a shim for a version that is not there.
PYTHON ?= $(or $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin
# The tests start hundreds of processes; half of what each takes is compiling, if nothing is kept.
test: export PYTHONDONTWRITEBYTECODE :=
test: export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
# How many tests run at once: one per core.
JOBS ?= auto
GOOGLEAPIS := build/googleapis/google/rpc/status.proto

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-pythons check bench bench-quick bench-soak proto clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/dev  ## a virtual environment with gesta and everything its tests need

demo: $(VENV)/run  ## a bank under load: commands, a durable log, a live subscriber, and the proof
	@$(BIN)/python -m examples.bank demo

serve: $(VENV)/run  ## the example bank as a server on 127.0.0.1:50051, data in ./build/bank
	@$(BIN)/gesta serve examples.bank --data build/bank --listen 127.0.0.1:50051

test: $(VENV)/dev  ## all tests
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --maxprocesses=8 --dist=worksteal

check: $(VENV)/dev $(GOOGLEAPIS)  ## style, types, arrows between the rooms, the contract and its stubs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/buf lint
	@$(BIN)/python -m scripts.stubs --check
	@$(BIN)/python -m scripts.configuration_docs --check

bench: $(VENV)/bench  ## everything measured beside its peers, in half an hour: benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-quick: $(VENV)/bench  ## a share of it in two minutes, once its tools are installed; without the page
	@$(BIN)/python -m benchmarks --quick

bench-soak: $(VENV)/bench  ## twenty minutes of mixed load, whose rows go to the page
	@$(BIN)/python -m benchmarks --only soak --soak-minutes 20 --keep

proto: $(VENV)/dev  ## regenerate the committed stubs from proto/
	@$(BIN)/python -m scripts.stubs

clean:  ## remove everything that the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Not in the list: slow, and only as thorough as the Pythons that this machine has.
test-pythons: $(VENV)/dev
	@GESTA_TEST_PYTHONS=all $(BIN)/python -m pytest -rA tests/repository/test_pythons.py

$(GOOGLEAPIS): | $(VENV)/dev
	@mkdir -p $(@D)
	@cp "$$($(BIN)/python -c 'import google.rpc as g; print(list(g.__path__)[0])')/status.proto" $@

# Three stamps: what running needs, and what developing and measuring need on top.
$(VENV)/run: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "gesta needs Python 3.11 or newer; there is no $(PYTHON) here." >&2; exit 1; }
	@$(PYTHON) scripts/bootstrap.py $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev: $(VENV)/run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/bench: $(VENV)/dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@
