"""The correction tools in a real window, by keys and mouse; and a kill in the middle of it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from core.labels import PET
from core.masks import MaskEncoding, read_mask

pytestmark = pytest.mark.e2e


def test_tools_by_hand_and_nothing_lost_by_a_kill(person, start, folder: Path) -> None:
    store = folder / ".petseg"
    first = sorted(p.name for p in (folder / "images").iterdir())[0]
    mask_file = folder / "masks" / Path(first).with_suffix(".png")
    prediction_file = store / "predictions" / Path(first).with_suffix(".png")
    middle = (person.width // 2 + 150, person.height // 2)

    def mask() -> np.ndarray:
        return read_mask(mask_file, MaskEncoding.IDS, PET)

    def changed_since(before: np.ndarray) -> None:
        person.wait_for(lambda: bool((mask() != before).any()), "a changed mask on the disk")

    program = start()
    person.window("PetSeg")
    person.wait_for(prediction_file.is_file, "the first image's prediction")
    predicted = read_mask(prediction_file, MaskEncoding.IDS, PET)

    # A polygon, closed with Enter: everything inside is pet.
    person.press("p")
    for dx, dy in ((-120, -80), (60, -80), (60, 60), (-120, 60)):
        person.click(middle[0] + dx, middle[1] + dy)
    person.look("7-polygon")
    person.press("Return")
    person.wait_for(mask_file.is_file, "the polygon's mask")
    polygon = mask()
    assert (polygon[predicted == 1] == 1).all()

    # Taken away with the lasso and the right button, then brought back by undo.
    person.press("l")
    person.do("mousemove", str(middle[0] - 60), str(middle[1] - 40), "mousedown", "3")
    for dx, dy in ((20, -40), (20, 20), (-60, 20)):
        person.do("mousemove", "--sync", str(middle[0] + dx), str(middle[1] + dy))
    person.do("mouseup", "3")
    changed_since(polygon)
    assert mask().sum() < polygon.sum()
    person.press("ctrl+z")
    person.wait_for(lambda: bool((mask() == polygon).all()), "the undone lasso")

    # A clean-up is shown first, Esc leaves the mask, Enter takes it.
    person.press("ctrl+e")
    person.look("8-refine-edge")
    person.press("Escape")
    person.press("ctrl+e", "Return")
    changed_since(polygon)
    refined = mask()

    # A box finds the animal in it.
    person.press("g")
    person.drag((middle[0] - 250, middle[1] - 200), (middle[0] + 250, middle[1] + 200))
    person.look("9-box")
    person.press("Return")
    changed_since(refined)

    # Killed right after a stroke: the next start brings it back.
    before = mask()
    journal = store / "journal"
    person.press("e")
    person.drag((middle[0] - 100, middle[1]), (middle[0] + 100, middle[1] + 10))
    person.wait_for(lambda: any(journal.rglob("*.journal")), "the stroke in the journal")
    program.send_signal(signal.SIGKILL)
    program.wait(30)
    program = start()
    person.window("PetSeg")
    changed_since(before)
    assert mask().sum() < before.sum()
    person.look("10-brought-back")
    statuses = [json.loads(line) for line in (store / "reviews.jsonl").read_text().splitlines()]
    assert [r["status"] for r in statuses if r["image"] == first][-1] == "edited"
    person.press("ctrl+q")
    assert program.wait(60) == 0
