# Every target does all its own set-up in one .venv; a second call reinstalls nothing.
# Needs: make and Python 3.11 (PYTHON=python3.12 make test works too).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SITE   := $(VENV)/.ready-docs

.PHONY: demo test lint docs bench diagrams check check-wide peers conformance faults fuzz-plants clean

demo: $(READY)
	$(BIN)/rtfsm demo $(ARGS)

# Two processes: the suite is longer than five minutes in one. ARGS="-n 0" runs it in one.
test: $(READY)
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(SITE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Into site/; not --quiet, with which --strict sees no warning; open site/index.html. NO_MKDOCS_2_WARNING: versions are held in pyproject.toml, so the advice is not for us.
docs: $(SITE)
	@command -v dot >/dev/null || { echo "make docs: the pictures need Graphviz's program dot; install the package graphviz (apt-get install graphviz, or brew install graphviz)" >&2; exit 2; }
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html"

bench: $(READY)
	$(BIN)/python -m benchmarks.audio_path $(ARGS)
	$(BIN)/python -m benchmarks.fuzz_rate

diagrams: $(READY)
	$(BIN)/rtfsm draw --write diagrams

check: $(READY)
	$(BIN)/rtfsm check all $(ARGS)

check-wide: $(READY)
	$(BIN)/rtfsm check conversation --profile widest --messages-apart $(ARGS)

peers: $(READY)
	$(BIN)/python -m tests.peers --write docs/peers.md $(ARGS)

conformance: $(READY)
	$(BIN)/python -m tests.contract.write_conformance

faults: $(READY)
	$(BIN)/python -m tests.faults $(ARGS)

fuzz-plants: $(READY)
	$(BIN)/python -m pytest -m "slow or not slow" tests/fuzz/test_plants.py $(ARGS)

clean:
	rm -rf $(VENV) site

# The stamp is newer than pyproject.toml once everything in it is installed.
$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python found; install Python 3.11 or set PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make: $(PYTHON) is too old; rtfsm needs Python 3.10 or later" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

$(SITE): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $(SITE)
