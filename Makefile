# All that a developer types. `check` never writes, `fix` does.
BIN := .venv/bin

.PHONY: help setup page up demo test test-providers test-files bench chaos check fix generate lock

help:  ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/'

setup:  ## makes .venv with everything, the offline models included
	@tools/setup.sh

page: setup  ## builds the web page
	@tools/page.sh build

up: page  ## starts the platform: page, API and workers in one process
	@$(BIN)/genesis-server up

demo: setup  ## runs all six pipelines on sample inputs and checks what they make
	@$(BIN)/python -m demo

# Most tests wait more than they compute: some run at once, in processes that take tests from each other.
AT_ONCE := -n 4 --dist worksteal

test: setup  ## passes all checks and tests
	@tools/stage.sh checks $(MAKE) --no-print-directory check
	@tools/stage.sh "unit tests" $(BIN)/pytest -q -n auto tests/unit
	@tools/stage.sh "contract, provider and integration tests" \
		$(BIN)/pytest -q $(AT_ONCE) -m 'not heavy' tests/contract tests/providers tests/integration
	@tools/stage.sh "end-to-end and chaos tests" $(BIN)/pytest -q -n 2 --dist loadfile tests/e2e tests/chaos
	@tools/stage.sh "page in a browser" tools/page.sh e2e
	@tools/stage.sh demo $(BIN)/python -m demo

test-providers: setup  ## runs all tests of the providers, also those that install much of other people's software
	@tools/stage.sh "provider tests" $(BIN)/pytest -q $(AT_ONCE) tests/providers

FILES := $(addprefix tests/unit/test_, addresses.py fetcher_table.py file_forms.py file_links.py held_jobs.py listening.py \
	media.py pictures.py ranges.py sigv4.py sniffer.py) $(sort $(wildcard tests/contract/test_*file*.py \
	tests/contract/test_blob_store*.py tests/integration/test_*file*.py tests/integration/test_fetcher*.py \
	tests/integration/test_backup*.py tests/integration/test_storage*.py tests/integration/test_examiner.py \
	tests/e2e/test_backup.py tests/e2e/test_large_files.py))

test-files: setup  ## runs all tests of files: store, uploads, serving, the guarded fetcher, backups
	@tools/stage.sh "tests of files" $(BIN)/pytest -q $(AT_ONCE) $(FILES)

bench: setup  ## measures the promises of speed, memory and scale; see benchmarks/README.md
	@$(BIN)/python -m benchmarks

chaos: setup  ## kills, stalls and faults for ten minutes on both databases; CHAOS_SEED=n repeats a run
	@$(BIN)/python -m tests.chaos $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

check: page  ## lint, format, types, layers, sizes, generated files, the page, containers and manifests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/file_sizes.py
	@tools/generate.sh --check
	@tools/page.sh check
	@tools/check_containers.sh

fix: page  ## formats, and mends what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@npm run --silent --prefix frontend fix

generate: page  ## writes what is generated from the code: OpenAPI document, types of SDK and page
	@tools/generate.sh
	@npm run --silent --prefix frontend generate

lock: setup  ## writes the lock files from pyproject.toml
	@PATH=$(CURDIR)/$(BIN):$$PATH requirements/lock.sh
