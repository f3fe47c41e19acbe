# Everything a person or CI does with Koe. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for python in python3 python3.12 python3.11 python; do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& { echo $$python; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS := worker,ja,zh,dashboard,dev
WORKERS ?= 1
SECONDS ?= 600
JOBS ?= 2
EXAMPLES ?= 100
BENCH ?=
LISTEN ?=

.PHONY: help install serve worker dashboard test check check-clients format lint types walls openapi bench bench-quick listen schema chaos clean

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Set up .venv with everything, pinned by deploy/constraints.txt

$(VENV)/.installed: pyproject.toml deploy/constraints.txt
	@test -n "$(PYTHON)" || { echo "Koe needs Python 3.11 or 3.12: install one, or name it with 'make PYTHON=…'." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON): this takes a few minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

serve: install ## Run everything here: queue, WORKERS=1 workers, API on KOE_PORT=8000
	$(BIN)/koe serve --workers $(WORKERS)

worker: install ## Run one more worker, on the KOE_REDIS_URL of a server elsewhere or on the queue of `make serve`
	$(BIN)/koe worker

dashboard: install ## Look at the lanes, jobs and workers in rq-dashboard, on port 9181
	$(BIN)/rq-dashboard --json --bind 127.0.0.1 --redis-url "$$($(BIN)/koe redis-url)"

test: install ## Run all tests, JOBS=2 files at a time
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check-clients: install ## Drive other people's clients, each installed into .clients, against a live server
	$(BIN)/python -m pytest tests/clients -m clients

check: install format-check lint types walls test ## Everything that must be green: format, lint, types, walls, tests

.PHONY: format-check
format-check: install
	$(BIN)/ruff format --check .

format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

lint: install ## Look for mistakes with ruff
	$(BIN)/ruff check .

types: install ## Check the types with mypy, strictly
	$(BIN)/mypy

walls: install ## Check who imports whom
	$(BIN)/lint-imports

openapi: install ## Export what the API serves to openapi/served.json
	$(BIN)/koe openapi > openapi/served.json

$(VENV)/.installed-bench: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[bench]'
	@touch $@

bench: $(VENV)/.installed-bench ## Measure here, against the original and ONNX Runtime: engine, server, cache, fairness, load
	$(BIN)/python -m tests.benchmarks $(BENCH)

bench-quick: $(VENV)/.installed-bench ## The same with less of everything, in about two minutes
	$(BIN)/python -m tests.benchmarks --quick $(BENCH)

$(VENV)/.installed-ears: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[ears]'
	@touch $@

listen: $(VENV)/.installed-ears ## Have Kokoro's real voices speak, and listen: words, quality, loudness, times, faults made on purpose
	@$(BIN)/koe fetch || echo "Going on without: the files may be here already."
	$(BIN)/python -m tests.ears $(LISTEN)

schema: install ## Ask EXAMPLES=100 requests of each operation, made from the schema, and judge every answer
	$(BIN)/python -m tests.schema --examples $(EXAMPLES)

chaos: install ## Kill everything for SECONDS=600 while many listen, and compare every answer
	$(BIN)/python -m tests.chaos --seconds $(SECONDS)

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) .clients build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
