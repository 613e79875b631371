# The one entry to everything this project does; `make help` lists it.
#
# A machine needs Python 3.11 or newer and make, nothing else: the first call sets up .venv from requirements.lock and
# requirements-dev.lock (with hashes), and a later call does it again only where these or pyproject.toml have changed.
#
#   ARGS=...    more arguments for the command behind a target: make demo ARGS=--fast, make test ARGS="-k kafka -x"
#   PYTHON=...  the interpreter to build .venv from, where the one found first is not the one wanted

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
LOCKS := requirements.lock requirements-dev.lock

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: help setup demo fraud-case test test-offline lint format coverage bench lock config docs build clean

help: ## show what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## set up .venv (every other target does it where needed)

demo: $(READY) ## watch planted drift being caught, without Kafka (ARGS=--fast: under 20 s)
	@$(BIN)/anchorwatch demo $(ARGS)

fraud-case: $(READY) ## the whole loop on a real broker: fraud moves, a model is retrained and serves, the incident ends
	@$(BIN)/python -m examples.fraud_case

test: lint ## the gate: lint, then every test, those on a real Kafka broker included
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(if $(ARGS),$(ARGS),--junitxml=.pytest_cache/full.xml)

test-offline: lint ## the gate without the tests that need a broker (and so, once, a network)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not broker" $(ARGS)

# by file, each worker with a broker of its own; a worker that died would only die again of the same test
SIDE_BY_SIDE = --numprocesses=3 --dist=loadfile --no-loadscope-reorder --max-worker-restart=0

lint: $(READY) ## style, format, types, import direction
	@$(BIN)/ruff check || { echo "make lint: what ruff marks [*] is mended by: make format" >&2; exit 1; }
	@$(BIN)/ruff format --check || { echo "make lint: mended by: make format" >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## mend what ruff can mend by itself
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

coverage: $(READY) ## every test, with the lines and branches that none of them reaches
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

bench: $(READY) ## measure against the alternatives, into benchmarks/results (ONLY=name: one of them)
	@$(BIN)/python benchmarks/run.py $(ONLY) $(ARGS)

lock: $(BIN)/uv ## renew requirements.lock and requirements-dev.lock
	@$(COMPILE) --all-extras pyproject.toml --output-file requirements.lock
	@$(COMPILE) --group pyproject.toml:dev --constraints requirements.lock --output-file requirements-dev.lock
	@grep --count '^[a-z]' $(LOCKS)

COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

config: $(READY) ## write config/reference.yaml and config/schema.json anew from the settings in the code
	@$(BIN)/python -m anchorwatch.settings.reference

docs: $(READY) ## write anew what the documents show of the program: commands, output, messages, measurements
	@$(BIN)/python docs/write_commands.py
	@$(BIN)/python docs/write_detection.py
	@$(BIN)/python docs/write_blocks.py

build: $(READY) ## build wheel and sdist into dist/
	@$(BIN)/python -m hatchling build

clean: ## remove what was built or cached here (.venv stays)
	@rm -rf dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	@find daemon detectors tests -type d -name __pycache__ -prune -exec rm -rf {} +

# ---- the environment -------------------------------------------------------------------------------------------------

INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python

$(READY): pyproject.toml $(LOCKS) | $(BIN)/uv
	@echo "setting up $(VENV) (again only when a lock or pyproject.toml changes)"
	@$(INSTALL) --compile-bytecode --require-hashes $(LOCKS:%=--requirements %) || { echo "make: packages could not be installed; is there \
	a network, and does requirements.lock go with pyproject.toml (make lock)?" >&2; exit 1; }
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/anchorwatch warm >/dev/null
	@touch $@

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || { echo "make: uv could not be installed into \
	$(VENV); is there a network?" >&2; exit 1; }

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    "$$python" -c 'import venv, ensurepip' 2>/dev/null || { without=$$python; continue; }; \
	    echo "creating $(VENV) from $$(command -v "$$python"), $$("$$python" --version)"; \
	    exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$without" ]; then \
	    echo "make: $$without has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	else \
	    echo "make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3" >&2; \
	fi; exit 1
