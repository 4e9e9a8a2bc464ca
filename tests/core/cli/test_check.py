"""``petseg check`` and ``petseg corrections``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.label_check.findings import LEARNT_TOO_LITTLE
from core.project.reviews import Review, Status, append_review
from tests.core.cli.conftest import Petseg

_TINY = ("encoder=", "width=4", "depth=1", "size=32", "epochs=1", "min_steps=1", "threads=1")
_OPTIONS = [word for option in _TINY for word in ("--set", option)]


@pytest.fixture(autouse=True)
def keeps_its_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda _by: 0)


def test_check_lists_masks_and_leaves_them_as_they_are(
    petseg: Petseg,
    make_project: Callable[..., Path],
    tmp_path: Path,
    snapshot: Callable[[Path], object],
) -> None:
    folder = make_project(images=10)
    before = snapshot(folder / "masks")
    json_file = tmp_path / "found.json"
    done = petseg(
        "check", folder, "--folds", 2, "--from", "scratch", *_OPTIONS, "--json", json_file
    )
    assert done.code == 0
    assert "10 approved masks, 2 networks from scratch" in done.out
    assert done.err.strip() == LEARNT_TOO_LITTLE  # after one step
    found = json.loads(json_file.read_text())
    assert len(found["masks"]) == 10
    scores = [mask["score"] for mask in found["masks"]]
    assert scores == sorted(scores, reverse=True)
    assert not any(mask["right"] for mask in found["masks"])
    assert found["masks"][0]["image"] not in done.out
    assert snapshot(folder / "masks") == before


def test_check_refuses_what_it_cannot_do(petseg: Petseg, make_project: Callable[..., Path]) -> None:
    folder = make_project(images=4)
    few = petseg("check", folder, "--from", "scratch", *_OPTIONS)
    assert few.code == 2
    assert "too few to check" in few.err
    assert petseg("check", folder, "--from", "nothing.safetensors").code == 2
    assert not (folder / ".petseg" / "checks").exists()


def test_corrections_tells_by_model(
    petseg: Petseg, make_project: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_project(images=3, masked=3)
    reviews = folder / ".petseg" / "reviews.jsonl"
    for number, dice in enumerate((0.5, 0.7)):
        name = f"animal-{number}.png"
        append_review(reviews, Review(name, Status.APPROVED, "", "model-a", 8.0, 2, 3, dice))
    json_file = tmp_path / "corrections.json"
    done = petseg("corrections", folder, "--json", json_file)
    assert done.code == 0
    assert "2 masks approved by you, 2 of them predicted before (border = foreground)" in done.out
    assert "0.6000" in next(line for line in done.out.splitlines() if line.startswith("model-a"))
    assert "approve 18 more masks" in done.out
    told = json.loads(json_file.read_text())
    assert [c["clicks"] for c in told["corrections"]] == [3, 3]
    assert told["trend"] is None
