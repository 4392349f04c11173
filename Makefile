# Everything a newcomer types. Each target sets up what it needs in .venv; only Python 3.11 or newer and git are asked for.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv-bench/.ready
FUZZ_READY := .venv-fuzz/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test powerloss fuzz bench lint clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: $(READY) ## the tools and the retrostep command, in .venv

$(READY): host/pyproject.toml host/hatch_build.py
	@test -n "$(PYTHON)" || { echo "Retrostep needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: say make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv (a minute or two, once) ..."
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable 'host[dev]'
	@touch $(READY)

demo: $(READY) ## the whole product on the virtual board, from a moving leg to a coach's verdict
	@$(BIN)/python boards/VIRTUAL/demo.py

test: $(READY) lint ## lint, types, and every test, on CPython and on MicroPython
	@$(BIN)/python -m pytest --numprocesses auto

powerloss: $(READY) ## cut the power at every operation of the flash, and again during the start after it
	@$(BIN)/python tests/powerloss

fuzz: $(FUZZ_READY) ## coverage-guided fuzzing of every decoder of outside bytes; ten to thirty minutes
	@test -f $(FUZZ_READY) || { echo "Skipped: make test gives the same decoders what Hypothesis makes up."; exit 0; }; \
	  .venv-fuzz/bin/python tests/fuzz

$(FUZZ_READY): host/pyproject.toml
	@echo "Setting up .venv-fuzz (a minute or two, once) ..."
	@"$(PYTHON)" -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install -qq --disable-pip-version-check --editable 'host[fuzz]' && touch $(FUZZ_READY) || \
	  { echo "atheris cannot be installed here; it needs Linux or macOS and Python 3.11 to 3.13."; rm -rf .venv-fuzz; }

bench: $(READY) $(BENCH_READY) ## scores, robustness, alerts and costs, beside published step counters; seven to ten minutes
	@$(BIN)/python tests/bench

# Peers have their own environment: none of their requirements may decide what Retrostep runs with.
$(BENCH_READY): host/pyproject.toml tests/bench/install.py
	@echo "Setting up .venv-bench (some minutes, once) ..."
	@"$(PYTHON)" -m venv .venv-bench
	@.venv-bench/bin/python tests/bench/install.py && touch $(BENCH_READY) || { echo "Going on without peers."; rm -rf .venv-bench; }

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy host/src

clean: ## remove what was made, but no recorded session
	@rm -rf .venv .venv-bench .venv-fuzz build host/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
