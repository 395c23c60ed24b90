# The two commands of the README. Each makes .venv if there is none and installs what it needs.
# Another interpreter: make PYTHON=python3.12 test

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# One thread each: two test processes share the machine, and sums differ between thread counts.
export OMP_NUM_THREADS := 1
# In the tests of two threads a thread that waits sleeps, so that the other process has the core.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: search test test-all gates pages bench

search: $(STAMP)
	$(BIN)/nascore search --space darts --updater xnas --growth petridish

# Tests of a plugin that is not installed are skipped; here none may be.
test: export NASCORE_TEST_ALL := nascore-darts nascore-data nascore-petridish nascore-xnas nascore-evolution nascore-geonas nascore-nasbench nascore-native nascore-ray nascore-slurm nascore-spaces nascore-vision
test: gates
	$(BIN)/python -m pytest -n 2

# The slow tests too (one searches with every mix of what is installed), those of the core without any plugin,
# and what a report quotes.
test-all: gates
	$(BIN)/python -m pytest -n 2 -m "slow or not slow"
	folder=$$(mktemp -d) && python=$$($(BIN)/python tests/helpers/alone.py $$folder/env) && $$python -m pytest -n 2 tests
	$(BIN)/python benchmarks/startup.py

# How fast searches are, with few repetitions; benchmarks/README.md has the figures of a longer measurement.
bench: $(STAMP)
	$(BIN)/python benchmarks/search_step.py --laptop --repetitions 3
	$(BIN)/python benchmarks/search_step.py --repetitions 1 --steps weights,first --figures times,memory
	$(BIN)/python benchmarks/waits.py
	$(BIN)/python benchmarks/scale.py --repetitions 3
	$(BIN)/python benchmarks/overhead.py --repetitions 3

# What the README and docs say of components and mixes is printed by commands, which stand beside it.
pages: $(STAMP)
	$(BIN)/python tests/helpers/made_pages.py
	$(BIN)/python tests/helpers/made_distributions.py

gates: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The stamp is older than a changed requirement, so that one installs again.
$(STAMP): requirements-dev.txt pyproject.toml $(wildcard nascore_*/pyproject.toml plugins/*/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $(STAMP)
