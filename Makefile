# `make` alone prints the targets. Every target sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(wildcard proto/gesta/v1/*.proto)
GOOGLEAPIS := build/googleapis/google/rpc/status.proto

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench proto clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/dev  ## a virtual environment with gesta and everything its tests need

demo: $(VENV)/run  ## a bank under load: commands, a durable log, a live subscriber, and the proof
	@$(BIN)/python -m examples.bank demo

serve: $(VENV)/run  ## the example bank as a server on 127.0.0.1:50051, data in ./build/bank
	@$(BIN)/gesta serve examples.bank --data build/bank --listen 127.0.0.1:50051

test: $(VENV)/dev  ## all tests
	@$(BIN)/python -m pytest

check: $(VENV)/dev $(GOOGLEAPIS)  ## style, types, arrows between the rooms, the contract and its stubs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/buf lint
	@rm -rf build/stubs && $(MAKE) --no-print-directory build/stubs
	@diff -r --exclude=__pycache__ -x '*.proto' -x '__init__.py' -x py.typed build/stubs/gesta proto/gesta && echo "the committed stubs match the contract"

bench: $(VENV)/dev  ## the benchmarks, as ratios against references measured in the same run
	@$(BIN)/python -m benchmarks

proto: $(VENV)/dev build/stubs  ## regenerate the committed stubs from proto/
	@cp build/stubs/gesta/v1/* proto/gesta/v1/

clean:  ## remove everything that the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

build/stubs: $(PROTOS) $(GOOGLEAPIS)
	@rm -rf $@ && mkdir -p $@
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iproto -Ibuild/googleapis \
	  --python_out=$@ --pyi_out=$@ --grpc_python_out=$@ --mypy_grpc_out=$@ $(PROTOS)
	@find $@ -name 'errors_pb2_grpc*' -delete -o -name 'event_pb2_grpc*' -delete

$(GOOGLEAPIS): | $(VENV)/dev
	@mkdir -p $(@D)
	@cp "$$($(BIN)/python -c 'import google.rpc as g; print(list(g.__path__)[0])')/status.proto" $@

# Two stamps: what running needs, and what developing needs on top.
$(VENV)/run: pyproject.toml
	@$(PYTHON) scripts/bootstrap.py $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev: $(VENV)/run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
