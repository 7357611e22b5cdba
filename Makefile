# make demo: see it. make test: prove it. Everything lands in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench peers torture screenshots clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

# Debian's python3 without python3-venv has no ensurepip: its own pip then puts one into the venv.
$(BIN)/warroom: pyproject.toml requirements.lock
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check pip; }
	$(PIP) --requirement requirements.lock
	$(PIP) --no-deps --editable .
	@touch $@

demo: $(BIN)/warroom ## the console on a real stack in which something goes wrong
	@exec $(BIN)/python scripts/demo.py

test: $(BIN)/warroom ## set up real servers, then format, lint, types, import contracts and all tests
	@bash scripts/test.sh

lint: $(BIN)/warroom ## format, lint, types and import contracts only
	@bash scripts/test.sh lint

bench: $(BIN)/warroom ## measure the console beside a Textual hello-world
	@$(BIN)/python scripts/bench.py $(ARGS)

peers: ## install what the benchmark sets beside the console and PyPI has (toolong), in a venv of its own
	@$(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check toolong

torture: $(BIN)/warroom ## kill, pause and starve what writes to a journal; is anything lost, doubled, out of order?
	@$(BIN)/python scripts/torture.py $(ARGS)

screenshots: $(BIN)/warroom ## make the pictures in screenshots/ from a drill
	@$(BIN)/python scripts/screenshots.py

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
