# Everything that is done to this project. `make` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Recordings of machines for the tests that need real ones.
export FORESHOCK_DATA ?= $(abspath ../shared/data)
# The first Python that is new enough and can make an environment; asked only when one has to be made.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# $(call install,LOCK): make the environment if there is none, install what LOCK pins, and the checkout itself.
# All words go to stderr: `make demo ARGS=--json` prints JSON and nothing else.
define install
	@exec >&2; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
		if command -v uv >/dev/null; then uv venv --quiet --clear --seed --python '>=3.11' $(VENV); \
		elif [ -n "$(PYTHON)" ]; then $(PYTHON) -m venv --clear $(VENV); \
		else echo "foreshock needs Python 3.11 or newer with the venv module (Debian: apt-get install python3-venv)"; exit 2; fi; \
	fi; \
	echo "Installing $(1) into $(VENV) ..."; \
	if command -v uv >/dev/null; then pip="uv pip install --quiet --python $(BIN)/python"; \
	else pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile"; fi; \
	$$pip --require-hashes -r $(1); \
	$$pip --no-deps --no-build-isolation -e .; \
	$(BIN)/python -m foreshock.local.prepare
endef

.PHONY: help demo test check bench chaos lock clean setup setup-dev lint unit

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-8s %s\n", $$1, $$2}'

demo: setup  ## Watch a real Kafka find faults in twelve simulated machines (ARGS="--duration 60 --json")
	@$(BIN)/foreshock demo $(ARGS)

# Files side by side, each process with a Kafka of its own: most of these tests wait for something.
PARALLEL ?= 4
test: check  ## Run every test, with a real Kafka and Valkey (ARGS="-k outage")
	$(BIN)/python -m pytest -n $(PARALLEL) --dist loadfile --no-loadscope-reorder -m "broker or slow" $(ARGS)

check: setup-dev  ## Lint, types, layers and the tests that need no broker; under a minute
	@$(MAKE) --output-sync=target -j2 lint unit

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit:
	$(BIN)/python -m pytest -q -n 2 -m "not broker and not slow"

bench: setup-dev  ## Measure CPU per block against a hand-written loop
	@$(BIN)/python -m bench $(ARGS)

# Each fault with 100,000 blocks; the figures of all of them make the report.
chaos: setup-dev  ## Hurt everything at length and write docs/chaos.md (an hour and a half)
	@folder=$$(mktemp -d); export CHAOS_REPORT=$$folder CHAOS_BLOCKS=100000 CHAOS_MESSAGES=1000000 CHAOS_NAMES=200000 CHAOS_SNAPSHOTS=100000 MONTH_KILLED=50,30,100; \
	$(BIN)/python -m pytest tests/fuzz tests/chaos -m slow --timeout 3600 $(ARGS) || failed=$$?; \
	$(BIN)/python -m tests.chaos.timings $$folder; \
	$(BIN)/python -m tests.chaos.report $$folder > docs/chaos.md; rm -r $$folder; exit $${failed:-0}

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

# The development lock holds everything that the runtime lock holds, in the same versions.
$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.runtime

UV ?= $(shell command -v uv || echo $(VENV)-uv/bin/uv)
COMPILE = $(UV) pip compile --quiet --generate-hashes --python-version 3.11 --custom-compile-command "make lock" $(ARGS)

$(VENV)-uv/bin/uv:
	@$(PYTHON) -m venv $(VENV)-uv && $(VENV)-uv/bin/python -m pip install --quiet uv

lock: $(filter $(VENV)-uv/%,$(UV))  ## Pin all dependencies again (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --extra local --extra registry --extra parquet --extra plot --extra grpc --group dev -o requirements-dev.lock
	$(COMPILE) pyproject.toml --extra local --group build -c requirements-dev.lock -o requirements.lock
	$(COMPILE) pyproject.toml --extra registry --extra parquet --extra grpc -c requirements-dev.lock -o infra/requirements.lock
	$(COMPILE) --group build -c requirements-dev.lock -o infra/requirements-build.lock

clean:  ## Remove the environment and everything that tools left behind
	rm -rf $(VENV) $(VENV)-uv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
