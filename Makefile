# All that a developer types. `check` never writes, `fix` does.
BIN := .venv/bin

.PHONY: help setup up demo test check fix lock

help:  ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/'

setup:  ## makes .venv with everything, the offline models included
	@tools/setup.sh

up: setup  ## starts the platform: page, API and workers in one process
	@$(BIN)/genesis-server up

demo: setup  ## runs all six pipelines on sample inputs and checks what they make
	@$(BIN)/python -m demo

test: setup  ## passes all checks and tests
	@tools/stage.sh checks $(MAKE) --no-print-directory check
	@tools/stage.sh "unit tests" $(BIN)/pytest -q tests/unit
	@tools/stage.sh "contract and provider tests" $(BIN)/pytest -q tests/contract tests/providers
	@tools/stage.sh "integration tests" $(BIN)/pytest -q tests/integration
	@tools/stage.sh "end-to-end and chaos tests" $(BIN)/pytest -q tests/e2e tests/chaos
	@tools/stage.sh demo $(BIN)/python -m demo

check: setup  ## lint, format, types, layers, file sizes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/file_sizes.py

fix: setup  ## formats, and mends what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup  ## writes the lock files from pyproject.toml
	@PATH=$(CURDIR)/$(BIN):$$PATH requirements/lock.sh
