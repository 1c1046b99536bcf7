# `make explore` and `make test` need Debian, Python 3.11 or newer, and make; they set up the rest in .venv.

# The first of these that is Python 3.11 or newer; or say which: make explore PYTHON=/path/to/python3
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for each in $(CANDIDATES); do \
    $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
# Test processes: 0 runs everything in one.
WORKERS ?= 2
# What `make explore` brings along to draw samples with; empty for none: make explore ENGINES=
ENGINES ?= transformers
# More arguments for passk, pytest or the benchmark: make test ARGS="-k sets"
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/setup.log
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt
# Show a log and stop; for after `||`.
GIVE_UP = { cat $(LOG) >&2; echo "passk could not be set up: see the lines above." >&2; exit 1; }
AS_ROOT_WITH_APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
APT_INSTALL := DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SILENT:
.PHONY: help explore test check format bench gpu gpu-packages miniature pictures clean terminal

help:
	echo "make explore   set up passk on first use and open the explorer"
	echo "make test      run every test (WORKERS=0 in one process, ARGS for pytest)"
	echo "make check     ruff, mypy and the import contracts"
	echo "make format    let ruff lay out the code"
	echo "make bench     measure on a large store (ARGS for its options)"
	echo "make gpu       check and measure drawing on a GPU (PYTHON=... for one that has torch already)"
	echo "make miniature make the models and samples of the sample store anew"
	echo "make pictures  make the pictures of the READMEs anew"
	echo "make clean     remove the environment and what tools left behind"

explore: $(VENV)/.core $(if $(ENGINES),$(VENV)/.engines)
	exec $(BIN)/passk $(ARGS)

test: $(VENV)/.dev terminal
	exec $(BIN)/python -m pytest $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist loadgroup) $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	exec $(BIN)/python -m tests.bench $(ARGS)

# With a Python named, as a GPU node often has its own torch: that one, and what it lacks beside it, in .gpu-packages.
gpu: $(if $(filter command line,$(origin PYTHON)),gpu-packages,$(VENV)/.engines)
	PYTHONPATH=$(CURDIR)/.gpu-packages$${PYTHONPATH:+:$$PYTHONPATH} \
	    exec $(if $(filter command line,$(origin PYTHON)),$(PYTHON),$(BIN)/python) -m tests.gpu $(ARGS)

gpu-packages:
	export PYTHONPATH=$(CURDIR)/.gpu-packages$${PYTHONPATH:+:$$PYTHONPATH}; \
	$(PYTHON) -m tests.gpu --missing 2>/dev/null || { \
	    echo "Installing what $(PYTHON) lacks into .gpu-packages (its torch and transformers are not touched)"; \
	    $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt \
	        --target .gpu-packages --upgrade . || exit 1; \
	    $(PYTHON) -m tests.gpu --missing; }

# The experiment behind the sample store, from nothing: up to 90 minutes on two cores.
miniature: $(VENV)/.recipe
	exec $(BIN)/python -m sample_data.recipe $(ARGS)

# The pictures of README.md and sample_data/README.md, from the sample store.
pictures: $(VENV)/.core
	for screen in home curves sets problem path; do \
	    $(BIN)/python -m explorer.picture '' sample_data/pictures/$$screen.svg $$screen || exit 1; done

clean:
	rm -rf $(VENV) .gpu-packages build dist *.egg-info snapshot_report.html
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find explorer backend queries tests sample_data -name __pycache__ -type d -prune -exec rm -rf {} +

# A private Python. Debian keeps what `python3 -m venv` needs in a package of its own, python3-venv.
$(VENV)/.python:
	[ -n "$(PYTHON)" ] || { \
	    echo "passk needs Python 3.11 or newer, and there is none here." >&2; \
	    echo "On Debian 12 or newer, as root: apt-get install python3 python3-venv" >&2; exit 1; }
	echo "Setting up passk: a private Python environment in $(VENV) (about a minute)"
	rm -rf $(VENV) && mkdir $(VENV)
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    if $(AS_ROOT_WITH_APT); then \
	        echo "  installing Debian's python3-venv, which this Python lacks"; \
	        { apt-get update && $(APT_INSTALL) python3-venv; } >$(LOG) 2>&1 || $(GIVE_UP); \
	    else \
	        echo "This Python cannot make private environments: Debian's package python3-venv is missing." >&2; \
	        echo "As root: apt-get install python3-venv. Then run make again." >&2; exit 1; \
	    fi; }
	$(PYTHON) -m venv $(VENV) >$(LOG) 2>&1 || $(GIVE_UP)
	touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	echo "  installing passk and what it needs"
	$(PIP) -e . >$(LOG) 2>&1 || $(GIVE_UP)
	touch $@

# The explorer works without an engine, so one that cannot be had does not stop it.
$(VENV)/.engines: $(VENV)/.core
	echo "  installing what draws samples: $(ENGINES) (with torch about a gigabyte; make explore ENGINES= leaves it out)"
	$(PIP) -e '.[$(ENGINES)]' >$(LOG) 2>&1 || { \
	    tail -n 3 $(LOG) >&2; echo "  that failed: the explorer works, drawing samples (r) does not"; }
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	echo "  installing passk, its engines, trl, and the tools for tests and checks (some minutes, about two gigabytes)"
	$(PIP) -e '.[dev,transformers,verify,datasets,figures,recipe]' >$(LOG) 2>&1 || $(GIVE_UP)
	touch $@ $(VENV)/.core $(VENV)/.engines

$(VENV)/.recipe: $(VENV)/.core
	echo "  installing what trains the models: torch, transformers, trl"
	$(PIP) -e '.[recipe]' >$(LOG) 2>&1 || $(GIVE_UP)
	touch $@ $(VENV)/.engines

# Tests that drive a real terminal use tmux; without it they are skipped.
terminal:
	command -v tmux >/dev/null || { \
	    if $(AS_ROOT_WITH_APT); then \
	        echo "Installing Debian's tmux for the tests that drive a real terminal"; \
	        { apt-get update && $(APT_INSTALL) tmux; } >$(LOG) 2>&1 || { \
	            tail -n 5 $(LOG); echo "tmux could not be installed: those tests will be skipped."; }; \
	    else \
	        echo "tmux is not installed: the tests that drive a real terminal will be skipped."; \
	        echo "To run them too, as root: apt-get install tmux"; \
	    fi; }
