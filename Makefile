# The only task list. `make help` shows it; CI calls it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
TITANIUM := $(BIN)/titanium
SOURCES := libs services cli tests scripts terraform conftest.py
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z][a-z-]*:.*## / { printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run
.PHONY: up down status logs
up: .setup ## Set up, start the whole platform in the background, print the addresses
	@$(TITANIUM) up -d $(ARGS)

down: .setup ## Stop the platform
	@$(TITANIUM) down $(ARGS)

status: .setup ## Show every process: state, uptime, memory, address
	@$(TITANIUM) status $(ARGS)

logs: .setup ## Follow the logs of all processes
	@$(TITANIUM) logs -f $(ARGS)

##@ Check
.PHONY: check test test-cloud lint types format
check: .setup-dev lint types ## Lint, types and unit tests: under a minute
	@$(PYTEST) -q -m unit

test: .setup-dev ## Set up and run every check, with the coverage gate
	@scripts/test.sh

test-cloud: .setup-dev ## Of these, Terraform, Patroni and tunnels alone, with the long drills
	@scripts/test-tools.sh
	@$(PYTEST) -q -m "cloud and not machines"
	@$(PYTEST) -q -m machines

lint: .setup-dev ## Style and common mistakes (ruff)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)

types: .setup-dev ## Types (mypy strict)
	@MYPYPATH=$(subst $(eval) ,:,$(wildcard libs/*/src services/*/src cli/src)) $(BIN)/mypy $(wildcard libs/*/src/* services/*/src/* cli/src/*) $(wildcard terraform/modules/*/modules/*/files/*.py)

format: .setup-dev ## Rewrite the sources in the project's style
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

##@ Measure
.PHONY: bench load
bench: .setup-dev ## Measure throughput and latency in an instance of its own; writes docs/performance.md
	@$(TITANIUM) bench $(ARGS)

load: .setup ## Send traffic like readers and writers to the running platform
	@$(TITANIUM) load $(ARGS)

##@ Deploy
.PHONY: images
images: ## Build the images (settings: TAG, REGISTRY, PLATFORMS, SERVICES, SAVE, BUILDER)
	@scripts/build-images.sh

##@ Maintain
.PHONY: docs golden picture screenshots lock clean
docs: .setup-dev ## Regenerate docs/reference, SLO rules, dashboards and the cluster gateway
	@$(TITANIUM) docs

golden: .setup-dev ## Regenerate the rendered mesh configuration that tests compare with
	@TITANIUM_REGENERATE_GOLDEN=1 $(PYTEST) -q cli/tests/mesh/test_golden.py

picture: .setup-dev ## Draw docs/img/network.svg anew from a plan of terraform/environments/aws
	@$(PYTHON) scripts/bootstrap.py --only moto
	@$(BIN)/python -m tests.terraform.draw_picture

lock: .setup-dev ## Recompute requirements/*.txt from the pyproject files
	@scripts/lock.sh

screenshots: .setup-dev ## Take the blog's pictures in docs/img again, in a browser
	@$(BIN)/python scripts/screenshots.py $(ARGS)

clean: ## Remove the environment and caches; the state folder (.titanium) stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Setting up is a no-op of a few milliseconds when nothing changed.
setup-aws: .setup-dev ## Add what `titanium schedule` needs to talk to AWS (boto3)

.PHONY: .setup .setup-dev setup-aws
.setup:
	@$(PYTHON) scripts/bootstrap.py

.setup-dev:
	@$(PYTHON) scripts/bootstrap.py --dev
