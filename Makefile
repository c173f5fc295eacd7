PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready

.PHONY: help demo test check bench chaos interop package docs clean format

help:
	@echo "make demo    the whole road of four reports, on this machine alone"
	@echo "make test    the tests (services that are missing are named and skipped)"
	@echo "make interop the same messages through KS's own Java libraries (needs a JDK and Maven)"
	@echo "make package what is released: built, installed into an environment of its own, used; the pages for municipalities walked"
	@echo "make docs    the documentation site, in build/site"
	@echo "make check   lint, format, types, layers"
	@echo "make bench   benchmarks, as ratios"
	@echo "make chaos   reports arrive while everything breaks: SIDE=sender REPORTS=300 MINUTES=2 SEED=1 (docs/reliability.md)"
	@echo "make clean   remove everything that make made"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fiksmelding needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m fiksmelding demo

test: $(READY)
	$(BIN)/python -m pytest -m "not interop and not package" -n auto --maxprocesses 4 --dist worksteal --cov --cov-report=term

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

interop: $(READY)
	FIKSMELDING_REQUIRE_SERVICES=1 $(BIN)/python -m pytest -m interop

package: $(READY)
	FIKSMELDING_REQUIRE_SERVICES=1 $(BIN)/python -m pytest tests/package

# Its notice is about a successor, and would be the only line of a build that is as it should be.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

bench: $(READY)
	$(BIN)/python -m benchmarks

# Each word that is given goes to it: make chaos REPORTS=300 JOURNAL=postgresql
CHAOS_WORDS := SIDE REPORTS MINUTES SEED FAULTS RECEIVERS SENDERS JOURNAL BROKER FOLDER
CHAOS_OPTIONS := $(foreach word,$(CHAOS_WORDS),$(if $($(word)),--$(shell echo $(word) | tr A-Z a-z) $($(word)))) $(if $(BROKEN),--broken)
chaos: $(READY)
	@PYTHONPATH=tests $(BIN)/python -m chaos $(CHAOS_OPTIONS)

clean:
	rm -rf $(VENV) dist build htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
