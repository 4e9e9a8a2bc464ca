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

# A model like the default one: make default-model OXFORD=DIR WEIGHTS=FILE OUT=DIR. Some four hours
# on two cores; when it was killed, it goes on. After Ctrl+C delete the folder of the training that
# was stopped: it counts as done. Why these steps: docs/decisions/0028.
TRAIN = $(BIN)/petseg train "$(OXFORD)" --also "$(OUT)/drawn" --set threads=2
BEST = best.safetensors

default-model: $(VENV)/.installed
	@test -d "$(OXFORD)" -a -f "$(WEIGHTS)" -a -n "$(OUT)" || \
		{ echo "make default-model OXFORD=DIR WEIGHTS=FILE OUT=DIR"; exit 2; }
	test -d "$(OUT)/drawn" || { rm -rf "$(OUT)/part" && $(BIN)/petseg demo "$(OUT)/part" \
		--images 150 --masked 150 --seed 10000 && mv "$(OUT)/part" "$(OUT)/drawn"; }
	$(TRAIN) --run "$(OUT)/first" --preset accurate --set weights="$(WEIGHTS)"
	$(TRAIN) --run "$(OUT)/second" --preset polish --from "$(OUT)/first/$(BEST)" \
		--set start_share=0 --set augment=full --set epochs=32
	test -e "$(OUT)/between.safetensors" || $(BIN)/petseg models average \
		"$(OUT)/second/$(BEST)" "$(OUT)/first/$(BEST)" --shares 3,1 --out "$(OUT)/between.safetensors"
	$(TRAIN) --run "$(OUT)/third" --preset polish --from "$(OUT)/between.safetensors" --seed 1 \
		--name "PetSeg default"

clean:
	rm -rf $(VENV) build dist *.egg-info
