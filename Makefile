# Every target does its own set-up in ./.venv from a hashed lock, and only when the lock has changed.
.DEFAULT_GOAL := help
.PHONY: help demo test test-more test-all lint format lock

OUT ?= out
BIN := .venv/bin
# Where Python may keep no bytecode, each of the hundreds of processes that tests start would compile the same modules.
export PYTHONDONTWRITEBYTECODE :=

# Tests run side by side and decide on small matrices: BLAS threads would only fight for the same cores.
test test-more test-all: export OMP_NUM_THREADS ?= 1
test test-more test-all: export OPENBLAS_NUM_THREADS ?= 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: ## fit, prove and show a router on real outcomes; the report lands in ./out (OUT=folder)
	@requirements/install.sh demo
	@$(BIN)/tenbin demo --out "$(OUT)"

# Some of their time is waiting, hence three workers on two cores.
test: ## the core tests, on loopback only
	@requirements/install.sh dev
	@$(BIN)/python -m pytest -n $(or $(WORKERS),3) -m "not browser and not extra"

test-more: ## only the tests that need a browser, an optional package, bubblewrap or other people's clients
	@requirements/install.sh more
	@$(BIN)/python -m pytest -n $(or $(WORKERS),2) -m "browser or extra"

test-all: test test-more ## both of them

lint: ## ruff, mypy --strict, import contracts, structure
	@requirements/install.sh lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/mypy --strict --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/lint-imports
	$(BIN)/python checks/structure.py

format: ## let ruff lay out the code and sort the imports
	@requirements/install.sh lint
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format

# What paretobandit would import, did we import it: only its files are read, and these are 150 MB.
UNUSED = scikit-learn scipy joblib threadpoolctl narwhals cloudpickle

# Pins are kept where they still fit; LOCK_FLAGS=--upgrade takes the newest of everything.
COMPILE = uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
  $(UNUSED:%=--no-emit-package %) --custom-compile-command 'make lock' $(LOCK_FLAGS)

lock: ## write the hashed locks from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "tenbin: make lock needs uv; install it (pip install uv), then run make lock again" >&2; exit 1; }
	$(COMPILE) --group lint --group browser --group clients --extra demo --extra light --extra multilingual --extra prices --extra otel -o requirements/more.lock
	$(COMPILE) --group lint --extra demo -c requirements/more.lock -o requirements/lint.lock
	$(COMPILE) --group dev --extra demo -c requirements/lint.lock -o requirements/dev.lock
	$(COMPILE) --group build --extra demo -c requirements/dev.lock -o requirements/demo.lock
