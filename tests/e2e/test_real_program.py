"""The real program in a real window: open, segment, paint, approve, train, use the new model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.labels import PET
from core.masks import MaskEncoding, read_mask
from core.training import events
from core.training.control import worker_alive

pytestmark = pytest.mark.e2e


def test_whole_loop_in_a_real_window(person, start, folder: Path) -> None:
    program = start()
    store = folder / ".petseg"
    first, second = sorted(p.name for p in (folder / "images").iterdir())[:2]
    mask_file = folder / "masks" / Path(first).with_suffix(".png")
    prediction_file = store / "predictions" / Path(first).with_suffix(".png")

    def mask() -> np.ndarray:
        return read_mask(mask_file, MaskEncoding.IDS, PET)

    # Open: the first image has no mask, so it is segmented.
    person.window("PetSeg")
    person.wait_for(prediction_file.is_file, "the first image's prediction")
    predicted = read_mask(prediction_file, MaskEncoding.IDS, PET)
    assert 0 < predicted.mean() < 1
    assert not mask_file.exists()
    assert not loaded_torch(program.pid)
    person.look("1-segmented")

    # Paint: saved without being asked; undo is saved too.
    person.press("e")
    person.press(*["bracketright"] * 8)
    middle = (person.width // 2, person.height // 2)
    person.drag((middle[0] - 50, middle[1]), middle, (middle[0] + 300, middle[1] + 20))
    person.wait_for(mask_file.is_file, "the corrected mask")
    corrected = mask()
    assert (corrected[predicted == 0] == 0).all()
    assert (corrected != predicted).sum() > 500
    person.look("2-corrected")
    person.press("ctrl+z")
    person.wait_for(lambda: bool((mask() == predicted).all()), "the undone stroke on the disk")
    person.press("ctrl+shift+z")
    person.wait_for(lambda: bool((mask() == corrected).all()), "the redone stroke on the disk")

    # Approve, and go on to the next image, which is segmented.
    person.press("ctrl+Return")
    person.wait_for(lambda: statuses(store).get(first) == "approved", "the approval")
    next_prediction = store / "predictions" / Path(second).with_suffix(".png")
    person.wait_for(next_prediction.is_file, "the second image's prediction")

    # Train two epochs: the dialog by keyboard, the curves on the screen. From scratch: a model that
    # is no better than the one it started from would only be offered.
    person.press("ctrl+t")
    person.window("Start training")
    person.press("Tab", "Down", "Down", "Tab", "ctrl+a", "2")
    person.look("3-dialog")
    person.press("Return")
    person.wait_for(lambda: epochs(store) >= 1, "the first epoch", 240)
    person.window("PetSeg")
    before = person.look("4-training")
    person.wait_for(lambda: epochs(store) == 2, "the second epoch", 240)
    (run,) = runs(store)
    chosen = f"runs/{run.name}/best.safetensors"
    person.wait_for(lambda: model_of(store) == chosen, "the new model to be chosen")
    person.wait_for(lambda: not worker_alive(run), "the end of the training process")
    after = person.look("5-trained")
    assert val_curve(after) > val_curve(before), "the curves did not move"

    # The new model segments from now on.
    next_prediction.unlink()
    person.press("s")
    person.wait_for(next_prediction.is_file, "the prediction of the new model")
    person.look("6-new-model")
    assert not loaded_torch(program.pid)

    person.press("ctrl+q")
    assert program.wait(60) == 0
    assert (mask() == corrected).all()


def val_curve(shot: np.ndarray) -> int:
    """How many pixels of a screenshot have the colour of the validation curves."""
    red, green, blue = (shot[..., i].astype(int) for i in range(3))
    return int(((abs(red - 179) < 25) & (abs(green - 74) < 25) & (blue < 40)).sum())


def statuses(store: Path) -> dict[str, str]:
    """Image -> its last status."""
    lines = (store / "reviews.jsonl").read_text().splitlines()
    return {r["image"]: r["status"] for r in map(json.loads, lines)}


def runs(store: Path) -> list[Path]:
    """The folders of the trainings so far."""
    return [config.parent for config in (store / "runs").glob("*/config.json")]


def epochs(store: Path) -> int:
    """Epochs that the only run has finished."""
    if not runs(store):
        return 0
    happened = events.read_events(runs(store)[0])[0]
    assert not [e for e in happened if e.type == "failed"], happened
    return sum(e.type == "epoch" for e in happened)


def model_of(store: Path) -> str:
    return str(json.loads((store / "project.json").read_text()).get("model"))


def loaded_torch(pid: int) -> list[str]:
    """Files of torch that a running process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return [line for line in maps.splitlines() if "/torch/" in line]
