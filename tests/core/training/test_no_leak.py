"""No photo ever crosses from val to train: twenty rounds of correcting and training."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.labels import PET
from core.masks import write_mask
from core.project.project import Project, open_project
from core.project.reviews import Review, Status
from core.training import events
from core.training.config import read_run_config
from core.training.joining import approvals_since, find_joins
from core.training.launch import create_run
from core.training.plan import plan_training

from .conftest import epochs_of, finished, joined, story, tiny_config, working

Animal = Callable[..., tuple[np.ndarray, np.ndarray]]

ROUNDS = 20
TRAINED = (1, 10, ROUNDS - 1)
"""Rounds whose run is trained by a real worker process, which also lets masks join."""


@dataclass
class Folder:
    """A folder of photos that a person adds to, renames and copies in.

    scenes: image -> what it shows, a number; photos that share one are near-duplicates.
    """

    root: Path
    draw: Animal
    chance: random.Random
    scenes: dict[str, int] = field(default_factory=dict)
    drawn: int = 0

    def add_new(self) -> None:
        self.drawn += 1
        self._add(self.draw(self.drawn)[0], self.drawn)

    def add_copy(self) -> None:
        """A photo again: smaller, darker, and compressed anew."""
        source = self._any()
        photo = Image.open(self.root / "images" / source).convert("RGB").resize((40, 40))
        self._add((np.asarray(photo) * 0.8).astype(np.uint8), self.scenes[source], ".jpg")

    def rename(self) -> None:
        name = self._any()
        new = f"renamed-{len(list((self.root / 'images').iterdir()))}-{name}"
        (self.root / "images" / name).rename(self.root / "images" / new)
        mask = self.root / "masks" / name
        mask.with_suffix(".png").rename((self.root / "masks" / new).with_suffix(".png"))
        self.scenes[new] = self.scenes.pop(name)

    def remove(self) -> None:
        name = self._any()
        (self.root / "images" / name).unlink()
        (self.root / "masks" / name).with_suffix(".png").unlink()
        del self.scenes[name]

    def _any(self) -> str:
        return self.chance.choice(sorted(self.scenes))

    def _add(self, pixels: np.ndarray, scene: int, suffix: str = ".png") -> None:
        name = f"photo-{self.chance.getrandbits(32):08x}{suffix}"
        Image.fromarray(pixels).save(self.root / "images" / name)
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[10:30, 10:30] = 1
        write_mask((self.root / "masks" / name).with_suffix(".png"), mask, PET)
        self.scenes[name] = scene


def judge(project: Project, chance: random.Random) -> None:
    """A person changes some judgements."""
    for name in chance.sample(project.names, len(project.names) // 6):
        status = chance.choice((Status.APPROVED, Status.EDITED, Status.REJECTED))
        project.add_review(Review(name, status))


def trained(run: Path) -> list[str]:
    """Let a worker process train a run; the images that joined it."""
    with working(run) as process:
        assert process.wait(timeout=300) == 0, (run / "worker.log").read_text()
    assert finished(run).reason == "done"
    names = [name for _, images in joined(run) for name in images]
    started = next(e for e in story(run) if isinstance(e, events.Started))
    assert epochs_of(run)[-1].train_images == started.train_images + len(names)
    return names


@pytest.mark.parametrize("seed", [0, 1])
def test_no_photo_that_validated_ever_trains(tmp_path: Path, animal: Animal, seed: int) -> None:
    (tmp_path / "images").mkdir()
    chance = random.Random(seed)
    folder = Folder(tmp_path, animal, chance)
    folder.add_new()
    folder.add_new()
    validated: set[str] = set()
    seen_in_val: set[int] = set()
    seen_in_train: set[int] = set()
    late = 0
    for number in range(ROUNDS):
        project = open_project(tmp_path)
        plan = plan_training(project, include_edited=chance.random() < 0.3)
        assert plan.problem == "", f"round {number}"
        run = create_run(project, tiny_config(depth=1, epochs=1), plan)
        made = read_run_config(run)
        train = {sample.image for sample in made.train_samples}
        val = {sample.image for sample in made.val_samples}
        assert (train, val) == (set(plan.train), set(plan.val))
        validated |= val
        seen_in_val |= {folder.scenes[name] for name in val}
        seen_in_train |= {folder.scenes[name] for name in train}
        assert not train & validated
        assert not seen_in_train & seen_in_val
        for act in (folder.add_new, folder.add_new, folder.add_copy, folder.add_copy):
            act()
        for act in chance.sample((folder.rename, folder.remove, folder.add_copy), 2):
            act()
        # While that run trains, some more are approved, which may join it.
        again = open_project(tmp_path)
        for name in chance.sample(again.names, len(again.names) // 3):
            again.add_review(Review(name, Status.APPROVED, again.mask_digest(name)))
        if seed == 0 and number in TRAINED:
            joins = trained(run)
            assert joins, "a round in which none joined proves nothing"
        else:
            found = find_joins(made, approvals_since(made), train | val, epoch=2)
            joins = [join.image for join in found]
        late += len(joins)
        seen_in_train |= {folder.scenes[name] for name in joins}
        assert not set(joins) & validated
        assert not seen_in_train & seen_in_val
        judge(again, chance)
    assert late > 5
    assert len(seen_in_val) > 5
    assert len(seen_in_train) > len(seen_in_val)
