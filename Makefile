# The recipes a person types are the ones that continuous integration runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint mathematics questions organism clean

demo: $(VENV)/.made
	$(BIN)/stratigraph demo

test: $(VENV)/.made
	$(MAKE) --jobs 2 mathematics questions
	$(BIN)/pytest -q --numprocesses 2 --dist loadfile --ignore tests/analysis --ignore tests/queries

# In one process and first: it compiles the kernels, which two at once would each do.
mathematics: $(VENV)/.made
	$(BIN)/pytest -q tests/analysis

# Beside it, since it needs next to no kernels.
questions: lint
	$(BIN)/pytest -q tests/queries

lint: $(VENV)/.made
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Rebuild the small model and its dictionaries from their seed.
organism: $(VENV)/.made
	$(BIN)/python -m ingest.organism.build

# The environment: with uv where there is one, else with venv and pip.
$(VENV)/.made: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "stratigraph needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try make PYTHON=python3.12"; exit 1; }
	@if command -v uv >/dev/null; then \
	  echo "making $(VENV) with uv"; \
	  uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV) && \
	  uv pip install --python $(BIN)/python --constraints constraints.txt --editable '.[dev]'; \
	else \
	  echo "making $(VENV) with venv and pip"; \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'; \
	fi
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
