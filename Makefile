# Two commands do all the set-up: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test clean

# Without a display the same loop runs on the demo in the terminal.
run: $(VENV)/.installed
	@if [ -n "$(FOLDER)$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		$(BIN)/petseg-gui $(if $(FOLDER),"$(FOLDER)"); \
	else \
		$(BIN)/petseg demo demo --loop; \
	fi

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

# labelme's own loader opens what we write for it. It stands apart, without its second Qt.
$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -e ".[test]"
	$(PIP) --no-deps --upgrade --target $(VENV)/labelme labelme imgviz cmap loguru tifffile
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
