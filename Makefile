# make tables: the tables and figures of every notebook and study.   make test: everything that is checked.
# make test-slow: the long simulations.   make test-spark: scoring in a local Spark cluster (needs Java 17; installs the extra).
# All set up .venv by themselves; they need Python 3.11 or newer (make PYTHON=python3.12 to choose one).

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
VERSIONS ?= 3.11 3.12 3.13
export MPLBACKEND := Agg
# Many small matrices: more BLAS threads than one only get in each other's way.
export OPENBLAS_NUM_THREADS := 1

.PHONY: tables test test-slow test-spark test-versions lab docs clean

tables: $(READY)
	@$(RUN) notebooks/execute.py --out build

test: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m pytest -n auto

test-slow: $(READY)
	$(RUN) -m pytest -n auto -m slow

test-spark: $(READY)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark]'
	$(RUN) -m pytest -m spark -n0

test-versions:
	@for v in $(VERSIONS); do if command -v python$$v >/dev/null 2>&1 && python$$v --version >/dev/null 2>&1; then \
		echo "== Python $$v" && $(MAKE) --no-print-directory VENV=.venv-$$v PYTHON=python$$v check-version || exit 1; \
		else echo "== Python $$v is not installed"; fi; done

.PHONY: check-version
check-version: $(READY)
	$(RUN) -m pytest -n auto -q

lab: $(READY)
	$(RUN) -m jupyterlab notebooks

docs: $(READY)
	$(RUN) -m sphinx -W --keep-going -b html docs build/docs
	@echo "The pages are in build/docs/index.html"

clean:
	rm -rf build .venv .venv-3.* .pytest_cache .mypy_cache .ruff_cache .hypothesis docs/_build docs/_notebooks docs/reference/generated

$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer was not found: install it, or call make PYTHON=/path/to/python"; exit 1; fi
	@echo "Setting up $(VENV) (once, some minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	@touch $(READY)
