# `make up` runs Sightline and `make test` runs all its tests; each sets up what it needs, on a fresh machine too.
# `make setup` is the set-up of `make up` alone.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

# Where the surroundings forbid it, each of the tests' programs would compile the whole house anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup up test bench faults lock tools

help: ## Say what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: .venv/runs ## Create the environment from the lock file.

up: .venv/runs ## Run Sightline on http://127.0.0.1:8501 (PORT=… for another port); Ctrl-C stops it.
	@$(BIN)/sightline up

test: .venv/tests tools ## Run all tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --dist loadfile

bench: .venv/tests tools ## Measure counters, quotas, refreshes, answers, growth and pages side by side; the figures go to docs/benchmarks.md.
	$(BIN)/python -m tests.bench.counters
	$(BIN)/python -m tests.bench.quotas
	$(BIN)/python -m tests.bench.refreshes
	$(BIN)/python -m tests.bench.answers
	$(BIN)/python -m tests.bench.growth
	$(BIN)/python -m tests.bench.pages

faults: .venv/tests tools ## Kill refreshes among busy writers, ask while the lake is written, kill takers of quotas; all must be right.
	$(BIN)/python -m tests.faults.exactly_once
	$(BIN)/python -m tests.faults.readers
	$(BIN)/python -m tests.faults.quotas

.venv/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, and none was found. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Creating the environment .venv with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv .venv || { echo "The environment could not be created. On Debian and Ubuntu: apt install python3-venv"; rm -rf .venv; exit 1; }
	@touch $@

.venv/runs: .venv/python requirements.lock pyproject.toml
	@echo "Installing the locked packages. The first time takes a minute or two."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/tests: .venv/runs requirements-dev.lock
	@echo "Installing the locked packages for development."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# Programs of the system that tests use. Where they can't be installed, the tests that need them say so and are skipped.
tools:
	@command -v chromium >/dev/null && command -v java >/dev/null && ls /usr/lib/postgresql/1[567]/bin/postgres >/dev/null 2>&1 || { \
		echo "Installing Chromium, Java and Debian's Postgres for the tests."; \
		$(ROOT) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(ROOT) apt-get install -y -qq --no-install-recommends chromium postgresql default-jre-headless >/dev/null; \
	} || echo "They could not be installed; the tests that need them will be skipped."
	@command -v chromium-headless-shell >/dev/null || { \
		$(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1; \
	} || echo "Chromium without its own windows is not to be had here; the tests take the whole one, and longer."

lock: .venv/tests ## Pin the newest allowed packages with hashes; the files name no index.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --constraint requirements.lock pyproject.toml --group dev -o requirements-dev.lock
