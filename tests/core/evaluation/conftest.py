"""Projects whose masks and answers are known to the pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.evaluation.assess import Assessment, assess
from core.evaluation.result import Source
from core.evaluation.sources import Answer
from core.labels import VOID, BorderRule
from core.project.project import Project, open_project

Say = Callable[[str, np.ndarray], Answer]
Judge = Callable[..., Assessment]


class Told:
    """Answers that a test makes up."""

    def __init__(self, say: Say, title: str = "Told") -> None:
        self.about = Source(kind="model", title=title, id=title)
        self.digest = ""
        self.threshold = 0.5
        self.extras: list[str] = []
        self._say = say

    def answer(self, name: str, pixels: np.ndarray) -> Answer:
        return self._say(name, pixels)

    def file(self, _name: str) -> Path | None:
        return None


@pytest.fixture
def masks_project(tmp_path: Path) -> Callable[..., Project]:
    """masks_project({"a.png": mask, ...}): a folder of black photos with these masks (ids)."""

    def make(masks: dict[str, np.ndarray], folder: str = "made") -> Project:
        root = tmp_path / folder
        for name, mask in masks.items():
            photo, truth = root / "images" / name, root / "masks" / name
            for path in (photo, truth):
                path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", mask.shape[::-1]).save(photo)
            Image.fromarray(mask).save(truth)
        return open_project(root)

    return make


@pytest.fixture
def judge() -> Judge:
    """judge(project, say, title="Told") -> Assessment of all images, border = foreground."""

    def run(project: Project, say: Say, title: str = "Told") -> Assessment:
        return assess(project, project.names, Told(say, title), "all", BorderRule.FOREGROUND)

    return run


def box(top: int, left: int, bottom: int, right: int, shape: tuple[int, int] = (40, 60)):
    """A mask (uint8) with one box of ones."""
    mask = np.zeros(shape, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


@pytest.fixture
def boxes(masks_project) -> Project:
    """a.png, b.png: a box; empty.png: none; void.png: nothing labelled; cats/c.png: all box."""
    return masks_project(
        {
            "a.png": box(10, 10, 30, 40),
            "b.png": box(5, 20, 35, 50),
            "empty.png": box(0, 0, 0, 0),
            "void.png": np.full((40, 60), VOID, np.uint8),
            "cats/c.png": box(0, 0, 40, 60),
        }
    )
