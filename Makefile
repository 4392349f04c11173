# Everything a newcomer types. Each target sets up what it needs in .venv. Only Python 3.11 or newer, git and, once, the network are needed.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv-bench/.ready
FUZZ_READY := .venv-fuzz/.ready
TYPES_READY := .venv/typings/.ready
# Tools under tests/ are packages: make bench runs `python -m bench` with the tests, the firmware and the virtual board on its path.
TOOL := PYTHONPATH=tests:firmware:boards/VIRTUAL $(BIN)/python -m
# install,FOLDER,WHAT: pip's output goes to a log; without the network the user sees one line.
define install
	@echo "Setting up $(1) (a minute or two, once) ..."
	@"$(PYTHON)" -m venv $(1)
	@PIP_RETRIES=1 PIP_TIMEOUT=20 $(1)/bin/python -m pip install --quiet --disable-pip-version-check --editable '$(2)' > $(1)/setup.log 2>&1 || { \
	  echo "Setup downloads Python packages, and that failed: check the network connection, then try again. Details: $(CURDIR)/$(1)/setup.log" >&2; exit 1; }
	@touch $(1)/.ready
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo flash test powerloss fuzz bench boards pictures screenshots lint clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(READY) $(TYPES_READY) ## install the tools and the retrostep command in .venv

$(READY): host/pyproject.toml host/hatch_build.py
	@test -n "$(PYTHON)" || { echo "Retrostep needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11. Name a newer one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(call install,.venv,host[dev])

# MicroPython's types, in a folder of their own: they replace those of CPython's standard library.
$(TYPES_READY): $(READY)
	@PIP_RETRIES=1 PIP_TIMEOUT=20 $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target .venv/typings \
	  'micropython-esp32-stubs>=1.29,<1.30' > .venv/typings.log 2>&1 || { \
	  echo "The types of MicroPython are downloaded once, and that failed: check the network connection. Details: $(CURDIR)/.venv/typings.log" >&2; exit 1; }
	@touch $@

demo: $(READY) ## run the whole product on two virtual boards; a minute
	@$(BIN)/python boards/VIRTUAL/demo.py

flash: $(READY) ## make a device of a new board: make flash BOARD=NAME
	@test -n "$(BOARD)" || { echo "Name the board: make flash BOARD=NAME. The boards, with chip and sensor:"; $(BIN)/retrostep boards; exit 2; }
	@$(BIN)/retrostep flash --board "$(BOARD)" $(if $(PORT),--port "$(PORT)") $(if $(IMAGE),--image "$(IMAGE)")

test: $(READY) lint ## lint, and every test on CPython and on MicroPython
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal

powerloss: $(READY) ## cut the power at every flash operation, stop a sync at every change of the disk; some minutes
	@$(TOOL) powerloss
	@RETROSTEP_EVERY_CUT=1 $(BIN)/python -m pytest --numprocesses auto tests/host/test_sync_healing.py -k stopped_at_any

fuzz: $(FUZZ_READY) ## fuzz every decoder of outside bytes; ten to thirty minutes
	@test -f $(FUZZ_READY) || { echo "Skipped. make test runs the same decoders on Hypothesis examples."; exit 0; }; \
	  .venv-fuzz/bin/python tests/fuzz

$(FUZZ_READY): host/pyproject.toml
	@echo "Setting up .venv-fuzz (a minute or two, once) ..."
	@"$(PYTHON)" -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install -qq --disable-pip-version-check --editable 'host[fuzz]' && touch $(FUZZ_READY) || \
	  { echo "atheris cannot be installed here; it needs the network, Linux or macOS, and Python 3.11 to 3.13."; rm -rf .venv-fuzz; }

boards: $(READY) ## check every board.json, and draw each board's wiring and page
	@$(BIN)/retrostep boards draw

pictures: .venv/.pictures ## draw the pictures of firmware/GAIT.md and print its table
	@$(TOOL) pictures

screenshots: $(READY) ## show the report on a phone, a laptop and paper; needs Chromium
	@$(TOOL) screenshots

.venv/.pictures: $(READY)
	@PIP_RETRIES=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable 'host[pictures]' > .venv/pictures.log 2>&1 || { \
	  echo "The pictures need matplotlib, and its download failed: check the network connection. Details: $(CURDIR)/.venv/pictures.log" >&2; exit 1; }
	@touch $@

bench: $(READY) $(BENCH_READY) ## measure beside other step counters; SECTIONS="scores" for a part
	@$(TOOL) bench $(SECTIONS)

# Other step counters get an environment of their own: their requirements must not change what Retrostep runs with.
$(BENCH_READY): host/pyproject.toml tests/bench/install.py
	@echo "Setting up .venv-bench (some minutes, once) ..."
	@"$(PYTHON)" -m venv .venv-bench
	@.venv-bench/bin/python tests/bench/install.py && touch $(BENCH_READY) || { echo "Continuing without other step counters."; rm -rf .venv-bench; }

lint: $(READY) $(TYPES_READY) ## check style, types, and which part imports which
	@$(BIN)/ruff check .
	@for system in linux darwin win32; do $(BIN)/mypy --platform $$system --cache-dir .mypy_cache/$$system --no-error-summary host/src || exit 1; done
	@$(BIN)/mypy --config-file firmware/mypy.toml --cache-dir .mypy_cache/firmware --no-error-summary \
	  $(filter-out firmware/manifest.py,$(wildcard firmware/*.py)) firmware/hal firmware/lib/retrostep_core
	@shown=$$(PYTHONPATH=firmware $(BIN)/lint-imports --no-cache --no-logo) || { echo "$$shown"; exit 1; }

clean: ## remove what make made, but no session added to the demo
	@test ! -d build/demo || "$(PYTHON)" boards/VIRTUAL/demo_folder.py --remove build/demo
	@rm -rf .venv .venv-bench .venv-fuzz build/bench build/fuzz build/npm build/screenshots host/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@rmdir build 2> /dev/null || true
