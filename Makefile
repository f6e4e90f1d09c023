# Everything is built into .venv/ in this checkout; nothing is installed elsewhere.
# PYTHON=python3.12 make test     picks another interpreter (3.11 or newer).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
CORE   := fsoc/detection/native_core
LOCKED := $(VENV)/.locked
UPGRADE ?= --upgrade

.PHONY: help demo test check check-format check-lint check-types check-imports check-rules check-baseline check-deploy bench soak lock install clean
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(LOCKED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=… picks one" >&2; exit 2; }
	@echo "Setting up $(VENV)/ (once; about a minute) …"
	@$(PYTHON) -m venv $(VENV)
	@# The lock is whole, and most of what it names is never imported: a third less to wait for without resolving and compiling.
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The native engine is left out where there is no compiler: that costs speed and changes no match.
$(STAMP): $(LOCKED) $(CORE)/Cargo.toml $(CORE)/Cargo.lock $(CORE)/pyproject.toml $(wildcard $(CORE)/src/*.rs)
	@if ! command -v cargo >/dev/null; then \
	  echo "No cargo on the path: rules are matched by the Python engine, not the native one."; \
	elif echo "Building the native engine (a minute) …"; ! PATH="$(CURDIR)/$(BIN):$$PATH" CARGO_TARGET_DIR="$(CURDIR)/build/native_core" \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall ./$(CORE) >$(VENV)/native_core.log 2>&1; then \
	  echo "The native engine was not built ($(VENV)/native_core.log says why): rules are matched by the Python engine." >&2; \
	fi
	@touch $@

install: $(STAMP)  ## set up .venv/

demo: $(STAMP)  ## the whole system on this machine: Kafka, workers, forty simulated institutions, joint alerts
	@$(BIN)/fsoc demo --once

test: $(STAMP)  ## the tests (FSOC_REQUIRE_KAFKA=1 makes a missing Kafka a failure)
	@$(BIN)/pytest --numprocesses auto --dist loadfile --max-worker-restart 0

check: check-format check-lint check-types check-imports check-rules check-baseline check-deploy  ## format, lint, types, import contracts, rules, baseline, deployment files

check-format: $(STAMP)
	$(BIN)/ruff format --check .
check-lint: $(STAMP)
	$(BIN)/ruff check .
check-types: $(STAMP)
	$(BIN)/mypy
check-imports: $(STAMP)
	$(BIN)/lint-imports --no-logo
check-rules: $(STAMP)
	$(BIN)/fsoc check rules rules
check-baseline: $(STAMP)
	$(BIN)/fsoc check baseline --strict
	$(BIN)/fsoc baseline matrix --check attack_mappings/baseline/matrix.csv
check-deploy: $(STAMP)
	deploy/check

# SAVE=--save keeps the figures in benchmarks/results/ and draws the charts of its manual.
bench: $(STAMP)  ## the timings of benchmarks/README.md, about a quarter of an hour
	$(BIN)/python -m benchmarks.detect --check $(SAVE)
	$(BIN)/python -m benchmarks.detect $(SAVE)
	$(BIN)/python -m benchmarks.peers $(SAVE)
	$(BIN)/python -m benchmarks.pipeline $(SAVE)
	$(BIN)/python -m benchmarks.correlate $(SAVE)
	$(BIN)/python -m benchmarks.precision --seeds 206-207
	$(BIN)/python -m benchmarks.end_to_end $(SAVE)
	$(BIN)/python -m benchmarks.latency $(SAVE)
	$(BIN)/python -m benchmarks.fairness $(SAVE)
	$(if $(SAVE),$(BIN)/python -m benchmarks.plots)

soak: $(STAMP)  ## the long tests: exercises three times over, a hundred workers killed, many times the examples, engines broken on purpose (hours)
	FSOC_SOAK=1 $(BIN)/pytest -o faulthandler_timeout=7200 tests/test_soak.py tests/test_correlate.py tests/test_chains.py tests/test_explanations.py tests/rules/test_collusion.py tests/rules/test_volume_claims.py tests/rules/test_deciding.py tests/test_intake.py tests/test_completeness.py tests/test_sector.py tests/correlation tests/campaigns tests/simulation tests/channels/test_leaks.py tests/tickets/test_differential.py tests/runtime/test_inprocess.py tests/runtime/faust/test_pause.py tests/runtime/faust/test_kill.py tests/client/test_storm.py tests/detection/differential

lock:  ## write requirements.lock anew from pyproject.toml, and of it what runs in deploy/requirements.lock; UPGRADE= keeps what it has
	@$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --group dev --extra loki --generate-hashes --no-header --no-emit-index-url --quiet $(UPGRADE) --output-file requirements.lock
	build/lock/bin/uv pip compile pyproject.toml --constraint requirements.lock --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet $(UPGRADE) --output-file deploy/requirements.lock

clean:  ## remove .venv/ and caches
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
