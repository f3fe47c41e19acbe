# Everything a person or CI does with Koe. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for python in python3 python3.12 python3.11 python; do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& { echo $$python; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
SERVE_EXTRAS := worker,ja,zh
DEV_EXTRAS := dashboard,dev,mcp,otel,wyoming
FETCH ?= 1
WORKERS ?= 1
SECONDS ?= 600
JOBS ?= 3
BELOW ?= 90
TESTS ?=
EXAMPLES ?= 100
REQUESTS ?= 2000
BENCH ?=
LISTEN ?=
TARGET ?= cpu
VOICE ?= 1
BUILD ?=

.PHONY: help install serve voice worker dashboard image test check check-browser check-chart check-clients format lint types walls openapi settings bench bench-quick coverage listen schema fuzz chaos clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Shows the large files that pip downloads, and when it unpacks. Its errors go to standard error, unchanged.
define PIP
set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -c deploy/constraints.txt -e '.[$(1)]' \
	| while IFS= read -r line; do \
		if [[ $$line =~ (Downloading|Using\ cached)\ ([^ ]+)\ \(([0-9]{2,}\.[0-9]\ MB|[0-9.]+\ GB)\) ]]; then \
			file=$${BASH_REMATCH[2]##*/}; echo "    $${file%%-*}, $${BASH_REMATCH[3]}"; \
		elif [[ $$line == "Installing collected packages: "* ]]; then \
			packages=$${line#*: }; commas=$${packages//[^,]/}; echo "    unpacking $$(($${#commas} + 1)) packages"; fi; done
endef

install: $(VENV)/.installed ## Set up .venv with everything, tests and tools too, pinned by deploy/constraints.txt

$(VENV)/.installed-serve: pyproject.toml deploy/constraints.txt
	@test -n "$(PYTHON)" || { echo "Koe needs Python 3.11 or 3.12: install one, or name it with 'make PYTHON=…'." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ($(PYTHON)). This happens once and takes some minutes."
	@$(PYTHON) -m venv $(VENV)
	@echo "  Installing what speaking needs: PyTorch, Kokoro, espeak-ng, ffmpeg, Valkey; about 500 MB, on Linux 3 GB where PyTorch"
	@echo "  comes with CUDA."
	@$(call PIP,$(SERVE_EXTRAS))
	@touch $@

$(VENV)/.installed: $(VENV)/.installed-serve
	@echo "  Installing what tests and checks need: pytest, mypy, ruff, schemathesis and others; about 100 MB, once."
	@$(call PIP,$(DEV_EXTRAS))
	@touch $@

$(VENV)/.installed-dashboard: $(VENV)/.installed-serve
	@echo "  Installing rq-dashboard, once."
	@$(call PIP,dashboard)
	@touch $@

serve: $(VENV)/.installed-serve ## Run everything here: queue, WORKERS=1 workers, API on KOE_PORT=8000; FETCH=0 fetches no voice
	@test "$(FETCH)" = 0 || $(BIN)/koe has-voice || { echo "Fetching Kokoro's voice. This happens once."; $(BIN)/koe fetch; } \
		|| echo "! Kokoro's voice could not be fetched, so espeak-ng speaks. 'make voice' tries again, while this runs too." >&2
	@$(BIN)/koe serve --workers $(WORKERS) --no-offer

voice: $(VENV)/.installed-serve ## Fetch Kokoro's voice; a running `make serve` takes it
	@$(BIN)/koe fetch

worker: $(VENV)/.installed-serve ## Run one more worker, on the KOE_REDIS_URL of a server elsewhere or on the queue of `make serve`
	$(BIN)/koe worker

dashboard: $(VENV)/.installed-dashboard ## Look at the queues, jobs and workers in rq-dashboard, on port 9181
	$(BIN)/rq-dashboard --json --bind 127.0.0.1 --redis-url "$$($(BIN)/koe redis-url)"

# BUILD has more options of `docker build`, such as secrets for a network that needs them.
image: ## Build the container image koe:latest-TARGET (cpu, cuda, api, dashboard) with Docker 20.10 or newer; VOICE=0 without Kokoro
	@command -v docker >/dev/null || { echo "This needs Docker 20.10 or newer with BuildKit, and the package registries." >&2; exit 1; }
	@version=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' app/__init__.py); revision=$$(git rev-parse HEAD 2>/dev/null); \
	DOCKER_BUILDKIT=1 docker build --file deploy/image/Dockerfile --target $(TARGET) --build-arg VOICE=$(VOICE) \
		--build-arg VERSION="$$version" --build-arg REVISION="$$revision" \
		--tag koe:latest-$(TARGET) --tag "koe:$$version-$(TARGET)" $(BUILD) .

test: install ## Run all tests, JOBS=3 files at a time
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

coverage: install ## Run all tests, or TESTS, and list the files of which less than BELOW=90 per cent is run
	$(BIN)/python -m tests.coverage --below $(BELOW) --jobs $(JOBS) $(TESTS)

$(VENV)/.installed-chart: $(VENV)/.installed
	@echo "  Installing Helm's library and Kubernetes' schemas: 100 MB, once."
	@$(call PIP,chart)
	@touch $@

check-chart: $(VENV)/.installed-chart ## Lint and render the Helm chart with every example, and compare it with Kubernetes' schemas
	$(BIN)/python -m pytest tests/deploy/test_chart.py

check-clients: install ## Drive other people's clients, each installed into .clients, against a live server
	$(BIN)/python -m pytest tests/clients -m clients

$(VENV)/.installed-browser: $(VENV)/.installed
	@echo "  Installing Playwright, Marionette and axe: 50 MB, once."
	@$(call PIP,browser)
	@touch $@

check-browser: $(VENV)/.installed-browser ## Open the page in Chromium and Firefox, which the system has, and use it
	$(BIN)/python -m pytest tests/browser -m browser

check: install format-check lint types walls test ## Everything that must pass: format, lint, types, walls, tests

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

walls: install ## Check which packages import which
	$(BIN)/lint-imports

openapi: $(VENV)/.installed-serve ## Export what the API serves to openapi/served.json
	$(BIN)/koe openapi > openapi/served.json

settings: install ## Write the tables of settings and metrics in the guides
	$(BIN)/python -m tests.promises.settings_table
	$(BIN)/python -m tests.promises.metrics_table

$(VENV)/.installed-bench: $(VENV)/.installed
	@echo "  Installing ONNX Runtime, once."
	@$(call PIP,bench)
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

schema: install ## Send EXAMPLES=100 requests to each operation, made from the schema, and check every answer
	$(BIN)/python -m tests.schema --examples $(EXAMPLES)

fuzz: install ## Send REQUESTS=2000 malformed and hostile requests, and check every answer and the log
	$(BIN)/python -m tests.fuzz --requests $(REQUESTS)

chaos: install ## Kill processes for SECONDS=600 while many listen, and compare every answer
	$(BIN)/python -m tests.chaos --seconds $(SECONDS)

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) .clients build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
