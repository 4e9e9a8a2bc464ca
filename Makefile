# Two commands do all the set-up: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test default-model clean

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

# How the default model was made, again: make default-model OXFORD=DIR WEIGHTS=FILE OUT=DIR
# Some four hours on two cores; started anew it goes on where it was. Why: docs/decisions/0028.
TRAIN = $(BIN)/petseg train "$(OXFORD)" --also "$(OUT)/drawn" --set threads=2
AVERAGE = $(BIN)/petseg models average
BEST = best.safetensors

default-model: $(VENV)/.installed
	test -d "$(OUT)/drawn" || \
		$(BIN)/petseg demo "$(OUT)/drawn" --images 150 --masked 150 --seed 10000
	$(TRAIN) --run "$(OUT)/first" --preset accurate --set weights="$(WEIGHTS)"
	$(TRAIN) --run "$(OUT)/second" --preset polish --from "$(OUT)/first/$(BEST)" \
		--set start_share=0 --set augment=full --set epochs=32
	test -e "$(OUT)/between.safetensors" || $(AVERAGE) "$(OUT)/second/$(BEST)" \
		"$(OUT)/first/$(BEST)" --out "$(OUT)/between.safetensors"
	$(TRAIN) --run "$(OUT)/third" --preset polish --from "$(OUT)/between.safetensors" \
		--set start_share=0 --seed 1
	test -e "$(OUT)/petseg-default.safetensors" || $(AVERAGE) "$(OUT)/third/$(BEST)" \
		"$(OUT)/second/$(BEST)" "$(OUT)/first/$(BEST)" --shares 4,3,1 --name "PetSeg default" \
		--out "$(OUT)/petseg-default.safetensors"
	$(BIN)/petseg models calibrate "$(OUT)/petseg-default.safetensors" "$(OXFORD)"

clean:
	rm -rf $(VENV) build dist *.egg-info
